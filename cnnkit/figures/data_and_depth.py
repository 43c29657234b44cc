"""Accuracy over the number of images, one line for each depth, with its spread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import mean
from typing import Protocol

from plotly import graph_objects as go

from cnnkit.figures._style import SERIES, faded, finished


class Reached(Protocol):
    """What one training reached."""

    @property
    def way(self) -> str:
        """Which line."""
        ...

    @property
    def per_class(self) -> int:
        """Images of each class that it learnt from."""
        ...

    @property
    def accuracy(self) -> float:
        """0 to 1."""
        ...


def data_and_depth(reached: Iterable[Reached], ways: Iterable[str]) -> go.Figure:
    """Means as lines, all that was reached as a band from the lowest to the highest.

    Args:
        reached: the trainings, in any order; several of a kind are spread.
        ways: lines, in their order; those without a training are left out.
    """
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in reached:
        values[one.way][one.per_class].append(100 * one.accuracy)
    figure = go.Figure()
    for way, colour in zip(ways, SERIES, strict=False):
        if way in values:
            _line(figure, way, dict(sorted(values[way].items())), colour)
    counts = sorted({count for by_count in values.values() for count in by_count})
    figure.update_xaxes(
        title={"text": "images of each class to learn from"},
        type="log",
        tickvals=counts,
        ticktext=list(map(str, counts)),
        fixedrange=True,
    )
    figure.update_yaxes(title={"text": "accuracy on test images"}, ticksuffix=" %", fixedrange=True)
    return finished(figure, height=380)


def _line(figure: go.Figure, way: str, by_count: dict[int, list[float]], colour: str) -> None:
    counts = list(by_count)
    if any(len(values) > 1 for values in by_count.values()):
        low, high = map(min, by_count.values()), map(max, by_count.values())
        figure.add_scatter(
            x=[*counts, *reversed(counts)],
            y=[*high, *reversed(list(low))],
            fill="toself",
            fillcolor=faded(colour, 0.15),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=way,
            name=way,
        )
    figure.add_scatter(
        x=counts,
        y=[mean(values) for values in by_count.values()],
        mode="lines+markers",
        name=way,
        legendgroup=way,
        line={"color": colour, "width": 2},
        customdata=[
            f"{len(values)} trainings, {min(values):.1f} to {max(values):.1f} %"
            if len(values) > 1
            else "one training"
            for values in by_count.values()
        ],
        hovertemplate="%{x} of each class: %{y:.1f} % (%{customdata})",
    )
