"""Callbacks of Keras's `fit`: validate, keep the best weights, save, stop, report."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from cnnkit.training._compile import main_figures, without_auxiliary
from cnnkit.training.checkpoint import TrainingState, save_checkpoint
from cnnkit.training.epoch_weights import EpochWeights
from cnnkit.training.events import EpochEnded, Report, StepsEnded
from cnnkit.training.pipeline import BatchStream, ImageArray
from cnnkit.training.predictions import Evaluator
from cnnkit.training.recipe import Recipe, Stopping

Control = Callable[[], str | None]

REPORT_SECONDS = 0.3  # between two reports within an epoch


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """A network and batches: what one phase trains.

    Args:
        recipe: how to train; `epochs` are those of this phase.
        model: compiled.
        batches: the stream.
        validation: images, or the features that the network takes instead, and labels.
        identity: of all that decides the result; checkpoints of others are refused.
        parameters: of the whole network.
        epochs: of all phases.
        test_images: held out for the test.
        kept: writes the weights of some epochs.
    """

    recipe: Recipe
    model: keras.Model
    batches: BatchStream
    validation: tuple[ImageArray, np.ndarray]
    identity: str
    parameters: int
    epochs: int
    test_images: int
    kept: EpochWeights | None = None


class EpochCallback(keras.callbacks.Callback):
    """Ends each epoch: validation, best weights, stopping rule, checkpoint, report.

    Args:
        task: what is trained.
        state: changed as epochs end.
        rule: says when to stop.
        checkpoint: file to rewrite after each epoch, or None.
        report: called with an event.
        control: asked for "pause" or "cancel".
    """

    def __init__(
        self,
        task: Task,
        state: TrainingState,
        rule: StoppingRule,
        checkpoint: Path | None,
        report: Report,
        control: Control,
    ):
        super().__init__()
        self.task, self.recipe, self.state, self.rule = task, task.recipe, state, rule
        self.checkpoint, self.report, self.control = checkpoint, report, control
        self.reason = "finished"

    def on_train_begin(self, logs=None):
        """Compile the validation once for the whole training."""
        self._evaluate = Evaluator(without_auxiliary(self.model))

    def on_epoch_begin(self, epoch, logs=None):
        """Point the stream at this epoch (0-based)."""
        self.task.batches.begin(epoch)
        self._began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """Stop at once when cancelled; this epoch is dropped."""
        if self.control() == "cancel":
            self.reason = "cancelled"
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        """Validate, decide, save, then say so."""
        if self.reason == "cancelled":
            return
        row = self._row(epoch + 1, logs or {})
        self.state.epoch = epoch + 1
        self.state.history.append(row)
        self._keep_best(row)
        self.state.stopped = self.rule.should_stop(epoch + 1, row)
        self.state.stopping = self.rule.state()
        if self.task.kept:  # before the checkpoint: a crash between them repeats the epoch
            self.task.kept.save(epoch + 1)
        if self.checkpoint:
            save_checkpoint(self.checkpoint, self.model, self.state, self.task.identity)
        self.report(
            EpochEnded(epoch=epoch + 1, epochs=self.task.epochs, logs=row, seconds=row["seconds"])
        )
        self._stop_if_asked()

    def _row(self, epoch: int, logs: dict) -> dict[str, float]:
        evaluation = self._evaluate(*self.task.validation)
        loss, accuracy = main_figures(logs)
        return {
            "epoch": epoch,
            "loss": per_image(loss, self.recipe),
            "accuracy": accuracy,
            **evaluation.metrics("val_"),
            "learning_rate": learning_rate(self.model),
            "seconds": time.monotonic() - self._began,
        }

    def _keep_best(self, row: dict[str, float]) -> None:
        if self.recipe.keep_best is None:
            return
        value = row[self.recipe.keep_best]
        if self.state.best_value is None or value < self.state.best_value:
            self.state.best_value = value
            self.state.best_epoch = int(row["epoch"])
            self.state.best_weights = self.model.get_weights()

    def _stop_if_asked(self) -> None:
        command = self.control()
        if self.state.stopped:
            self.reason = "early"
        elif command == "cancel":
            self.reason = "cancelled"
        elif command == "pause" and self.state.epoch < self.task.epochs:
            self.reason = "paused"
        else:
            return
        self.model.stop_training = True


class StepCallback(keras.callbacks.Callback):
    """Calls `report` with `StepsEnded` a few times a second at most."""

    def __init__(self, task: Task, report: Report):
        super().__init__()
        self.recipe, self.epochs, self.report = task.recipe, task.epochs, report
        self._last = (0, 0.0)

    def on_epoch_begin(self, epoch, logs=None):
        """Start counting this epoch (0-based)."""
        self._epoch = epoch
        self._last = (0, time.monotonic())

    def on_train_batch_end(self, batch, logs=None):
        """Report when enough time has passed (`batch` is 0-based)."""
        now, done = time.monotonic(), batch + 1
        steps, since = self._last
        if now - since < REPORT_SECONDS:
            return
        self._last = (done, now)
        per_epoch = self.params["steps"]
        loss, accuracy = main_figures(logs or {})
        self.report(
            StepsEnded(
                step=self._epoch * per_epoch + done,
                steps=self.epochs * per_epoch,
                epoch=self._epoch + 1,
                loss=per_image(loss, self.recipe),
                accuracy=accuracy,
                learning_rate=learning_rate(self.model),
                images_per_second=(done - steps) * self.recipe.batch_size / (now - since),
            )
        )


@dataclass
class StoppingRule:
    """Told each epoch's validation, it says whether to go on.

    Args:
        stopping: the rule; None: never stop.
        steps_per_epoch: mini-batches between two validations.
    """

    stopping: Stopping | None
    steps_per_epoch: int
    best: float = math.inf
    waited: int = 0  # epochs without improvement
    patience: float = field(init=False)  # mini-batches to look at; grows

    def __post_init__(self):
        self.patience = self.stopping.patience if self.stopping else math.inf

    def should_stop(self, epoch: int, logs: Mapping[str, float]) -> bool:
        """Whether training ends after this epoch (1-based), given its validation figures."""
        if self.stopping is None:
            return False
        value = logs[self.stopping.monitor]
        if self.stopping.kind == "tutorial":
            return self._tutorial(self.stopping, epoch, value)
        return self._keras(self.stopping, value)

    def _keras(self, stopping: Stopping, value: float) -> bool:
        if value < self.best - stopping.min_delta:
            self.best, self.waited = value, 0
            return False
        self.waited += 1
        return self.waited >= max(1, stopping.patience)

    def _tutorial(self, stopping: Stopping, epoch: int, value: float) -> bool:
        # The tutorial counts mini-batches from 0 and validates after the last of each
        # epoch; it then stops at the first mini-batch whose number reaches the patience.
        seen = epoch * self.steps_per_epoch - 1
        if value < self.best:
            if value < self.best * stopping.improvement_threshold:
                self.patience = max(self.patience, seen * stopping.patience_increase)
            self.best = value
        # Stopping in the middle of the next epoch would come before its validation and
        # change nothing that is kept, so the epoch is not begun.
        next_validation = seen + self.steps_per_epoch
        return self.patience < next_validation

    def state(self) -> dict[str, float]:
        """What must be kept to go on later exactly like this. JSON."""
        return {"best": self.best, "waited": self.waited, "patience": self.patience}

    def restore(self, state: Mapping[str, float]) -> None:
        """The inverse of `state`."""
        self.best = float(state["best"])
        self.waited = int(state["waited"])
        self.patience = float(state["patience"])


def per_image(loss: float, recipe: Recipe) -> float:
    """The loss of one image on average, whatever the recipe reduces it to."""
    return loss / recipe.batch_size if recipe.loss_reduction == "sum" else loss


def learning_rate(model: keras.Model) -> float:
    """What the next step will be scaled by."""
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
