"""What networks and layers cost, as bars, and accuracy against cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures.style import BLUE, FAINT, GRAY, ORANGE, SERIES, faded, finished


def cost_comparison(
    values: Mapping[str, tuple[float, float]],
    titles: tuple[str, str],
    words: Mapping[str, Callable[[float], str]],
) -> go.Figure:
    """Two bars a measure, each measure on a scale of its own.

    Args:
        values: measure to the figures of both networks.
        titles: of the networks.
        words: measure to how its figures are written.
    """
    figure = go.Figure()
    names = list(values)
    for which, (title, color) in enumerate(zip(titles, (BLUE, ORANGE), strict=True)):
        own = [pair[which] for pair in values.values()]
        largest = [max(*pair, 1e-9) for pair in values.values()]
        figure.add_bar(
            x=[value / most for value, most in zip(own, largest, strict=True)],
            y=names,
            name=title,
            orientation="h",
            marker={"color": color, "cornerradius": 3},
            text=[words[name](value) for name, value in zip(names, own, strict=True)],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{text}<extra>" + title + "</extra>",
        )
    figure.update_layout(
        barmode="group",
        bargap=0.3,
        xaxis={"visible": False, "range": [0, 1.2], "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True, "showgrid": False},
    )
    figure.update_layout(legend={"traceorder": "normal"})
    return finished(figure, height=60 + 58 * len(names))


def accuracy_against_cost(
    costs: Sequence[float],
    shares: Sequence[float],
    names: Sequence[str],
    families: Sequence[str],
    *,
    x_title: str,
    y_title: str,
) -> go.Figure:
    """A dot for each network, those of one family joined, the cost on a logarithmic axis.

    Args:
        costs: of each network, more than 0.
        shares: of right answers, 0 to 1.
        names: of the networks; `customdata[0]` of each dot.
        families: of each network.
        x_title: of the axis of costs.
        y_title: of the axis of shares.
    """
    figure = go.Figure()
    for number, family in enumerate(dict.fromkeys(families)):
        members = [i for i, one in enumerate(families) if one == family]
        members.sort(key=lambda i: costs[i])
        color = SERIES[number % len(SERIES)]
        figure.add_scatter(
            x=[costs[i] for i in members],
            y=[shares[i] for i in members],
            customdata=[[names[i]] for i in members],
            name=family,
            mode="lines+markers",
            line={"color": faded(color, 0.4), "width": 1.5},
            marker={
                "size": 11,
                "color": color,
                "symbol": "circle" if number < len(SERIES) else "diamond",
            },
            hovertemplate="%{customdata[0]}: %{y:.1%} for %{x:.3s}<extra></extra>",
        )
    figure.update_xaxes(type="log", title=x_title, exponentformat="SI", dtick=1)
    figure.update_yaxes(title=y_title, tickformat=".0%")
    figure.update_layout(clickmode="event+select")
    return finished(figure, height=460)


def stacked_bars(
    values: Mapping[str, Sequence[float]],
    names: Sequence[str],
    *,
    colors: Mapping[str, str] | None = None,
    horizontal: bool = False,
    text: Sequence[str] = (),
    unit: str = "",
    limit: tuple[str, Sequence[float]] | None = None,
    height: int = 300,
):
    """One bar a name, made of its parts.

    Args:
        values: name of a part to its size in each bar, nothing below zero.
        names: of the bars.
        colors: by part, where the order of the theme's will not do.
        horizontal: bars from left to right, the first at the top, instead of upright.
        text: behind the end of each bar.
        unit: on the axis of the values, and when hovering.
        limit: name and values of a line of steps drawn over upright bars, to compare with.
        height: pixels.
    """
    figure = go.Figure()
    position, size = ("y", "x") if horizontal else ("x", "y")
    for number, (part, sizes) in enumerate(values.items()):
        color = (colors or {}).get(part, SERIES[number % len(SERIES)])
        figure.add_bar(
            **{position: list(names), size: list(sizes)},
            orientation="h" if horizontal else "v",
            name=part,
            marker={"color": color, "cornerradius": 2},
            hovertemplate=f"%{{{position}}}: %{{{size}:,.4~s}} {unit}<extra>{part}</extra>",
        )
    totals = np.sum([list(sizes) for sizes in values.values()], axis=0)
    for name, end, words in zip(names, totals, text, strict=False):
        figure.add_annotation(
            **{position: name, size: float(end)},
            text=words,
            showarrow=False,
            xanchor="left" if horizontal else "center",
            yanchor="middle" if horizontal else "bottom",
            xshift=6 if horizontal else 0,
        )
    if limit is not None:
        figure.add_scatter(
            x=list(names),
            y=list(limit[1]),
            name=limit[0],
            mode="lines+markers",
            line={"color": GRAY, "width": 2, "dash": "dot"},
            # The rim parts it from bars of any color.
            marker={"size": 9, "color": GRAY, "line": {"color": "white", "width": 1.5}},
            hovertemplate=f"%{{x}}: %{{y:,}} {unit}<extra>{limit[0]}</extra>",
        )
    _axes(figure, horizontal, unit, largest=float(totals.max()) or 1.0)
    figure.update_layout(barmode="stack", bargap=0.3)
    finished(figure, height=height)
    # Named from the root of a bar to its end.
    return figure.update_layout(legend_traceorder="normal")


def _axes(figure: go.Figure, horizontal: bool, unit: str, largest: float) -> None:
    names = {"type": "category", "fixedrange": True, "showgrid": False}
    values = {"title": unit, "fixedrange": True, "rangemode": "tozero", "gridcolor": FAINT}
    if horizontal:
        # Room for the words behind the longest bar.
        values["range"] = [0, 1.3 * largest]
        figure.update_layout(xaxis=values, yaxis=names | {"autorange": "reversed"})
    else:
        figure.update_layout(xaxis=names, yaxis=values)
