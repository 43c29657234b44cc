"""The experiment "What do the convolutions add?" as a job: twenty small trainings.

Each finished training is kept with the run as a file. That is the checkpoint: what is
there is not trained again, and the page draws it while the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cnnkit.backprop.experiment import (
    WAYS,
    ExperimentPlan,
    TrainingCurve,
    curve,
    mean_at,
    of_way,
    train_network,
)
from cnnkit.errors import CorruptRunError
from cnnkit.files import write_atomic
from cnnkit.runs import Progress, RunStore, Status

if TYPE_CHECKING:
    from cnnkit.jobs._context import JobContext


def run(job: JobContext) -> Status:
    """Train what lacks; a pause waits for the end of a training, cancelling does not."""
    plan = ExperimentPlan.from_dict(job.run.spec)
    job.params(plan.to_dict())
    found = kept_curves(job.store, job.run.id, plan)
    work = ExperimentRun(job, plan, len(found))
    for way, seed in plan.units:
        if (way, seed) in found:
            continue
        made = work.make(way, seed)
        if made is None:
            return Status.CANCELLED
        found[way, seed] = made
        _keep(job, made)
        if job.control() == "pause" and len(found) < len(plan.units):
            return Status.PAUSED
    job.metrics(_figures(plan, found))
    return Status.FINISHED


def kept_curves(
    store: RunStore, run_id: str, plan: ExperimentPlan
) -> dict[tuple[str, int], TrainingCurve]:
    """The trainings of a run that are finished and can be read, by way and seed."""
    found = {}
    for way, seed in plan.units:
        try:
            content = store.artifact(run_id, curve_file(way, seed)).read_bytes()
            found[way, seed] = TrainingCurve.from_bytes(content)
        except (CorruptRunError, OSError, ValueError):
            continue  # not there yet, or damaged: it is trained again
    return found


def curve_file(way: str, seed: int) -> str:
    """What the file of a training is called."""
    return f"curve-{way.partition(' ')[0]}-{seed}.npz"


class ExperimentRun:
    """Trains one network after the other, and tells how far it is.

    Args:
        job: that is told.
        plan: what is trained.
        done: trainings that were there before.
    """

    def __init__(self, job: JobContext, plan: ExperimentPlan, done: int):
        """Nothing is trained yet."""
        self.job, self.plan, self.done = job, plan, done
        self._before = done
        self._began = time.monotonic()

    def make(self, way: str, seed: int) -> TrainingCurve | None:
        """Train one network; None: cancelled meanwhile."""
        epochs = []
        for epoch in train_network(self.plan, way, seed):
            if self.job.control() == "cancel":
                return None
            epochs.append(epoch)
            self._tell(epoch.number, epoch.loss, epoch.accuracy)
        self.done += 1
        return curve(way, seed, epochs)

    def _tell(self, number: int, loss: float, accuracy: float) -> None:
        total, done = len(self.plan.units), self.done + number / self.plan.epochs
        pace = (time.monotonic() - self._began) / (done - self._before)
        self.job.progress(
            Progress(
                epoch=self.done + 1,
                epochs=total,
                step=round(done * self.plan.epochs),
                steps=total * self.plan.epochs,
                seconds_left=pace * (total - done),
                loss=loss,
                accuracy=accuracy,
            )
        )


def _keep(job: JobContext, made: TrainingCurve) -> None:
    path = job.folder / curve_file(made.way, made.seed)
    write_atomic(path, made.to_bytes())
    job.artifact(path)
    path.unlink()


def _figures(
    plan: ExperimentPlan, found: Mapping[tuple[str, int], TrainingCurve]
) -> dict[str, float]:
    """Means over the seeds after the last epoch."""
    curves = list(found.values())
    return {
        f"{way.partition(' ')[0]}_{measure}": mean
        for way in WAYS
        for measure in ("probability", "accuracy")
        if (mean := mean_at(of_way(curves, way), plan.epochs, measure)) is not None
    }
