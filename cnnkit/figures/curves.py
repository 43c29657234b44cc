"""Learning curves: of one run, of several, live within an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures.figure_cache import cache_figures
from cnnkit.figures.style import BLUE, FAINT, GRAY, GREEN, ORANGE, SERIES, faded, finished

Rows = Sequence[Mapping[str, float]]

TITLES = {
    "loss": "loss (nats)",
    "accuracy": "accuracy",
    "error": "error",
    "learning_rate": "learning rate",
    "images_per_second": "images / s",
    "seconds": "seconds an epoch",
}
FRACTIONS = ("accuracy", "error")


@cache_figures
def training(
    history: Rows,
    metric: str = "loss",
    *,
    live: Rows = (),
    steps_per_epoch: float | None = None,
    restored: int | None = None,
    unfrozen: Mapping[int, str] | None = None,
    height: int = 300,
):
    """One metric of one run, training and validation, epoch by epoch.

    Args:
        history: one row an epoch: epoch (1-based), `metric`, `val_<metric>` where known.
        metric: "loss", "accuracy" or "error" (1 - accuracy), or another column of `history`.
        live: points within epochs, each with `step` and `metric`; drawn thinly behind.
        steps_per_epoch: batches of an epoch, to place `live` on the axis of epochs.
        restored: epoch (1-based) whose weights were restored; None: the one of the lowest
            validation loss so far is marked.
        unfrozen: words for each moment at which layers were unfrozen, by the number of epochs
            that had ended then.
        height: pixels.

    Returns:
        A Plotly figure.
    """
    figure = go.Figure()
    if live and steps_per_epoch:
        figure.add_scatter(
            x=[row["step"] / steps_per_epoch for row in live],
            y=_column(live, metric),
            name="training, running mean",
            mode="lines",
            line={"color": faded(GRAY, 0.65), "width": 1.3},
            hovertemplate="epoch %{x:.2f}<br>%{y:.4g}<extra></extra>",
        )
    best = restored or _best_epoch(history)
    for name, column, color in (
        ("training", metric, BLUE),
        ("validation", f"val_{metric}", ORANGE),
    ):
        values = _column(history, column)
        if any(value is not None for value in values):
            figure.add_scatter(
                x=[row["epoch"] for row in history],
                y=values,
                name=name,
                mode="lines+markers" if len(history) < 40 else "lines",
                line={"color": color, "width": 2.2},
                marker={"size": 5},
                hovertemplate=f"epoch %{{x}}<br>{name} %{{y{_format(metric)}}}<extra></extra>",
            )
    if best is not None and len(history) > 1:
        figure.add_vline(x=best, line={"color": faded(GREEN, 0.8), "dash": "dot", "width": 1.5})
        rises = metric == "accuracy"  # the word stands where the lines do not end
        figure.add_annotation(
            x=best, y=0 if rises else 1, yref="paper", text="restored" if restored else "best",
            yanchor="bottom" if rises else "top", showarrow=False,
            xanchor="left" if best < len(history) / 2 else "right",
            font={"size": 11},
        )  # fmt: skip
    for epochs, words in (unfrozen or {}).items():
        figure.add_vline(x=epochs, line={"color": GRAY, "dash": "dash", "width": 1.5})
        figure.add_annotation(
            x=epochs, y=0.5, yref="paper", text=words, showarrow=False, textangle=-90,
            xanchor="right", font={"size": 11},
        )  # fmt: skip
    _axes(figure, metric, "epoch")
    return finished(figure, height=height)


def comparison(runs: Mapping[str, Rows], metric: str = "val_loss", *, height: int = 340):
    """One metric of several runs.

    Args:
        runs: name of each run to its history, one row an epoch.
        metric: column, such as "val_loss"; "val_error" is 1 - "val_accuracy".
        height: pixels.
    """
    return lines(
        {
            name: ([row["epoch"] for row in history], _column(history, metric))
            for name, history in runs.items()
        },
        x_title="epoch",
        y_title=("validation " if metric.startswith("val_") else "training ")
        + TITLES.get(metric.removeprefix("val_"), metric),
        percent=metric.removeprefix("val_") in FRACTIONS,
        height=height,
    )


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float | None]]],
    *,
    x_title: str,
    y_title: str,
    percent: bool = False,
    logarithmic: bool = False,
    dashed: Sequence[str] = (),
    colors: Mapping[str, str] | None = None,
    marked: float | None = None,
    markers: bool = False,
    words: Sequence[str] = (),
    height: int = 300,
    y_range: tuple[float, float] | None = None,
):
    """Named lines over a common axis.

    Args:
        series: name to (x, y).
        x_title: of the axis.
        y_title: of the axis.
        percent: the values are fractions and are shown as percent.
        logarithmic: y axis.
        dashed: names of lines to draw dashed.
        colors: by name, where the order of the theme's will not do.
        marked: x at which to draw a thin upright line.
        markers: draw each point too.
        words: of the points of every line, for the mouse; empty: their x.
        height: pixels.
        y_range: of the axis; None: what the values take.
    """
    figure = go.Figure()
    point = "%{text}" if words else f"{x_title} %{{x}}"
    for number, (name, (x, y)) in enumerate(series.items()):
        color = (colors or {}).get(name, SERIES[number % len(SERIES)])
        figure.add_scatter(
            x=list(x),
            y=list(y),
            name=name,
            mode="lines+markers" if markers else "lines",
            line={"color": color, "width": 2.2, "dash": "dot" if name in dashed else "solid"},
            text=list(words) or None,
            hovertemplate=f"{point}<br>%{{y{':.2%' if percent else ':.4g'}}}<extra>{name}</extra>",
        )
    if marked is not None:
        figure.add_vline(x=marked, line={"color": GRAY, "width": 1})
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(
        title=y_title,
        tickformat=".0%" if percent else None,
        type="log" if logarithmic else "linear",
        exponentformat="power",
        range=y_range,
    )
    return finished(figure, height=height)


@cache_figures
def empty_lines(names: Sequence[str], **how: Any) -> go.Figure:
    """Lines without points: what of `lines` stays the same while they grow.

    Args:
        names: of the lines.
        **how: see `lines`.
    """
    return lines({name: ((), ()) for name in names}, **how)


def _axes(figure, metric: str, x_title: str) -> None:
    figure.update_layout(
        xaxis={"title": x_title, "rangemode": "tozero"},
        yaxis={
            "title": TITLES.get(metric, metric),
            "tickformat": ".1%" if metric in FRACTIONS else None,
            "type": "log" if metric == "learning_rate" else "linear",
            "gridcolor": FAINT,
        },
    )


def _format(metric: str) -> str:
    return ":.2%" if metric in FRACTIONS else ":.4g"


def _column(rows: Rows, name: str) -> list[float | None]:
    if name.endswith("error") and not any(name in row for row in rows):
        source = name.replace("error", "accuracy")
        return [None if row.get(source) is None else 1 - row[source] for row in rows]
    return [row.get(name) for row in rows]


def _best_epoch(history: Rows) -> float | None:
    validated = [row for row in history if row.get("val_loss") is not None]
    if not validated:
        return None
    return validated[int(np.argmin([row["val_loss"] for row in validated]))]["epoch"]
