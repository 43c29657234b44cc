"""`fit`: a recipe in, events out, a trained network at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from cnnkit.anatomy import layer_table
from cnnkit.datasets import Dataset, load_dataset
from cnnkit.errors import IncompatibleError
from cnnkit.models import create_model
from cnnkit.training._auxiliary import label_every_output, objective, without_auxiliary
from cnnkit.training._callbacks import Control, Epochs, Live, Task
from cnnkit.training._optimizers import make_optimizer, penalise_kernels
from cnnkit.training._pipeline import Batches
from cnnkit.training.checkpoint import TrainingState, restore_checkpoint
from cnnkit.training.devices import copied
from cnnkit.training.events import Ended, Report, Started
from cnnkit.training.memmap import part_of
from cnnkit.training.recipe import Recipe
from cnnkit.training.stopping import StoppingRule

CALL_SECONDS = 0.5  # that one call of TensorFlow should take
CPU_SPEED = 8e10  # floating-point operations a second, of two to four cores


@dataclass(frozen=True, kw_only=True, eq=False)
class FitResult:
    """A trained network and how it came about."""

    model: keras.Model
    history: list[dict[str, float]]  # one row an epoch, `epoch` is 1-based
    ended: Ended


def fit(
    recipe: Recipe,
    report: Report = lambda event: None,
    *,
    checkpoint: Path | None = None,
    control: Control = lambda: None,
    dataset: Dataset | None = None,
) -> FitResult:
    """Train a network as a recipe says.

    Args:
        recipe: what to do.
        report: called with the events of `cnnkit.training.events`.
        checkpoint: a file that is rewritten after every epoch. If it exists, training
            goes on from it and ends with the very weights of an uninterrupted run.
        control: asked after every few batches; "cancel" ends the training at once,
            "pause" after the running epoch and its checkpoint.
        dataset: to learn from; None: the one the recipe names, split as it says.

    Returns:
        The network with the best weights, or the last ones when `keep_best` is None;
        without its auxiliary classifiers.

    Raises:
        UnknownNameError: the recipe names what is not registered.
        IncompatibleError: network and images do not fit, or the checkpoint is of
            another recipe.
        AssetUnavailableError: the data set's file cannot be had.
        CorruptAssetError: the data set's file or the checkpoint is damaged.
    """
    dataset = dataset or recipe_dataset(recipe)
    images, labels = part_of(dataset, "train")
    batches = Batches(
        images,
        labels,
        recipe,
        size=recipe.input_shape(dataset.spec.input_shape)[:2],
        classes=len(dataset.class_names),
    )
    task = Task(
        recipe=recipe,
        model=build(recipe, dataset, batches.per_epoch),
        batches=batches,
        validation=part_of(dataset, "validation"),
        identity=recipe.fingerprint(),
        tests=dataset.size("test"),
    )
    state = restored(task, checkpoint) or TrainingState()
    ended = learn(task, state, report, checkpoint=checkpoint, control=control)
    report(ended)
    return FitResult(model=without_auxiliary(task.model), history=state.history, ended=ended)


def restored(task: Task, checkpoint: Path | None) -> TrainingState | None:
    """Give a task's network the values of a checkpoint; None: there is none.

    Raises:
        IncompatibleError: the checkpoint is of another recipe.
        CorruptAssetError: it is damaged.
    """
    if checkpoint is None or not checkpoint.exists():
        return None
    return restore_checkpoint(checkpoint, task.model, task.identity)


def learn(
    task: Task,
    state: TrainingState,
    report: Report,
    *,
    checkpoint: Path | None = None,
    control: Control = lambda: None,
) -> Ended:
    """Train a network on batches, whatever they are, from a state to the last epoch.

    Args:
        task: what to train.
        state: new, or `restored`; it is changed as epochs end.
        report: called with every event but the last one.
        checkpoint: rewritten after every epoch.
        control: asked after every few batches, as in `fit`.

    Returns:
        How it ended; the network then has the weights that are kept.
    """
    recipe, model, steps = task.recipe, task.model, task.batches.per_epoch
    rule = StoppingRule(recipe.stopping, steps)
    if state.stopping:
        rule.restore(state.stopping)
    report(_started(task, state))
    epochs = Epochs(
        task=task, state=state, rule=rule, checkpoint=checkpoint, report=report, control=control
    )
    if not state.stopped:
        model.fit(
            label_every_output(model, task.batches.dataset()),
            epochs=state.begins + recipe.epochs,
            initial_epoch=state.epoch,
            # Told the number, Keras prepares the data set once an epoch; else twice.
            steps_per_epoch=steps,
            callbacks=[epochs, Live(task, report)],
            shuffle=False,  # the stream shuffles itself
            verbose=0,
        )
    ended = _ended(epochs)
    if ended.best_epoch is not None:
        model.set_weights(state.best_weights)
    return ended


def recipe_dataset(recipe: Recipe) -> Dataset:
    """The data set that a recipe names, split as it says.

    A recipe fits every data set: a validation set that is more than there is becomes the data
    set's usual share, and a training set that is too large becomes all that is left. `Started`
    and the card of the trained network tell the sizes.
    """
    return load_dataset(
        recipe.dataset,
        validation_size=recipe.validation_size,
        validation_from=recipe.validation_from,
        train_size=recipe.train_size,
        seed=recipe.seed,
        split_seed=recipe.split_seed,
        per_class=recipe.per_class,
        adapt_sizes=True,
    )


def build(recipe: Recipe, dataset: Dataset, steps_per_epoch: int) -> keras.Model:
    """The recipe's network, initialised and compiled.

    Raises:
        IncompatibleError: the network cannot take the data set's images.
    """
    with copied():
        model = create_model(
            recipe.model,
            input_shape=recipe.input_shape(dataset.spec.input_shape),
            classes=len(dataset.class_names),
            seed=recipe.seed,
            **recipe.model_options,
        )
    if not model.trainable_variables:
        raise IncompatibleError(f"{recipe.model} has nothing to learn with these options.")
    return compiled(model, recipe, steps_per_epoch)


def compiled(model: keras.Model, recipe: Recipe, steps_per_epoch: int) -> keras.Model:
    """Make a network ready to learn as a recipe says, and return it."""
    penalise_kernels(model, recipe)
    with copied():
        model.compile(
            optimizer=make_optimizer(recipe, steps_per_epoch),
            **objective(model, recipe),
            # On a CPU, XLA was measured to train these networks up to 2.5 times slower.
            jit_compile="auto" if tf.config.list_physical_devices("GPU") else False,
            steps_per_execution=steps_per_call(model, recipe.batch_size, steps_per_epoch),
        )
        # Left to the first step, its variables would make TensorFlow trace that step twice.
        model.optimizer.build(model.trainable_variables)
    return model


def steps_per_call(model: keras.Model, batch_size: int, steps_per_epoch: int) -> int:
    """Training steps that TensorFlow makes before Python sees it again.

    Each return costs about 2 ms, but only there is a run reported on or cancelled: so
    as many as a CPU makes in half a second, and no more than an eighth of an epoch.

    Args:
        model: the network.
        batch_size: images in a step.
        steps_per_epoch: batches.
    """
    most = min(64, max(1, steps_per_epoch // 8))
    if tf.config.list_physical_devices("GPU"):
        return most
    # Forwards once and backwards twice, each time a multiplication and an addition.
    operations = 6 * batch_size * max(1, layer_table(model).macs)
    return max(1, min(most, int(CALL_SECONDS * CPU_SPEED / operations)))


def _started(task: Task, state: TrainingState) -> Started:
    gpus = tf.config.list_physical_devices("GPU")
    return Started(
        epochs=task.total,
        steps_per_epoch=task.batches.per_epoch,
        first_epoch=state.epoch + 1,
        parameters=task.parameters or task.model.count_params(),
        train_images=task.batches.images,
        validation_images=len(task.validation[1]),
        test_images=task.tests,
        device=", ".join(gpu.name for gpu in gpus) or "CPU",
        trainable=sum(math.prod(weight.shape) for weight in task.model.trainable_weights),
    )


def _ended(epochs: Epochs) -> Ended:
    state = epochs.state
    finished = epochs.reason == "finished" and state.stopped
    return Ended(
        reason="early" if finished else epochs.reason,
        epoch=state.epoch,
        best_epoch=state.best_epoch,
    )
