"""Heatmaps: feature maps, rows of units, and the confusion matrix, whose cells can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures import rasters
from cnnkit.figures.figure_cache import cache_figures
from cnnkit.figures.style import BLUE, GRAY, RED, faded, finished, tight

GAP = 1  # pixels of a map between two maps
STRONGEST = 0.5  # opacity of the fullest cell: the number in it must stay readable
UNSEEN = 0.004  # opacity of a marker that takes clicks


@cache_figures
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
            colorscale=rasters.diverging_scale(),
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


@cache_figures
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
            colorscale=rasters.diverging_scale(),
            showscale=False,
            hovertemplate="unit %{x}: %{z:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(fixedrange=True, showgrid=False, zeroline=False)
    figure.update_yaxes(visible=False, fixedrange=True)
    figure.update_layout(title={"text": title, "font": {"size": 14}, "x": 0, "y": 0.97})
    return tight(figure, height=104, top=30, bottom=22)


@cache_figures
def confusion_matrix(confusion: np.ndarray, class_names: Sequence[str], *, cell: int = 38):
    """A confusion matrix: correct predictions in blue, errors in red.

    Each color has its own scale: on one scale a thousand correct images would make ten
    errors invisible. Cells are heatmaps, which fit any width of the screen.
    The `customdata` of a click is (true class, predicted class, images). The numbers are
    annotations, because Plotly fades the text of every marker that is not clicked.

    Args:
        confusion: int (classes, classes), rows are the true classes.
        class_names: in the order of rows and columns.
        cell: side of a cell in pixels, on a screen that is wide enough.
    """
    classes = len(class_names)
    if confusion.shape != (classes, classes):
        raise ValueError(f"{classes} class names need a {classes}×{classes} matrix.")
    right = np.eye(classes, dtype=bool)
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    true, predicted = np.divmod(np.arange(classes**2), classes)
    counts = confusion.reshape(-1)
    hover = [
        f"{count} images of <b>{class_names[t]}</b> predicted as <b>{class_names[p]}</b>"
        "<extra></extra>"
        for t, p, count in zip(true, predicted, counts, strict=True)
    ]
    figure = go.Figure(
        [
            _cells(np.where(right, share, np.nan), BLUE),
            # Square roots keep a single mistake visible beside a cell of thirty.
            _cells(np.where(right, np.nan, np.sqrt(share)), RED),
            click_targets(
                true,
                predicted,
                np.stack([true, predicted, counts], axis=1),
                size=cell - 8,
                hover=hover,
            ),
        ]
    )
    edges = [-0.5, classes - 0.5]
    axis = {
        "tickvals": list(range(classes)),
        "ticktext": list(class_names),
        "showgrid": False,
        "fixedrange": True,
        "constrain": "domain",
    }
    figure.update_layout(
        xaxis={"title": "Predicted class", "range": edges, **axis},
        yaxis={
            "title": "True class",
            "range": edges[::-1],
            "scaleanchor": "x",
            "constraintoward": "top",
            **axis,
        },
        annotations=[
            {"x": column, "y": row, "text": f"{count}", "showarrow": False}
            for (row, column), count in np.ndenumerate(confusion)
            if count
        ],
        clickmode="event+select",
        dragmode=False,
        hovermode="closest",
    )
    return finished(figure, height=cell * classes + 70, legend=False)


def _cells(strength: np.ndarray, color: str) -> go.Heatmap:
    """Opacity, not lightness, carries the strength: it reads on light and on dark pages."""
    most = np.nanmax(strength) if np.isfinite(strength).any() else 1.0
    return go.Heatmap(
        z=strength,
        zmin=0,
        zmax=max(float(most), 1e-12),
        colorscale=[[0, faded(color, 0.05)], [1, faded(color, STRONGEST)]],
        showscale=False,
        hoverinfo="skip",
        xgap=3,
        ygap=3,
    )


def click_targets(
    rows: np.ndarray,
    columns: np.ndarray,
    customdata: np.ndarray,
    *,
    size: int = 18,
    hover: Sequence[str] = (),
) -> go.Scatter:
    """A square marker over each cell that can hardly be seen: a heatmap gives no clicks.

    Args:
        rows: of the cells.
        columns: of the cells.
        customdata: (cells, …), what a click gives Streamlit.
        size: of a marker, in pixels.
        hover: what is said of each cell; empty: what the heatmap below says.
    """
    return go.Scatter(
        x=columns.tolist(),
        y=rows.tolist(),
        mode="markers",
        marker={"symbol": "square", "size": size, "opacity": UNSEEN, "color": GRAY},
        # A list: from an array Plotly makes bytes, which come back from a click unread.
        customdata=customdata.tolist(),
        hovertemplate=list(hover) or None,
        hoverinfo=None if hover else "none",  # "skip" would take the clicks too
        selected={"marker": {"opacity": 0.4 if hover else UNSEEN}},
        unselected={"marker": {"opacity": UNSEEN}},
    )
