"""What is known about one run, and how it is written into MLflow's tags."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.entities import Run as MlflowRun

PREFIX = "cnnkit."
LIVE_PREFIX = "live/"  # metrics of this prefix are points within an epoch

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


class Status(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def over(self) -> bool:
        """Nothing more happens unless somebody resumes it."""
        return self not in (Status.QUEUED, Status.RUNNING)

    @property
    def resumable(self) -> bool:
        """Whether it can go on from its last checkpoint, or from the start without one."""
        return self.over and self is not Status.FINISHED

    @property
    def in_mlflow(self) -> str:
        """The nearest of MLflow's own states, for `mlflow ui`."""
        return _IN_MLFLOW[self]


_IN_MLFLOW = {
    Status.QUEUED: "SCHEDULED",
    Status.RUNNING: "RUNNING",
    Status.PAUSED: "SCHEDULED",
    Status.FINISHED: "FINISHED",
    Status.FAILED: "FAILED",
    Status.CANCELLED: "KILLED",
    Status.INTERRUPTED: "KILLED",
}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a running job is. What a kind of job has no word for stays None."""

    stage: str = ""  # what comes before the first epoch: "features"; empty: epochs
    epoch: int = 0  # 1-based, the running one
    epochs: int = 0  # in all
    step: int = 0  # batches done since the first epoch began
    steps: int = 0  # batches in all
    images_per_second: float | None = None
    seconds_left: float | None = None
    learning_rate: float | None = None  # per step
    loss: float | None = None  # mean of this epoch so far
    accuracy: float | None = None  # 0 to 1, mean of this epoch so far

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, self.step / self.steps) if self.steps else 0.0


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run, as it stood when it was read."""

    id: str
    name: str
    kind: str  # "train", or another registered kind of job
    status: Status
    spec: Mapping[str, Any]  # what to do; for "train" it is `Recipe.to_dict()`
    progress: Progress | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)  # the last value of each
    created: datetime | None = None
    started: datetime | None = None  # of the first attempt
    ended: datetime | None = None
    attempt: int = 0  # how often it was begun
    reason: str = ""  # why it failed or was interrupted; one sentence first
    note: str = ""  # what its person should know, however it ended: progress that was lost
    wish: str | None = None  # "pause" or "cancel": asked for, not yet done
    starter: bool = False  # the model that ships with cnnkit; it cannot be changed
    heartbeat: datetime | None = None  # last sign of life of its child process
    lease: str = ""  # which attempt may write it
    ticket: int = 0  # how often it was queued
    queued: datetime | None = None  # when it was queued last
    offered: int = 0  # the ticket with which it was offered to the slots
    task: str = ""  # the slot's task that began it
    turn: int = 0  # in which round of the queue it is served (see `cnnkit.jobs.turns`)
    host: str = ""  # where its child runs
    pid: int | None = None
    pid_created: float | None = None  # seconds since 1970, tells a reused pid
    checkpoint: str = ""  # artifact, where checkpoints are shared between machines
    owner: str = ""  # id of the person who made it; "": the local one (see `cnnkit.people`)
    owner_name: str = ""  # for people

    @property
    def epochs(self) -> int | None:
        """Epochs in all, those of all phases together; None: this kind of job has none."""
        phases = self.spec.get("phases")
        if phases:
            return sum(phase.get("epochs") or self.spec.get("epochs") or 0 for phase in phases)
        in_progress = self.progress.epochs if self.progress else None
        return self.spec.get("epochs") or in_progress or None

    @property
    def split(self) -> str:
        """How many images each part of the data set really had, in words; empty: not recorded.

        Says so where the recipe asks for more than the data set has.
        """
        sizes = [
            f"{int(self.metrics[name]):,} images for {words}"
            for name, words in _PARTS.items()
            if name in self.metrics
        ]
        asked = {"training": "train", "validation": "validation"}
        adapted = [
            f"{size:,} for {words}"
            for words, part in asked.items()
            if (size := self.spec.get(f"{part}_size")) is not None
            and size != self.metrics.get(f"{part}_images", size)
        ]
        remark = f" (the recipe's {' and '.join(adapted)} did not fit)" if adapted else ""
        return ", ".join(sizes) + remark

    def facts(self) -> dict[str, str]:
        """What an event in the log says of the run it is about."""
        return {"run": self.id, "kind": self.kind} | ({"person": self.owner} if self.owner else {})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them."""
        values = {name: getattr(self, name) for name in _PRINTED}
        values["progress"] = dataclasses.asdict(self.progress) if self.progress else None
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()
        }


_PARTS = {
    "train_images": "training",
    "validation_images": "validation",
    "test_images": "the test",
}
_PRINTED = (
    "id name kind status spec progress metrics created started ended attempt reason note wish "
    "starter"
).split()


def to_tags(values: Mapping[str, Any]) -> dict[str, str]:
    """Tags for MLflow from fields of `Run`; an empty tag stands for None."""
    return {PREFIX + name: _to_text(name, value) for name, value in values.items()}


def from_mlflow(record: MlflowRun) -> Run | None:
    """The run that an MLflow run stands for, or None where cnnkit did not write it."""
    tags = {
        name.removeprefix(PREFIX): value
        for name, value in record.data.tags.items()
        if name.startswith(PREFIX) and value != ""
    }
    if "kind" not in tags:
        return None
    fields = {name: _READERS.get(name, str)(text) for name, text in tags.items() if name in _TAGS}
    if fields["status"].over:
        fields.pop("wish", None)  # one that came too late to be read is void
    return Run(
        id=record.info.run_id,
        name=record.info.run_name or record.info.run_id,
        metrics={k: v for k, v in record.data.metrics.items() if not k.startswith(LIVE_PREFIX)},
        created=_time(record.info.start_time / 1000),
        **fields,
    )


def _progress(text: str) -> Progress:
    values = json.loads(text)
    if "pictures_per_second" in values:  # as earlier versions wrote it
        values["images_per_second"] = values.pop("pictures_per_second")
    return Progress(**values)


def _to_text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Progress):
        return json.dumps(dataclasses.asdict(value))
    if isinstance(value, datetime):
        return repr(value.timestamp())
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True)
    # MLflow takes tags of 8,000 characters; a traceback may be longer.
    return str(value)[-4000:] if name == "reason" else str(value)


def _time(seconds: float | str) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


_TAGS = {one.name for one in dataclasses.fields(Run)}  # as fields of which tags are read
_READERS: dict[str, Callable[[str], Any]] = {
    "status": Status,
    "spec": json.loads,
    "progress": _progress,
    **dict.fromkeys(("attempt", "ticket", "offered", "turn", "pid"), int),
    "pid_created": float,
    **dict.fromkeys(("started", "ended", "heartbeat", "queued"), _time),
}


def to_rows(histories: Mapping[str, Sequence[Metric]], index: str) -> list[dict[str, float]]:
    """One row a step, from the points of each column; `index` names the step's own column.

    MLflow keeps every point that was ever logged. An epoch that was interrupted and trained
    again has two sets of points: the later ones replace the earlier.
    """
    points: dict[int, dict[str, float]] = {}
    written: dict[int, int] = {}
    for column, metrics in histories.items():
        for metric in sorted(metrics, key=lambda metric: metric.timestamp):
            points.setdefault(metric.step, {})[column] = metric.value
            written[metric.step] = max(written.get(metric.step, 0), metric.timestamp)
    steps: list[int] = []
    for step in sorted(points, key=lambda step: (written[step], step)):
        while steps and steps[-1] >= step:
            steps.pop()
        steps.append(step)
    return [{index: step, **points[step]} for step in steps]


def thin(rows: list[dict[str, float]], most: int) -> list[dict[str, float]]:
    """At most about `most` rows, evenly chosen, always with the last one."""
    stride = -(-len(rows) // most) if rows else 1
    return rows[::-stride][::-1]
