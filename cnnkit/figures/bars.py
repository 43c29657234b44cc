"""Bars: probabilities and logits, numbers of both signs, and costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures.figure_cache import cache_figures
from cnnkit.figures.style import BLUE, FAINT, GRAY, GREEN, ORANGE, SERIES, faded, finished, tight

CATEGORIES = {"type": "category", "fixedrange": True, "showgrid": False}


@cache_figures
def probability_bars(values: np.ndarray, class_names: Sequence[str], *, height: int = 170):
    """The probabilities of one network: a bar for each class, the largest in full color.

    Args:
        values: (classes,), 0 to 1.
        class_names: below the bars.
        height: pixels.
    """
    values = np.asarray(values, dtype=float)
    texts = [f"{100 * value:.0f}" if value >= 0.005 else "" for value in values]
    figure = _upright(values, class_names, _emphasized(len(values), int(values.argmax())), texts)
    figure.update_traces(textfont={"size": 10}, hovertemplate="%{x}: %{y:.2%}<extra></extra>")
    figure.update_layout(yaxis_range=[0, 1.15], bargap=0.18)
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
    reach = max(float(np.abs(values).max()), 1e-9)
    fitting = min(0.0, 1.25 * values.min()), max(1.25 * values.max(), 0.15 * reach)
    figure = _upright(values, names, colors, [format(value, form) for value in values])
    figure.update_traces(hovertemplate="%{x}: %{y:.4g}<extra></extra>")
    figure.update_layout(yaxis_range=list(limits or fitting), bargap=0.3)
    figure.add_hline(y=0, line={"color": GRAY, "width": 1})
    return finished(figure, height=height, legend=False)


@cache_figures
def histogram(values: np.ndarray, title: str, *, bins: int = 40, height: int = 160):
    """How often numbers of each size occur: those above zero in blue, the others in orange.

    Args:
        values: any number of them.
        title: of the axis.
        bins: at most so many bars; zero is an edge between two of them.
        height: pixels.
    """
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    width = (high - low) / bins or 1.0
    edges = width * np.arange(np.floor(low / width), np.ceil(high / width) + 1)
    edges = edges if len(edges) > 1 else np.array([-width, 0.0, width])
    counts, _ = np.histogram(values, edges)
    middles = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure(
        go.Bar(
            x=middles,
            y=counts,
            width=width,
            marker={"color": [BLUE if middle > 0 else ORANGE for middle in middles]},
            hovertemplate="%{x:.3g}: %{y} values<extra></extra>",
        )
    )
    figure.update_xaxes(title=title, fixedrange=True, showgrid=False)
    # A map after ReLU is mostly zeros: on a linear scale nothing else would be seen.
    figure.update_yaxes(type="log", visible=False, fixedrange=True)
    return finished(figure.update_layout(bargap=0), height=height, legend=False)


def _upright(
    values: np.ndarray, names: Sequence[str], colors: Sequence[str], texts: Sequence[str]
) -> go.Figure:
    bars = go.Bar(
        x=list(names),
        y=values,
        marker={"color": list(colors), "cornerradius": 3},
        text=list(texts),
        textposition="outside",
        cliponaxis=False,
    )
    return go.Figure(bars).update_layout(
        xaxis=CATEGORIES, yaxis={"visible": False, "fixedrange": True}
    )


def _emphasized(count: int, best: int) -> list[str]:
    return [BLUE if i == best else faded(BLUE, 0.45) for i in range(count)]


@cache_figures
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
        marker={"color": _emphasized(len(values), 0), "cornerradius": 3},
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


@cache_figures
def class_bars(
    values: np.ndarray,
    class_names: Sequence[str],
    title: str,
    *,
    percent: bool = False,
    true: int | None = None,
) -> go.Figure:
    """One bar a class, from left to right; the largest stands out.

    Args:
        values: (classes,), logits or probabilities.
        class_names: (classes,).
        title: of the figure.
        percent: values are 0 to 1 and are written in percent.
        true: index of the true class, marked; None: not known.
    """
    form = ".1%" if percent else ".2f"
    names = [f"{name} ✓" if i == true else name for i, name in enumerate(class_names)]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker={"color": _emphasized(len(names), int(np.argmax(values))), "cornerradius": 3},
            text=[format(float(value), form) for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}: %{{x:{form}}}<extra></extra>",
        )
    )
    low, high = float(min(values.min(), 0)), float(max(values.max(), 0))
    room = 0.16 * (high - low or 1)
    figure.update_xaxes(
        range=[low - (room if low < 0 else 0), high + room], showticklabels=False, fixedrange=True
    )
    figure.update_yaxes(autorange="reversed", type="category", fixedrange=True)
    figure.update_layout(title={"text": title, "font": {"size": 14}, "x": 0}, bargap=0.35)
    return tight(figure, height=60 + 26 * len(names), top=36)


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
    for which, (title, color) in enumerate(zip(titles, (BLUE, ORANGE), strict=True)):
        figure.add_bar(
            x=[pair[which] / max(*pair, 1e-9) for pair in values.values()],
            y=list(values),
            name=title,
            orientation="h",
            marker={"color": color, "cornerradius": 3},
            text=[words[name](pair[which]) for name, pair in values.items()],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{text}<extra>" + title + "</extra>",
        )
    figure.update_layout(
        barmode="group",
        bargap=0.3,
        xaxis={"visible": False, "range": [0, 1.2], "fixedrange": True},
        yaxis={"autorange": "reversed", "fixedrange": True, "showgrid": False},
        legend={"traceorder": "normal"},
    )
    return finished(figure, height=60 + 58 * len(values))


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
    sizes = {"title": unit, "fixedrange": True, "rangemode": "tozero", "gridcolor": FAINT}
    if horizontal:  # with room for the words behind the longest bar
        sizes["range"] = [0, 1.3 * (float(totals.max()) or 1.0)]
        figure.update_layout(xaxis=sizes, yaxis=CATEGORIES | {"autorange": "reversed"})
    else:
        figure.update_layout(xaxis=CATEGORIES, yaxis=sizes)
    figure.update_layout(barmode="stack", bargap=0.3)
    finished(figure, height=height)
    # Named from the root of a bar to its end.
    return figure.update_layout(legend_traceorder="normal")
