"""A loss of two weights seen from above, with the ways that methods take down it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures._style import BLUE, GREEN, GREY, SERIES, faded, finished


def landscape(
    height_at: Callable,
    reach: tuple[float, float, float, float],
    paths: Mapping[str, np.ndarray],
    *,
    lowest: Sequence[tuple[float, float]] = (),
    height: int = 440,
):
    """Contours, darker where the loss is lower, and paths with their starts and ends.

    Args:
        height_at: (x, y) arrays to the loss.
        reach: least and largest x, least and largest y.
        paths: name to float (points, 2).
        lowest: where the loss is least.
        height: pixels.
    """
    left, right, bottom, top = reach
    x, y = np.linspace(left, right, 90), np.linspace(bottom, top, 90)
    # Logarithms spread the levels: valleys would else be one flat colour.
    loss = height_at(*np.meshgrid(x, y))
    levels = np.log(loss - loss.min() + 0.02)
    figure = go.Figure()
    # A contour's fill ignores opacity, a heat-map's does not: so one for each.
    figure.add_heatmap(
        x=x,
        y=y,
        z=levels,
        zsmooth="best",
        colorscale=[[0, faded(BLUE, 0.6)], [0.5, faded(BLUE, 0.22)], [1, faded(BLUE, 0.02)]],
        showscale=False,
        hoverinfo="skip",
    )
    figure.add_contour(
        x=x,
        y=y,
        z=levels,
        ncontours=22,
        contours={"coloring": "none"},
        line={"width": 0.8, "color": faded(GREY, 0.45)},
        showscale=False,
        showlegend=False,
        hoverinfo="skip",
    )
    for number, (name, path) in enumerate(paths.items()):
        colour = SERIES[number + 1]
        figure.add_scatter(
            x=path[:, 0],
            y=path[:, 1],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2.4},
            marker={"size": [4] * (len(path) - 1) + [11], "color": colour},
            hovertemplate=f"{name}, step %{{pointNumber}}<br>(%{{x:.3f}}, %{{y:.3f}})"
            "<extra></extra>",
        )
    for spot in lowest:
        figure.add_scatter(
            x=[spot[0]], y=[spot[1]], name="lowest point", mode="markers",
            marker={"symbol": "star", "size": 14, "color": GREEN, "line": {"width": 0}},
            hovertemplate="lowest point<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "first weight", "range": [left, right]},
        yaxis={"title": "second weight", "range": [bottom, top]},
    )
    figure = finished(figure, height=height)
    return figure.update_xaxes(showgrid=False).update_yaxes(showgrid=False)
