"""Dots: published figures and ours on one line each, and accuracy against cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from plotly import graph_objects as go

from cnnkit.durations import duration
from cnnkit.figures.figure_cache import cache_figures
from cnnkit.figures.style import BLUE, GREEN, ORANGE, SERIES, faded, finished

COLORS = {"published": ORANGE, "project": BLUE, "here": GREEN}
LINE = 27  # pixels, height of a line
AXIS = 42  # pixels, below the lines and above them
TICKS = {10: "10 s", 30: "30 s", 60: "1 min", 120: "2 min", 300: "5 min", 600: "10 min",
         1800: "30 min", 3600: "1 h", 7200: "2 h", 18_000: "5 h", 36_000: "10 h"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Dots:
    """One line of dots.

    Args:
        title: left of the line.
        kind: "published", "project" or "here": decides the color.
        values: 0 to 1, one dot each.
        words: for the mouse, one a dot.
    """

    title: str
    kind: str
    values: Sequence[float]
    words: Sequence[str]


@cache_figures
def dot_plot(
    lines: Sequence[Dots], goal: float, *, smaller_is_better: bool, axis: str = ""
) -> go.Figure:
    """Lines of dots over one axis in percent, with the side that is good enough shaded.

    Args:
        lines: from top to bottom.
        goal: 0 to 1, what was published.
        smaller_is_better: which side of the goal is shaded.
        axis: title of the axis.
    """
    low, high = _limits([goal, *(value for line in lines for value in line.values)])
    figure = go.Figure()
    good = (low, 100 * goal) if smaller_is_better else (100 * goal, high)
    figure.add_vrect(x0=good[0], x1=good[1], fillcolor=faded(GREEN, 0.12), line_width=0)
    figure.add_vline(x=100 * goal, line={"color": faded(ORANGE, 0.7), "width": 1.5, "dash": "dot"})
    for line in lines:
        several = len(line.values) > 1
        color = COLORS[line.kind]
        figure.add_scatter(
            x=[100 * value for value in line.values],
            y=[line.title] * len(line.values),
            mode="markers",
            cliponaxis=False,
            marker={
                "size": 8 if several else 12,
                "symbol": "diamond" if line.kind == "published" else "circle",
                "color": faded(color, 0.5) if several else color,
                "line": {"color": color, "width": 1},
            },
            customdata=list(line.words),
            hovertemplate="%{customdata}: %{x:.2f} %<extra></extra>",
        )
        if several:
            figure.add_scatter(
                x=[100 * sum(line.values) / len(line.values)],
                y=[line.title],
                mode="markers",
                cliponaxis=False,
                marker={"size": 20, "symbol": "line-ns", "line": {"color": color, "width": 3}},
                hovertemplate="mean: %{x:.2f} %<extra></extra>",
            )
    figure.update_xaxes(
        range=[low, high], ticksuffix=" %", nticks=5, fixedrange=True, title={"text": axis},
        tickfont={"size": 11},
    )  # fmt: skip
    figure.update_yaxes(
        autorange="reversed", type="category", fixedrange=True, showgrid=False,
        categoryorder="array", categoryarray=[line.title for line in lines],
    )  # fmt: skip
    figure = finished(figure, height=AXIS + LINE * max(2, len(lines)), legend=False)
    return figure.update_layout(margin_b=AXIS - 8)  # so low a figure gets no room by itself


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """Limits in percent with some room, inside 0 to 100."""
    low, high = 100 * min(values), 100 * max(values)
    room = max(0.18 * (high - low), 0.08 * min(high, 100 - low), 0.1)
    return max(0.0, low - room), min(100.0 + 0.04 * room, high + room)


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
        shares: accuracies, 0 to 1.
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


@dataclass(frozen=True, kw_only=True)
class TimedAccuracy:
    """One dot: a network trained with a recipe on several splits.

    Args:
        network: dots of one network are joined.
        recipe: its name.
        seconds: of a training, more than 0.
        shares: accuracies, 0 to 1, one a split.
        key: `customdata` of the dot begins with it.
    """

    network: str
    recipe: str
    seconds: float
    shares: Sequence[float]
    key: Sequence[str] = ()


def accuracy_against_time(dots: Sequence[TimedAccuracy]) -> go.Figure:
    """The mean accuracy of each recipe, its range over the splits, and the time on a log axis."""
    times = [dot.seconds for dot in dots]
    low, high = 0.7 * min(times), 1.4 * max(times)
    figure = go.Figure()
    for number, network in enumerate(dict.fromkeys(dot.network for dot in dots)):
        own = sorted((dot for dot in dots if dot.network == network), key=lambda dot: dot.seconds)
        means = [sum(dot.shares) / len(dot.shares) for dot in own]
        above = [max(dot.shares) - mean for dot, mean in zip(own, means, strict=True)]
        below = [mean - min(dot.shares) for dot, mean in zip(own, means, strict=True)]
        color, at = SERIES[number % len(SERIES)], len(own[0].key)
        figure.add_scatter(
            x=[dot.seconds for dot in own],
            y=means,
            error_y={
                "array": above, "arrayminus": below,
                "color": faded(color, 0.6), "thickness": 1.5, "width": 4,
            },
            customdata=[
                [*dot.key, f"{network}, {dot.recipe}", duration(dot.seconds)] for dot in own
            ],
            text=[f" {dot.recipe} " for dot in own] if len(own) > 1 else None,
            # Toward the middle: at the edge of a narrow screen a name would be cut off.
            textposition=[
                "middle left" if dot.seconds**2 > low * high else "middle right" for dot in own
            ],
            name=network,
            mode="lines+markers+text" if len(own) > 1 else "markers",
            line={"color": faded(color, 0.4), "width": 1.5},
            marker={"size": 12, "color": color},
            cliponaxis=False,
            hovertemplate=f"%{{customdata[{at}]}}: %{{y:.1%}} in %{{customdata[{at + 1}]}}"
            "<extra></extra>",
        )  # fmt: skip
    shown = [seconds for seconds in TICKS if low <= seconds <= high]
    figure.update_xaxes(
        type="log", range=[log10(low), log10(high)], tickvals=shown, fixedrange=True,
        ticktext=[TICKS[seconds] for seconds in shown], title="time from an empty feature cache",
    )  # fmt: skip
    figure.update_yaxes(title="test accuracy", tickformat=".0%", fixedrange=True)
    figure.update_layout(clickmode="event+select")
    return finished(figure, height=340)
