"""Fine-tuning as a job: features first, then curves, then the network and its mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cnnkit.jobs.kinds.train import ENDINGS, Recorder, store_files
from cnnkit.runs import Status
from cnnkit.training.transfer.recipe import TransferRecipe

if TYPE_CHECKING:
    import keras

    from cnnkit.jobs._context import JobContext
    from cnnkit.training.transfer.baseline_predictions import Before

BEFORE = "before.json"


def run(job: JobContext) -> Status:
    """Fine-tune as the recipe in the run's spec says, then evaluate on the test part.

    What was computed below the frozen layers stays where it is kept, and every epoch has its
    checkpoint: an attempt that is killed loses one batch of features or one epoch.
    """
    from cnnkit.training import evaluate
    from cnnkit.training.memmap import part_of
    from cnnkit.training.results import figures, write_result
    from cnnkit.training.transfer import fine_tune, transfer_dataset
    from cnnkit.training.transfer.baseline_predictions import answers_before

    recipe = TransferRecipe.from_dict(job.run.spec)
    job.params(_flat(recipe))
    job.fetch_checkpoint()
    dataset = transfer_dataset(recipe)
    recorder = Recorder(job)
    opened = _opener(job, recipe.run) if recipe.run else None
    result = fine_tune(
        recipe,
        recorder,
        checkpoint=job.checkpoint,
        control=job.control,
        dataset=dataset,
        base=(lambda: opened()[0]) if opened else None,
    )
    if result.ended.reason in ENDINGS:
        return ENDINGS[result.ended.reason]
    images, labels = part_of(dataset, "test")
    evaluation = evaluate(result.model, images, labels)
    folder = job.folder / "result"
    write_result(folder, recipe, dataset, result, evaluation)
    before: Before | None = answers_before(recipe, images, opened)
    if before:
        (folder / BEFORE).write_text(before.to_json(), encoding="utf-8")
    store_files(job, folder)
    recorder.complete(result.history)
    job.metrics(figures(result, evaluation))
    job.drop_checkpoint()
    return Status.FINISHED


def _opener(job: JobContext, run_id: str) -> Callable[[], tuple[keras.Model, Sequence[str]]]:
    """Reads the network of a finished run and the names of its classes."""
    from cnnkit.models import load_model

    def opened() -> tuple[keras.Model, Sequence[str]]:
        model, card = load_model(job.store.model_folder(run_id))
        return model, card.class_names

    return opened


def _flat(recipe: TransferRecipe) -> dict[str, object]:
    """For comparing runs in MLflow: nested fields with dotted names."""
    values: dict[str, object] = {}
    for name, value in recipe.to_dict().items():
        if name == "phases":
            for number, phase in enumerate(value, start=1):
                values |= {f"phase{number}.{key}": inner for key, inner in phase.items()}
        elif isinstance(value, dict):
            values |= {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            values[name] = value
    return values
