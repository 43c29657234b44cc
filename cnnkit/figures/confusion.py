"""The confusion matrix, every cell of which can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures._look import BLUE, RED, faded, finished


def confusion_matrix(confusion: np.ndarray, class_names: Sequence[str], *, cell: int = 44):
    """Which class was read as which.

    A heat-map gives Streamlit no clicks, so each cell is a square marker with its number
    as text. `customdata` of a point is (true class, predicted class, pictures).

    Args:
        confusion: int (classes, classes), rows are the true classes.
        class_names: in the order of rows and columns.
        cell: side of a cell in pixels, on a screen that is wide enough.
    """
    classes = len(class_names)
    if confusion.shape != (classes, classes):
        raise ValueError(f"{classes} class names need a {classes}×{classes} matrix.")
    true, predicted = np.divmod(np.arange(classes**2), classes)
    counts = confusion.reshape(-1)
    strength = _strength(confusion).reshape(-1)
    right = true == predicted
    # Opacity, not lightness, carries the number: it reads on light and on dark pages.
    colours = [
        faded(BLUE if hit else RED, 0.05 + 0.9 * s) for hit, s in zip(right, strength, strict=True)
    ]
    figure = go.Figure()
    figure.add_scatter(
        x=predicted,
        y=true,
        mode="markers+text",
        text=[f"{count}" if count else "" for count in counts],
        # No colour for weak cells: they inherit the page's, light or dark.
        textfont={"size": 12},
        marker={"symbol": "square", "size": cell - 3, "color": colours, "line": {"width": 0}},
        customdata=np.stack([true, predicted, counts], axis=1),
        hovertemplate=[
            f"{count} pictures of <b>{class_names[t]}</b> read as <b>{class_names[p]}</b>"
            "<extra></extra>"
            for t, p, count in zip(true, predicted, counts, strict=True)
        ],
        # Streamlit fades what is not chosen; a faint matrix would be hard to read.
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.75}},
    )
    names = list(class_names)
    edges = [-0.5, classes - 0.5]
    ticks = {"tickvals": list(range(classes)), "ticktext": names, "showgrid": False}
    figure.update_layout(
        xaxis={"title": "read as", "range": edges, "fixedrange": True, **ticks},
        yaxis={"title": "is really", "range": edges[::-1], "fixedrange": True, **ticks},
        clickmode="event+select",
        dragmode=False,
    )
    return finished(figure, height=cell * classes + 70, legend=False).update_layout(
        width=cell * classes + 80
    )


def _strength(confusion: np.ndarray) -> np.ndarray:
    """0 to 1 by the share of the row; single mistakes stay visible beside thousands."""
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    wrong = share * (1 - np.eye(len(confusion)))
    scaled = np.sqrt(wrong / max(wrong.max(), 1e-12))
    return np.where(np.eye(len(confusion), dtype=bool), share, scaled)
