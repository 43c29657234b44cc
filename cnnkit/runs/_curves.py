"""Curves of a run, put together from MLflow's metric histories.

MLflow keeps every point that was ever logged. An epoch that was interrupted and trained
again has two sets of points: the later ones replace the earlier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cnnkit.runs._record import LIVE_PREFIX

if TYPE_CHECKING:
    from mlflow.entities import Metric

# A column of `history`, and the metric that holds it. The run's own "seconds" is the sum.
HISTORY = {
    "loss": "loss",
    "accuracy": "accuracy",
    "val_loss": "val_loss",
    "val_accuracy": "val_accuracy",
    "val_error": "val_error",
    "val_true_probability": "val_true_probability",
    "learning_rate": "learning_rate",
    "seconds": "epoch_seconds",
}
LIVE_COLUMNS = {
    name: LIVE_PREFIX + name for name in ("loss", "accuracy", "images_per_second", "learning_rate")
}

# Metric -> what earlier versions logged it as.
FORMER = {f"{LIVE_PREFIX}images_per_second": f"{LIVE_PREFIX}pictures_per_second"}


def to_rows(histories: Mapping[str, Sequence[Metric]], index: str) -> list[dict[str, float]]:
    """One row a step, from columns of MLflow metrics.

    Args:
        histories: the points of each column, in any order.
        index: what a step is called in the rows: "epoch" or "step".
    """
    points: dict[int, dict[str, float]] = {}
    written: dict[int, int] = {}
    for column, metrics in histories.items():
        for metric in sorted(metrics, key=lambda metric: metric.timestamp):
            points.setdefault(metric.step, {})[column] = metric.value
            written[metric.step] = max(written.get(metric.step, 0), metric.timestamp)
    kept: list[int] = []
    for step in sorted(points, key=lambda step: (written[step], step)):
        while kept and kept[-1] >= step:
            kept.pop()
        kept.append(step)
    return [{index: step, **points[step]} for step in kept]


def thin(rows: list[dict[str, float]], most: int) -> list[dict[str, float]]:
    """At most about `most` rows, evenly chosen, always with the last one."""
    stride = -(-len(rows) // most) if rows else 1
    return rows[::-stride][::-1]
