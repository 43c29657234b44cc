"""Training as a job, from scratch or by fine-tuning: curves on the way, a model at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.runs import LIVE_COLUMNS, Progress, Status
from cnnkit.training.epoch_weights import EPOCHS_FILE, write_epochs
from cnnkit.training.events import (
    Ended,
    EpochEnded,
    Event,
    FeaturesCached,
    Started,
    StepsEnded,
)
from cnnkit.training.fields import flatten
from cnnkit.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

    from cnnkit.jobs._context import JobContext
    from cnnkit.training.results import BaselinePredictions

ENDINGS = {"paused": Status.PAUSED, "cancelled": Status.CANCELLED}
EPOCHS = "epochs"  # folder of the weights of epochs, until they are stored with the run
FEATURES = "features"  # the stage before the trainable layers train
BASELINE = "before.json"  # predictions of the pretrained network
COUNTS = ("parameters", "trainable", "train_images", "validation_images", "test_images")
LIVE_POINTS = 600  # of a whole run, so that its curve stays quick to read


def run(job: JobContext) -> Status:
    """Train as the recipe in the run's spec says, then evaluate on the test set.

    Features stay in their cache, and every epoch has its checkpoint: an attempt that is
    killed loses one batch of features or one epoch.
    """
    from cnnkit.training import evaluate, fit, recipe_dataset
    from cnnkit.training.checkpoint import saved_phase
    from cnnkit.training.pipeline import read_split
    from cnnkit.training.results import figures, predict_baseline, write_result

    recipe = Recipe.from_dict(job.run.spec)
    job.params(flatten(recipe.to_dict()))
    job.fetch_checkpoint(saved_phase)
    dataset = recipe_dataset(recipe)
    recorder = Recorder(job)
    open_base = _opener(job, recipe.run) if recipe.run else None
    result = fit(
        recipe,
        recorder,
        checkpoint=job.checkpoint,
        control=job.control,
        dataset=dataset,
        base=(lambda: open_base()[0]) if open_base else None,
        epochs_folder=job.folder / EPOCHS,
    )
    if result.ended.reason in ENDINGS:
        return ENDINGS[result.ended.reason]
    images, labels = read_split(dataset, "test")
    predictions = evaluate(result.model, images, labels)
    folder = job.folder / "result"
    write_result(folder, recipe, dataset, result, predictions)
    baseline: BaselinePredictions | None = predict_baseline(recipe, images, open_base)
    if baseline:
        (folder / BASELINE).write_text(baseline.to_json(), encoding="utf-8")
    if result.kept_epochs:
        write_epochs(folder / EPOCHS_FILE, result.kept_epochs)
    _store_files(job, folder)
    recorder.complete(result.history)
    job.metrics(figures(result, predictions))
    job.drop_checkpoint()
    return Status.FINISHED


class Recorder:
    """Turns the events of `fit` into progress and curves of a job's run."""

    def __init__(self, job: JobContext):
        self.job = job
        self._steps_per_epoch = self._epochs = 1
        self._epoch_seconds: list[float] = []
        self._epoch_began = 0.0
        self._logged_step = 0
        self._features: tuple[int, float] | None = None  # those that were there, and since when
        self._computed: dict[str, float] = {}
        self._rows: set[int] = set()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, FeaturesCached):
            self._feature_batch(event)
        elif isinstance(event, Started):
            self._start(event)
        elif isinstance(event, StepsEnded):
            self._steps(event)
        elif isinstance(event, EpochEnded):
            self._epoch(event)
        elif isinstance(event, Ended) and event.best_epoch:
            self.job.log(0, {"best_epoch": event.best_epoch})

    def complete(self, history: Sequence[Mapping[str, float]]) -> None:
        """Log the curves anew where a crash came between a checkpoint and its figures."""
        logged = {row["epoch"] for row in self.job.store.history(self.job.run.id)} | self._rows
        if any(row["epoch"] not in logged for row in history):
            for row in history:
                self._row(row)

    def _feature_batch(self, event: FeaturesCached) -> None:
        self._features = self._features or (event.done, time.monotonic())
        before, began = self._features
        if event.done > before:
            self._computed = {
                "features_computed": event.done - before,
                "features_seconds": time.monotonic() - began,
            }
        rate = event.images_per_second
        self.job.progress(
            Progress(
                stage=FEATURES,
                step=event.done,
                steps=event.total,
                images_per_second=rate,
                seconds_left=(event.total - event.done) / rate if rate else None,
            )
        )

    def _start(self, event: Started) -> None:
        self._steps_per_epoch, self._epochs = event.steps_per_epoch, event.epochs
        self._logged_step = (event.first_epoch - 1) * event.steps_per_epoch
        self._epoch_began = time.monotonic()
        self.job.params({"device": event.device, "train_images": event.train_images})
        self.job.log(0, {name: getattr(event, name) for name in COUNTS} | self._computed)

    def _steps(self, event: StepsEnded) -> None:
        values: dict[str, Any] = {name: getattr(event, name) for name in LIVE_COLUMNS}
        self.job.progress(
            Progress(
                epoch=event.epoch,
                epochs=self._epochs,
                step=event.step,
                steps=event.steps,
                seconds_left=self._seconds_left(event),
                **values,
            )
        )
        if event.step - self._logged_step >= event.steps / LIVE_POINTS:
            self._logged_step = event.step
            self.job.log(event.step, values, live=True)

    def _epoch(self, event: EpochEnded) -> None:
        self._epoch_seconds = [*self._epoch_seconds[-4:], event.seconds]
        self._epoch_began = time.monotonic()
        # Now, and not in the end: a run that is resumed on another machine must have them.
        if (self.job.folder / EPOCHS).is_dir():
            _store_files(self.job, self.job.folder / EPOCHS)
        self._row(event.logs)
        left = event.epochs - event.epoch
        self.job.progress(
            Progress(
                epoch=event.epoch,
                epochs=event.epochs,
                step=event.epoch * self._steps_per_epoch,
                steps=event.epochs * self._steps_per_epoch,
                seconds_left=left * float(np.mean(self._epoch_seconds)),
                learning_rate=event.logs.get("learning_rate"),
                loss=event.logs.get("loss"),
                accuracy=event.logs.get("accuracy"),
            )
        )
        self.job.share_checkpoint(event.epoch)

    def _row(self, row: Mapping[str, float]) -> None:
        epoch = int(row["epoch"])
        self._rows.add(epoch)
        values = {name: value for name, value in row.items() if name != "epoch"}
        # The run's own "seconds" is the sum of these.
        values["epoch_seconds"] = values.pop("seconds")
        self.job.log(epoch, values)

    def _seconds_left(self, event: StepsEnded) -> float:
        done = event.step - (event.epoch - 1) * self._steps_per_epoch
        if self._epoch_seconds:
            epochs_left = self._epochs - event.epoch + 1 - done / self._steps_per_epoch
            return epochs_left * float(np.mean(self._epoch_seconds))
        # The first epoch begins with compiling, which the later ones do not repeat.
        return (event.steps - event.step) / done * (time.monotonic() - self._epoch_began)


def _opener(job: JobContext, run_id: str) -> Callable[[], tuple[keras.Model, Sequence[str]]]:
    """Reads the network of a finished run and the names of its classes."""
    from cnnkit.models import load_model

    def open_run() -> tuple[keras.Model, Sequence[str]]:
        model, card = load_model(job.store.model_folder(run_id))
        return model, card.class_names

    return open_run


def _store_files(job: JobContext, folder: Path) -> None:
    """Move every file of a folder to the run's."""
    for path in sorted(folder.iterdir()):
        job.artifact(path)
        path.unlink()
    folder.rmdir()
