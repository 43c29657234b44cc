"""When networks take off: every run thin, their mean thick, what was published beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures._style import faded, finished


@dataclass(frozen=True, kw_only=True, eq=False)
class Bundle:
    """The runs of one way to learn."""

    title: str
    colour: str  # of the form #RRGGBB
    runs: Sequence[tuple[np.ndarray, np.ndarray]]  # (x, y) of each, y is 0 to 1
    names: Sequence[str]  # of the runs
    published: Sequence[tuple[float, float, str]] = ()  # x, y and words


def take_off(bundles: Sequence[Bundle], *, x_title: str, y_title: str, log: bool) -> go.Figure:
    """The chart.

    Args:
        bundles: of runs that have the same number of points each.
        x_title: of the axis.
        y_title: of the axis.
        log: whether x is logarithmic.
    """
    figure = go.Figure()
    for bundle in bundles:
        for name, (x, y) in zip(bundle.names, bundle.runs, strict=True):
            figure.add_trace(_thin(bundle, name, x, y))
    for bundle in bundles:
        if bundle.runs:
            figure.add_trace(_thick(bundle))
        if bundle.published:
            figure.add_trace(_published(bundle))
    figure.update_xaxes(title=x_title, type="log" if log else "linear", fixedrange=True)
    figure.update_yaxes(title=y_title, tickformat=".0%", range=[0.25, 1.03], fixedrange=True)
    finished(figure, height=430)
    return figure.update_layout(hovermode="closest")


def _thin(bundle: Bundle, name: str, x: np.ndarray, y: np.ndarray) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": faded(bundle.colour, 0.38), "width": 1},
        legendgroup=bundle.title,
        showlegend=False,
        hovertemplate=f"{bundle.title}, {name}: %{{y:.1%}} at %{{x:.4g}}<extra></extra>",
    )


def _thick(bundle: Bundle) -> go.Scatter:
    """Points of equal number are averaged: equal epochs, whatever seconds they took."""
    x, y = (np.mean([run[axis] for run in bundle.runs], axis=0) for axis in (0, 1))
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        name=f"{bundle.title}, mean of {len(bundle.runs)}",
        line={"color": bundle.colour, "width": 4},
        legendgroup=bundle.title,
        hovertemplate=f"{bundle.title}, mean: %{{y:.1%}} at %{{x:.4g}}<extra></extra>",
    )


def _published(bundle: Bundle) -> go.Scatter:
    return go.Scatter(
        x=[x for x, _, _ in bundle.published],
        y=[y for _, y, _ in bundle.published],
        mode="markers",
        name=f"{bundle.title}, published",
        marker={
            "symbol": "diamond",
            "size": 13,
            "color": bundle.colour,
            "line": {"color": "white", "width": 1.5},
        },
        legendgroup=bundle.title,
        customdata=[words for *_, words in bundle.published],
        hovertemplate="%{customdata}: %{y:.1%}<extra></extra>",
    )
