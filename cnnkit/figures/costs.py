"""What networks cost: two beside each other, and all of them against their accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from plotly import graph_objects as go

from cnnkit.figures._style import BLUE, ORANGE, SERIES, faded, finished


def side_by_side(
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
    for which, (title, colour) in enumerate(zip(titles, (BLUE, ORANGE), strict=True)):
        own = [pair[which] for pair in values.values()]
        largest = [max(*pair, 1e-9) for pair in values.values()]
        figure.add_bar(
            x=[value / most for value, most in zip(own, largest, strict=True)],
            y=names,
            name=title,
            orientation="h",
            marker={"color": colour, "cornerradius": 3},
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


def accuracy(
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
        colour = SERIES[number % len(SERIES)]
        figure.add_scatter(
            x=[costs[i] for i in members],
            y=[shares[i] for i in members],
            customdata=[[names[i]] for i in members],
            name=family,
            mode="lines+markers",
            line={"color": faded(colour, 0.4), "width": 1.5},
            marker={
                "size": 11,
                "color": colour,
                "symbol": "circle" if number < len(SERIES) else "diamond",
            },
            hovertemplate="%{customdata[0]}: %{y:.1%} for %{x:.3s}<extra></extra>",
        )
    figure.update_xaxes(type="log", title=x_title, exponentformat="SI", dtick=1)
    figure.update_yaxes(title=y_title, tickformat=".0%")
    figure.update_layout(clickmode="event+select")
    return finished(figure, height=460)
