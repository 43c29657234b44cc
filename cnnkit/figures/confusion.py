"""The confusion matrix, every cell of which can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures.style import BLUE, GRAY, RED, faded, finished

STRONGEST = 0.5  # opacity of the fullest cell: the number in it must stay readable


def confusion_matrix(confusion: np.ndarray, class_names: Sequence[str], *, cell: int = 38):
    """A confusion matrix: correct predictions in blue, errors in red.

    Each color has its own scale: on one scale a thousand correct images would make ten
    errors invisible. Cells are heatmaps, which fit any width of the screen.
    A heatmap gives Streamlit no clicks, so a square marker that can hardly be seen lies
    over each cell; its `customdata` is (true class, predicted class, images). The numbers
    are annotations, because Plotly fades the text of every marker that is not clicked.

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
    figure = go.Figure(
        [
            _cells(np.where(right, share, np.nan), BLUE),
            # Square roots keep a single mistake visible beside a cell of thirty.
            _cells(np.where(right, np.nan, np.sqrt(share)), RED),
            _targets(confusion, class_names, cell),
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
            {"x": predicted, "y": true, "text": f"{count}", "showarrow": False}
            for (true, predicted), count in np.ndenumerate(confusion)
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


def _targets(confusion: np.ndarray, class_names: Sequence[str], cell: int) -> go.Scatter:
    classes = len(class_names)
    true, predicted = np.divmod(np.arange(classes**2), classes)
    counts = confusion.reshape(-1)
    return go.Scatter(
        x=predicted.tolist(),
        y=true.tolist(),
        mode="markers",
        marker={"symbol": "square", "size": cell - 8, "opacity": 0.01, "color": GRAY},
        # A list: from an array Plotly makes bytes, which come back from a click unread.
        customdata=np.stack([true, predicted, counts], axis=1).tolist(),
        hovertemplate=[
            f"{count} images of <b>{class_names[t]}</b> predicted as <b>{class_names[p]}</b>"
            "<extra></extra>"
            for t, p, count in zip(true, predicted, counts, strict=True)
        ],
        selected={"marker": {"opacity": 0.4}},
        unselected={"marker": {"opacity": 0.01}},
    )
