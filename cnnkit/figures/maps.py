"""Feature maps, rows of units and decisions, in which every value can be read by hovering."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures import rasters
from cnnkit.figures.style import BLUE, faded, finished

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
    return _tight(figure, height=min(760, max(220, round(1120 * shape[0] / shape[1]))))


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
    return _tight(figure, height=104, top=30, bottom=22)


def class_bars(
    values: np.ndarray,
    class_names: Sequence[str],
    title: str,
    *,
    percent: bool = False,
    true: int | None = None,
) -> go.Figure:
    """One bar a class; the largest stands out.

    Args:
        values: (classes,), logits or probabilities.
        class_names: (classes,).
        title: of the figure.
        percent: values are 0 to 1 and are written in percent.
        true: index of the true class, marked; None: not known.
    """
    best = int(np.argmax(values))
    form = ".1%" if percent else ".2f"
    names = [f"{name} ✓" if i == true else name for i, name in enumerate(class_names)]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker={
                "color": [BLUE if i == best else faded(BLUE, 0.45) for i in range(len(names))],
                "cornerradius": 3,
            },
            text=[format(float(value), form) for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}: %{{x:{form}}}<extra></extra>",
        )
    )
    low, high = float(min(values.min(), 0)), float(max(values.max(), 0))
    room = 0.16 * (high - low or 1)
    figure.update_xaxes(
        range=[low - (room if low < 0 else 0), high + room], showticklabels=False, fixedrange=True
    )
    figure.update_yaxes(autorange="reversed", type="category", fixedrange=True)
    figure.update_layout(title={"text": title, "font": {"size": 14}, "x": 0}, bargap=0.35)
    return _tight(figure, height=60 + 26 * len(names), top=36)


def _tight(figure: go.Figure, *, height: int, top: int = 4, bottom: int = 4) -> go.Figure:
    finished(figure, height=height, legend=False)
    return figure.update_layout(margin={"l": 4, "r": 4, "t": top, "b": bottom})
