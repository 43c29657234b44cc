"""The experiment "What do the convolutions add?" as a job: twenty small trainings.

Each finished training is kept with the run as a file. That is the checkpoint: what is
there is not trained again, and the page draws it while the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnnkit.backprop.experiment import (
    TRAINED_LAYERS,
    ExperimentPlan,
    TrainingCurve,
    curve,
    curves_of,
    mean_at,
    train_network,
)
from cnnkit.errors import CorruptRunError
from cnnkit.files import write_atomic
from cnnkit.runs import Progress, RunStore, Status

if TYPE_CHECKING:
    from cnnkit.jobs._context import JobContext


def run(job: JobContext) -> Status:
    """Train what is missing; a pause waits for the end of a training, cancelling does not."""
    plan = ExperimentPlan.from_dict(job.run.spec)
    job.params(plan.to_dict())
    curves = kept_curves(job.store, job.run.id, plan)
    status = job.drive(_train(job, plan, curves))
    if status is Status.FINISHED:
        job.metrics(_figures(plan, list(curves.values())))
    return status


def kept_curves(
    store: RunStore, run_id: str, plan: ExperimentPlan
) -> dict[tuple[str, int], TrainingCurve]:
    """The trainings of a run that are finished and can be read, by trained layers and seed."""
    curves = {}
    for layers, seed in plan.units:
        try:
            content = store.artifact(run_id, curve_file(layers, seed)).read_bytes()
            curves[layers, seed] = TrainingCurve.from_bytes(content)
        except (CorruptRunError, OSError, ValueError):
            continue  # not there yet, or damaged: it is trained again
    return curves


def curve_file(layers: str, seed: int) -> str:
    """What the file of a training is called."""
    return f"curve-{layers.partition(' ')[0]}-{seed}.npz"


def _train(
    job: JobContext, plan: ExperimentPlan, curves: dict[tuple[str, int], TrainingCurve]
) -> Iterator[Progress | None]:
    """Train one network after the other and add its curve; see `JobContext.drive`."""
    total = len(plan.units)
    for layers, seed in [unit for unit in plan.units if unit not in curves]:
        yield None
        epochs = []
        for epoch in train_network(plan, layers, seed):
            epochs.append(epoch)
            yield Progress(
                epoch=len(curves) + 1,
                epochs=total,
                step=len(curves) * plan.epochs + epoch.number,
                steps=total * plan.epochs,
                loss=epoch.loss,
                accuracy=epoch.accuracy,
            )
        curves[layers, seed] = curve(layers, seed, epochs)
        _keep(job, curves[layers, seed])


def _keep(job: JobContext, training: TrainingCurve) -> None:
    path = job.folder / curve_file(training.layers, training.seed)
    write_atomic(path, training.to_bytes())
    job.artifact(path)
    path.unlink()


def _figures(plan: ExperimentPlan, curves: list[TrainingCurve]) -> dict[str, float]:
    """Means over the seeds after the last epoch."""
    return {
        f"{layers.partition(' ')[0]}_{measure}": mean
        for layers in TRAINED_LAYERS
        for measure in ("probability", "accuracy")
        if (mean := mean_at(curves_of(curves, layers), plan.epochs, measure)) is not None
    }
