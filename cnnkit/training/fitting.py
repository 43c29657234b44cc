"""`fit`: a recipe in, events out, a trained network at the end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from cnnkit.datasets import Dataset, load_dataset
from cnnkit.errors import InvalidRecipeError
from cnnkit.settings import get_settings
from cnnkit.training._callbacks import Control, EpochCallback, StepCallback, StoppingRule, Task
from cnnkit.training._compile import (
    compile_model,
    computing_in,
    label_every_output,
    on_every_device,
    without_auxiliary,
)
from cnnkit.training.checkpoint import TrainingState, restore_checkpoint, saved_phase
from cnnkit.training.epoch_weights import EpochWeights
from cnnkit.training.events import Ended, Report, Started
from cnnkit.training.feature_cache import FeatureCache
from cnnkit.training.feature_extraction import FeatureExtraction
from cnnkit.training.network import FreezableNetwork, FrozenSplit, build_network
from cnnkit.training.pipeline import BatchStream, read_split
from cnnkit.training.recipe import Augmentation, Recipe


@dataclass(frozen=True, kw_only=True, eq=False)
class FitResult:
    """A trained network and how it came about."""

    model: keras.Model
    history: list[dict[str, float]]  # one row an epoch, `epoch` is 1-based
    ended: Ended
    kept_epochs: list[int] = field(default_factory=list)  # whose weights were kept


def fit(
    recipe: Recipe,
    report: Report = lambda event: None,
    *,
    checkpoint: Path | None = None,
    control: Control = lambda: None,
    dataset: Dataset | None = None,
    base: Callable[[], keras.Model] | None = None,
    cache: FeatureCache | None = None,
    epochs_folder: Path | None = None,
) -> FitResult:
    """Train a network as a recipe says, from scratch or by fine-tuning.

    Where layers are frozen, their outputs for all images are computed first and cached;
    then phase after phase trains what is above them.

    Args:
        recipe: what to do.
        report: called with the events of `cnnkit.training.events`.
        checkpoint: a file that is rewritten after every epoch. If it exists, training
            goes on from it and ends with the very weights of an uninterrupted run.
            Features need none: what is computed stays in the cache.
        control: asked after every few batches; "cancel" ends the training at once,
            "pause" after the running epoch and its checkpoint, or a batch of features.
        dataset: to train on; None: the one the recipe names, split as it says.
        base: opens the network of the run that the recipe names, if it names one.
        cache: of features; None: the one of the settings.
        epochs_folder: for the weights of the epochs that the recipe keeps; None: none are kept.

    Returns:
        The network from images, 0 to 255, to logits, without auxiliary classifiers, with
        the best weights of the last phase, or its last ones when `keep_best` is None.

    Raises:
        UnknownNameError: the recipe names what is not registered.
        InvalidRecipeError: its phases cannot follow each other.
        IncompatibleError: network and images do not fit, or the checkpoint is of
            another recipe.
        AssetUnavailableError: the file of data set or weights cannot be had.
        LimitError: the features need more room than is allowed.
        CorruptAssetError: a file, or the checkpoint, is damaged.
    """
    if not isinstance(recipe, Recipe):
        raise TypeError(
            "`recipe` must be a `Recipe`, such as `get_recipe('lenet_tutorial', 'fast')`. "
            f"Received: {recipe!r}."
        )
    dataset = dataset or recipe_dataset(recipe)
    with on_every_device(), computing_in(recipe.precision):
        network = build_network(
            recipe, len(dataset.class_names), base, image_shape=dataset.spec.input_shape
        )
    features = feature_extraction(recipe, network, dataset, cache)
    stopped = features.compute(report, control) if features else None
    if stopped:
        ended = Ended(reason=stopped, epoch=0, best_epoch=None)
        report(ended)
        return FitResult(model=network.whole, history=[], ended=ended)
    keeps = recipe.keep_checkpoints and epochs_folder
    kept = EpochWeights(recipe, network, epochs_folder) if keeps and epochs_folder else None
    tasks = PhaseTasks(recipe, network, dataset, features, kept)
    return _train_phases(tasks, report, checkpoint, control)


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
        # What is drawn at random was drawn by the split seed in the first fine-tunings.
        seed=recipe.split_seed if recipe.head else recipe.seed,
        split_seed=recipe.split_seed,
        per_class=recipe.per_class,
        adapt_sizes=True,
    )


@dataclass(frozen=True, eq=False)
class PhaseTasks:
    """What each phase of a recipe trains."""

    recipe: Recipe
    network: FreezableNetwork
    dataset: Dataset
    features: FeatureExtraction | None = None  # None: frozen layers compute in every step
    kept: EpochWeights | None = None  # writes the weights of some epochs

    def task(self, number: int) -> Task:
        """The network of phase `number` (0-based), compiled, and its batches."""
        phase = self.recipe.training_phases[number]
        split = self.network.split(phase.train_from, cached=self.features is not None)
        recipe = self._phase_recipe(number, split)
        images, labels = self._read(split, "train")
        batches = BatchStream(
            images,
            labels,
            recipe,
            size=None if split.cut else self.network.whole.input_shape[1:3],
            classes=len(self.dataset.class_names),
            weights=class_weights(labels, self.dataset) if self.recipe.balanced else None,
        )
        return Task(
            recipe=recipe,
            model=compile_model(split.top, recipe, batches.per_epoch),
            batches=batches,
            validation=self._read(split, "validation"),
            identity=self.recipe.fingerprint(),
            parameters=self.network.whole.count_params(),
            epochs=self.recipe.total_epochs,
            test_images=self.dataset.size("test"),
            kept=self.kept,
        )

    def _phase_recipe(self, number: int, split: FrozenSplit) -> Recipe:
        recipe = self.recipe.for_phase(number)
        if split.cut is None:
            return recipe
        # Images were augmented before the frozen base; of its outputs only mixup is left.
        return recipe.replace(augmentation=Augmentation(mixup=recipe.augmentation.mixup))

    def _read(self, split: FrozenSplit, name: str):
        images, labels = read_split(self.dataset, name)
        if split.cut is None or self.features is None:
            return images, labels
        return self.features.read_split(split.cut, name), labels


def feature_extraction(
    recipe: Recipe,
    network: FreezableNetwork,
    dataset: Dataset,
    cache: FeatureCache | None = None,
) -> FeatureExtraction | None:
    """Of the frozen bases of a recipe's phases; None where nothing is cached.

    Raises:
        InvalidRecipeError: a frozen base would change after its outputs were computed.
    """
    if not recipe.caches_features:
        return None
    depths = [network.first_row(phase.train_from) for phase in recipe.phases]
    if sorted(depths, reverse=True) != depths:
        order = ", ".join(phase.train_from for phase in recipe.phases)
        raise InvalidRecipeError(
            "With the feature cache each phase must train from as deep as the one before it, or "
            f"deeper. Received: {order}."
        )
    cuts = [network.split(phase.train_from).cut for phase in recipe.phases]
    layers = list(dict.fromkeys(cut for cut in cuts if cut))
    if not layers:
        return None
    settings = get_settings()
    cache = cache or FeatureCache(settings.features, settings.features_memory)
    return FeatureExtraction(recipe, network, layers, dataset, cache)


def train_phase(
    task: Task,
    state: TrainingState,
    report: Report,
    *,
    checkpoint: Path | None = None,
    control: Control = lambda: None,
) -> Ended:
    """Train a network on batches, from a state to the last epoch of the phase; see `fit`.

    The state changes as epochs end. In the end the network has the best weights, if the
    recipe asks for them.
    """
    recipe, model, steps = task.recipe, task.model, task.batches.per_epoch
    rule = StoppingRule(recipe.stopping, steps)
    if state.stopping:
        rule.restore(state.stopping)
    report(_started(task, state))
    epochs = EpochCallback(
        task=task, state=state, rule=rule, checkpoint=checkpoint, report=report, control=control
    )
    if not state.stopped:
        model.fit(
            label_every_output(model, task.batches.dataset()),
            epochs=state.begins + recipe.epochs,
            initial_epoch=state.epoch,
            # Given the number, Keras prepares the data set once an epoch; else twice.
            steps_per_epoch=steps,
            callbacks=[epochs, StepCallback(task, report)],
            shuffle=False,  # the stream shuffles itself
            verbose=0,
        )
    if state.best_epoch is not None:
        model.set_weights(state.best_weights)
    early = epochs.reason == "finished" and state.stopped
    reason = "early" if early else epochs.reason
    return Ended(reason=reason, epoch=state.epoch, best_epoch=state.best_epoch)


def class_weights(labels: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Weight of an image of each class with which all classes count alike; mean 1."""
    counts = np.bincount(labels, minlength=len(dataset.class_names))
    return (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype(np.float32)


def _train_phases(
    tasks: PhaseTasks, report: Report, checkpoint: Path | None, control: Control
) -> FitResult:
    saved = saved_phase(checkpoint)
    if tasks.kept and saved is None:
        tasks.kept.save(0)
    state, ended = TrainingState(), Ended(reason="finished", epoch=0, best_epoch=None)
    for number in range(saved or 0, len(tasks.recipe.training_phases)):
        task = tasks.task(number)
        if checkpoint and number == saved:
            state = restore_checkpoint(checkpoint, task.model, task.identity)
        else:
            state = TrainingState(
                phase=number, begins=state.epoch, epoch=state.epoch, history=state.history
            )
        ended = train_phase(task, state, report, checkpoint=checkpoint, control=control)
        if ended.reason in ("paused", "cancelled"):
            break
    report(ended)
    model = _in_float32(without_auxiliary(tasks.network.whole))
    epochs = [epoch for epoch in tasks.kept.epochs if epoch <= state.epoch] if tasks.kept else []
    return FitResult(model=model, history=state.history, ended=ended, kept_epochs=epochs)


def _in_float32(model: keras.Model) -> keras.Model:
    """The same network for any device, if it computed in less; weights were float32 always."""
    if all(layer.dtype_policy.name == "float32" for layer in model.layers):
        return model

    def in_float32(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        return type(layer).from_config(config | {"dtype": "float32"})

    copy = keras.models.clone_model(model, clone_function=in_float32)
    copy.set_weights(model.get_weights())
    return copy


def _started(task: Task, state: TrainingState) -> Started:
    gpus = tf.config.list_physical_devices("GPU")
    return Started(
        epochs=task.epochs,
        steps_per_epoch=task.batches.per_epoch,
        first_epoch=state.epoch + 1,
        parameters=task.parameters,
        train_images=task.batches.images,
        device=", ".join(gpu.name for gpu in gpus) or "CPU",
        trainable=sum(math.prod(weight.shape) for weight in task.model.trainable_weights),
        validation_images=len(task.validation[1]),
        test_images=task.test_images,
    )
