"""Bars: predicted probabilities, and numbers of both signs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures.style import BLUE, FAINT, GRAY, GREEN, faded, finished


def probability_bars(values: np.ndarray, class_names: Sequence[str], *, height: int = 170):
    """The probabilities of one network: a bar for each class, the largest in full color.

    Args:
        values: (classes,), 0 to 1.
        class_names: below the bars.
        height: pixels.
    """
    values = np.asarray(values, dtype=float)
    top = int(values.argmax())
    figure = go.Figure()
    figure.add_bar(
        x=list(class_names),
        y=values,
        marker={
            "color": [BLUE if i == top else faded(BLUE, 0.45) for i in range(len(values))],
            "cornerradius": 3,
        },
        text=[f"{100 * v:.0f}" if v >= 0.005 else "" for v in values],
        textposition="outside",
        textfont={"size": 10},
        cliponaxis=False,
        hovertemplate="%{x}: %{y:.2%}<extra></extra>",
    )
    figure.update_layout(
        xaxis={"type": "category", "fixedrange": True, "showgrid": False},
        yaxis={"range": [0, 1.15], "visible": False, "fixedrange": True},
        bargap=0.18,
    )
    figure.add_hline(y=0, line={"color": FAINT, "width": 1})
    return finished(figure, height=height, legend=False)


def signed_bars(
    values: np.ndarray,
    names: Sequence[str],
    *,
    chosen: int | None = None,
    form: str = ".2f",
    limits: tuple[float, float] | None = None,
    height: int = 220,
):
    """Numbers of both signs, one bar each.

    Args:
        values: (bars,).
        names: below the bars.
        chosen: index of a bar to draw in another color.
        form: of the numbers, as in `format`.
        limits: of the axis; None: fitting.
        height: pixels.
    """
    values = np.asarray(values, dtype=float)
    colors = [
        GREEN if i == chosen else (BLUE if value >= 0 else GRAY) for i, value in enumerate(values)
    ]
    figure = go.Figure()
    figure.add_bar(
        x=list(names),
        y=values,
        marker={"color": colors, "cornerradius": 4},
        text=[format(value, form) for value in values],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x}: %{y:.4g}<extra></extra>",
    )
    reach = max(float(np.abs(values).max()), 1e-9)
    low, high = limits or (
        min(0.0, 1.25 * float(values.min())),
        max(1.25 * float(values.max()), 0.15 * reach),
    )
    figure.update_layout(
        xaxis={"type": "category", "fixedrange": True, "showgrid": False},
        yaxis={"range": [low, high], "visible": False, "fixedrange": True},
        bargap=0.3,
    )
    figure.add_hline(y=0, line={"color": GRAY, "width": 1})
    return finished(figure, height=height, legend=False)


def top_k_bars(values: Sequence[float], names: Sequence[str], *, height: int | None = None):
    """The top-k predictions of one network, names inside the plot.

    Args:
        values: probabilities, 0 to 1, the largest first.
        names: one each.
        height: pixels; None: as the number of bars needs.
    """
    figure = go.Figure()
    figure.add_bar(
        x=list(values),
        y=list(range(len(values))),
        orientation="h",
        marker={
            "color": [BLUE if i == 0 else faded(BLUE, 0.45) for i in range(len(values))],
            "cornerradius": 3,
        },
        customdata=list(names),
        hovertemplate="%{customdata}: %{x:.2%}<extra></extra>",
        width=0.42,
    )
    for i, (value, name) in enumerate(zip(values, names, strict=True)):
        figure.add_annotation(
            x=0, y=i - 0.42, text=f"{name} <b>{value:.1%}</b>", xanchor="left", showarrow=False,
            xshift=-2, font={"size": 13},
        )  # fmt: skip
    figure.update_layout(
        xaxis={"range": [0, 1.02], "visible": False, "fixedrange": True},
        yaxis={"range": [len(values) - 0.5, -0.85], "visible": False, "fixedrange": True},
    )
    return finished(figure, height=height or 42 * len(values) + 16, legend=False)
