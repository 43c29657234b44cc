"""An activation's curve, with one number on it and its slope there."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures._style import BLUE, GREEN, GREY, ORANGE, finished

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
    figure.add_vline(0, line={"color": GREY, "width": 1, "dash": "dot"})
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
