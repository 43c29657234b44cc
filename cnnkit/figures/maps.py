"""Feature maps and rows of units, in which every value can be read by hovering."""

from __future__ import annotations

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures import rasters
from cnnkit.figures.style import tight

GAP = 1  # pixels of a map between two maps

# Orange is negative, the page shows through at zero, blue is positive: as in `images`, so
# that a figure and a montage of the same numbers look alike.
SCALE = [
    [place, f"rgba({red}, {green}, {blue}, {opacity})"]
    for place, (red, green, blue, _), opacity in (
        (0, rasters.NEGATIVE, 1),
        (0.5, rasters.NEGATIVE, 0.02),
        (0.5, rasters.POSITIVE, 0.02),
        (1, rasters.POSITIVE, 1),
    )
]


def map_grid(maps: np.ndarray, *, columns: int, together: bool = True) -> go.Figure:
    """Feature maps side by side, each value to be read by hovering.

    Args:
        maps: (height, width, channels).
        columns: maps in a row.
        together: one color scale for all, else each map its own.
    """
    height, width, channels = maps.shape
    rows = -(-channels // columns)
    shape = (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP)
    largest = np.abs(maps).max(axis=None if together else (0, 1), keepdims=True)
    colors = np.full(shape, np.nan, np.float32)
    details = np.full((*shape, 2), np.nan, np.float32)
    for number in range(channels):
        top, left = (number // columns) * (height + GAP), (number % columns) * (width + GAP)
        tile = (slice(top, top + height), slice(left, left + width))
        colors[tile] = (maps / np.where(largest > 0, largest, 1))[..., number]
        details[tile] = np.stack([np.full((height, width), number + 1), maps[..., number]], axis=-1)
    figure = go.Figure(
        go.Heatmap(
            z=colors,
            zmin=-1,
            zmax=1,
            colorscale=SCALE,
            showscale=False,
            customdata=details,
            hoverongaps=False,
            hovertemplate="map %{customdata[0]}: %{customdata[1]:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(
        visible=False, fixedrange=True, autorange="reversed", scaleanchor="x", constrain="domain"
    )
    return tight(figure, height=min(760, max(220, round(1120 * shape[0] / shape[1]))))


def unit_strip(values: np.ndarray, title: str) -> go.Figure:
    """A row of numbers as one strip of colors, each to be read by hovering.

    Args:
        values: (units,).
        title: of the strip.
    """
    largest = float(np.abs(values).max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=values[np.newaxis],
            x=np.arange(1, len(values) + 1),
            zmin=-largest,
            zmax=largest,
            colorscale=SCALE,
            showscale=False,
            hovertemplate="unit %{x}: %{z:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(fixedrange=True, showgrid=False, zeroline=False)
    figure.update_yaxes(visible=False, fixedrange=True)
    figure.update_layout(title={"text": title, "font": {"size": 14}, "x": 0, "y": 0.97})
    return tight(figure, height=104, top=30, bottom=22)
