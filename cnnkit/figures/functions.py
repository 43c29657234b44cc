"""Functions drawn: an activation with its slope, a loss over the learning rate, a loss surface."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures.style import BLUE, GRAY, GREEN, ORANGE, SERIES, faded, finished

CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ReLU": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


def activation_curve(kind: str, x: float, slope: float, *, backward: bool) -> go.Figure:
    """The whole curve, the point of one number, and in backward direction its tangent.

    Args:
        kind: name in `CURVES`.
        x: the number.
        slope: of the curve at x.
        backward: whether the tangent is drawn.
    """
    reach = max(1.0, 1.6 * abs(x)) if math.isfinite(x) else 1.0
    xs = np.linspace(-reach, reach, 121)
    y = float(CURVES[kind](np.array(x)))
    figure = go.Figure(
        go.Scatter(x=xs, y=CURVES[kind](xs), mode="lines", line={"color": BLUE, "width": 2.5})
    )
    figure.add_vline(0, line={"color": GRAY, "width": 1, "dash": "dot"})
    if backward:
        near = np.array([x - 0.45 * reach, x + 0.45 * reach])
        figure.add_trace(
            go.Scatter(
                x=near,
                y=y + slope * (near - x),
                mode="lines",
                line={"color": ORANGE, "width": 3, "dash": "dash"},
            )
        )
    figure.add_trace(go.Scatter(x=[x], y=[y], mode="markers", marker={"color": GREEN, "size": 11}))
    figure.update_traces(hovertemplate="f(%{x:.3f}) = %{y:.3f}<extra></extra>")
    figure.update_xaxes(fixedrange=True, title="x")
    figure.update_yaxes(fixedrange=True)
    return finished(figure, height=240, legend=False)


@dataclass(frozen=True, kw_only=True)
class LossCurve:
    """The loss of some images, over the learning rate."""

    title: str
    color: str
    losses: Sequence[float]  # nats, one a rate
    before: float  # without a step
    after: float  # with the chosen rate


def loss_by_rate(rates: Sequence[float], slopes: Sequence[LossCurve], rate: float) -> go.Figure:
    """Losses after one step; dotted is what they were before it.

    Args:
        rates: ascending, above 0; the axis is logarithmic.
        slopes: of different images.
        rate: that is chosen.
    """
    # A step that is far too long may cost thousands: what is near must stay visible.
    most = 4 * max(max(slope.before for slope in slopes), 0.1)
    figure = go.Figure()
    for slope in slopes:
        words = f"{slope.title}, rate %{{x:.3g}}: %{{y:.4f}}<extra></extra>"
        figure.add_trace(
            go.Scatter(
                x=list(rates),
                y=list(slope.losses),
                name=slope.title,
                mode="lines",
                line={"color": slope.color, "width": 2.5},
                hovertemplate=words,
            )
        )
        figure.add_hline(slope.before, line={"color": slope.color, "dash": "dot", "width": 1})
        figure.add_trace(
            go.Scatter(
                x=[rate],
                y=[min(slope.after, 0.97 * most)],
                mode="markers",
                showlegend=False,
                marker={
                    "color": GREEN,
                    "size": 12,
                    "symbol": "circle" if slope.after < most else "triangle-up",
                },
                hovertemplate=f"{slope.title}: {slope.after:.4g}<extra></extra>",
            )
        )
    figure.update_xaxes(type="log", title="learning rate", fixedrange=True)
    figure.update_yaxes(title="loss (nats)", fixedrange=True, range=[0, most])
    return finished(figure, height=320)


def loss_surface(
    loss_at: Callable,
    bounds: tuple[float, float, float, float],
    paths: Mapping[str, np.ndarray],
    *,
    minima: Sequence[tuple[float, float]] = (),
    height: int = 440,
):
    """Contours, darker where the loss is lower, and paths with their starts and ends.

    Args:
        loss_at: (x, y) arrays to the loss.
        bounds: least and largest x, least and largest y.
        paths: name to float (points, 2).
        minima: where the loss is least.
        height: pixels.
    """
    left, right, bottom, top = bounds
    x, y = np.linspace(left, right, 90), np.linspace(bottom, top, 90)
    # Logarithms spread the levels: valleys would else be one flat color.
    loss = loss_at(*np.meshgrid(x, y))
    levels = np.log(loss - loss.min() + 0.02)
    figure = go.Figure()
    # A contour's fill ignores opacity, a heatmap's does not: so one for each.
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
        line={"width": 0.8, "color": faded(GRAY, 0.45)},
        showscale=False,
        showlegend=False,
        hoverinfo="skip",
    )
    for number, (name, path) in enumerate(paths.items()):
        color = SERIES[number + 1]
        figure.add_scatter(
            x=path[:, 0],
            y=path[:, 1],
            name=name,
            mode="lines+markers",
            line={"color": color, "width": 2.4},
            marker={"size": [4] * (len(path) - 1) + [11], "color": color},
            hovertemplate=f"{name}, step %{{pointNumber}}<br>(%{{x:.3f}}, %{{y:.3f}})"
            "<extra></extra>",
        )
    for point in minima:
        figure.add_scatter(
            x=[point[0]], y=[point[1]], name="minimum", mode="markers",
            marker={"symbol": "star", "size": 14, "color": GREEN, "line": {"width": 0}},
            hovertemplate="minimum<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "first weight", "range": [left, right]},
        yaxis={"title": "second weight", "range": [bottom, top]},
    )
    figure = finished(figure, height=height)
    return figure.update_xaxes(showgrid=False).update_yaxes(showgrid=False)
