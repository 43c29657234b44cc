"""Curves of several training runs, with their mean and their spread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures.style import SERIES, faded, finished


@dataclass(frozen=True, kw_only=True, eq=False)
class SeedCurves:
    """The runs of one way of training."""

    title: str
    color: str  # of the form #RRGGBB
    runs: Sequence[tuple[np.ndarray, np.ndarray]]  # (x, y) of each, y is 0 to 1
    names: Sequence[str]  # of the runs
    published: Sequence[tuple[float, float, str]] = ()  # x, y and words


def curves_by_seed(
    bundles: Sequence[SeedCurves], *, x_title: str, y_title: str, log: bool
) -> go.Figure:
    """The chart.

    Args:
        bundles: of runs that have the same number of points each.
        x_title: of the axis.
        y_title: of the axis.
        log: whether x is logarithmic.
    """
    figure = go.Figure()
    for bundle in bundles:
        title, group = bundle.title, {"legendgroup": bundle.title}
        for name, (x, y) in zip(bundle.names, bundle.runs, strict=True):
            line = {"color": faded(bundle.color, 0.38), "width": 1}
            hover = f"{title}, {name}: %{{y:.1%}} at %{{x:.4g}}<extra></extra>"
            figure.add_scatter(
                x=x, y=y, mode="lines", line=line, showlegend=False, hovertemplate=hover, **group
            )
    for bundle in bundles:  # over all thin lines
        title, group = bundle.title, {"legendgroup": bundle.title}
        if bundle.runs:
            # Points of equal number are averaged: equal epochs, whatever seconds they took.
            x, y = (np.mean([run[axis] for run in bundle.runs], axis=0) for axis in (0, 1))
            figure.add_scatter(
                x=x,
                y=y,
                mode="lines",
                name=f"{title}, mean of {len(bundle.runs)}",
                line={"color": bundle.color, "width": 4},
                hovertemplate=f"{title}, mean: %{{y:.1%}} at %{{x:.4g}}<extra></extra>",
                **group,
            )
        if bundle.published:
            x, y, words = zip(*bundle.published, strict=True)
            rim = {"color": "white", "width": 1.5}
            figure.add_scatter(
                x=x,
                y=y,
                mode="markers",
                name=f"{title}, published",
                marker={"symbol": "diamond", "size": 13, "color": bundle.color, "line": rim},
                customdata=words,
                hovertemplate="%{customdata}: %{y:.1%}<extra></extra>",
                **group,
            )
    figure.update_xaxes(title=x_title, type="log" if log else "linear", fixedrange=True)
    figure.update_yaxes(title=y_title, tickformat=".0%", range=[0.25, 1.03], fixedrange=True)
    finished(figure, height=430)
    return figure.update_layout(hovermode="closest")


def data_and_depth(reached: Iterable[Any], methods: Iterable[str]) -> go.Figure:
    """Accuracy over the size of the training set: means as lines, the range as a band.

    Args:
        reached: trainings with `method` (which line), `per_class` (training images of each
            class) and `accuracy` (0 to 1), in any order; several of a kind are spread.
        methods: lines, in their order; those without a training are left out.
    """
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in reached:
        values[one.method][one.per_class].append(100 * one.accuracy)
    figure = go.Figure()
    for method, color in zip(methods, SERIES, strict=False):
        if method in values:
            _line(figure, method, dict(sorted(values[method].items())), color)
    counts = sorted({count for by_count in values.values() for count in by_count})
    figure.update_xaxes(
        title={"text": "training images of each class"},
        type="log",
        tickvals=counts,
        ticktext=list(map(str, counts)),
        fixedrange=True,
    )
    figure.update_yaxes(title={"text": "accuracy on test images"}, ticksuffix=" %", fixedrange=True)
    return finished(figure, height=380)


def _line(figure: go.Figure, method: str, by_count: dict[int, list[float]], color: str) -> None:
    counts = list(by_count)
    if any(len(values) > 1 for values in by_count.values()):
        low, high = map(min, by_count.values()), map(max, by_count.values())
        figure.add_scatter(
            x=[*counts, *reversed(counts)],
            y=[*high, *reversed(list(low))],
            fill="toself",
            fillcolor=faded(color, 0.15),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=method,
            name=method,
        )
    figure.add_scatter(
        x=counts,
        y=[mean(values) for values in by_count.values()],
        mode="lines+markers",
        name=method,
        legendgroup=method,
        line={"color": color, "width": 2},
        customdata=[
            f"{len(values)} trainings, {min(values):.1f} to {max(values):.1f} %"
            if len(values) > 1
            else "one training"
            for values in by_count.values()
        ],
        hovertemplate="%{x} of each class: %{y:.1f} % (%{customdata})",
    )
