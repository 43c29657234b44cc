"""Bars made of parts that lie on each other: what a sum consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures._style import FAINT, GREY, SERIES, finished


def parts(
    values: Mapping[str, Sequence[float]],
    names: Sequence[str],
    *,
    colours: Mapping[str, str] | None = None,
    lying: bool = False,
    text: Sequence[str] = (),
    unit: str = "",
    limit: tuple[str, Sequence[float]] | None = None,
    height: int = 300,
):
    """One bar a name, made of its parts.

    Args:
        values: name of a part to its size in each bar, nothing below zero.
        names: of the bars.
        colours: by part, where the order of the theme's will not do.
        lying: bars from left to right, the first at the top, instead of upright.
        text: behind the end of each bar.
        unit: on the axis of the values, and when hovering.
        limit: name and values of a line of steps drawn over upright bars, to compare with.
        height: pixels.
    """
    figure = go.Figure()
    position, size = ("y", "x") if lying else ("x", "y")
    for number, (part, sizes) in enumerate(values.items()):
        colour = (colours or {}).get(part, SERIES[number % len(SERIES)])
        figure.add_bar(
            **{position: list(names), size: list(sizes)},
            orientation="h" if lying else "v",
            name=part,
            marker={"color": colour, "cornerradius": 2},
            hovertemplate=f"%{{{position}}}: %{{{size}:,.4~s}} {unit}<extra>{part}</extra>",
        )
    totals = np.sum([list(sizes) for sizes in values.values()], axis=0)
    for name, end, words in zip(names, totals, text, strict=False):
        figure.add_annotation(
            **{position: name, size: float(end)},
            text=words,
            showarrow=False,
            xanchor="left" if lying else "center",
            yanchor="middle" if lying else "bottom",
            xshift=6 if lying else 0,
        )
    if limit is not None:
        figure.add_scatter(
            x=list(names),
            y=list(limit[1]),
            name=limit[0],
            mode="lines+markers",
            line={"color": GREY, "width": 2, "dash": "dot"},
            # The rim parts it from bars of any colour.
            marker={"size": 9, "color": GREY, "line": {"color": "white", "width": 1.5}},
            hovertemplate=f"%{{x}}: %{{y:,}} {unit}<extra>{limit[0]}</extra>",
        )
    _axes(figure, lying, unit, largest=float(totals.max()) or 1.0)
    figure.update_layout(barmode="stack", bargap=0.3)
    finished(figure, height=height)
    # Named from the root of a bar to its end.
    return figure.update_layout(legend_traceorder="normal")


def _axes(figure: go.Figure, lying: bool, unit: str, largest: float) -> None:
    names = {"type": "category", "fixedrange": True, "showgrid": False}
    values = {"title": unit, "fixedrange": True, "rangemode": "tozero", "gridcolor": FAINT}
    if lying:
        # Room for the words behind the longest bar.
        values["range"] = [0, 1.3 * largest]
        figure.update_layout(xaxis=values, yaxis=names | {"autorange": "reversed"})
    else:
        figure.update_layout(xaxis=names, yaxis=values)
