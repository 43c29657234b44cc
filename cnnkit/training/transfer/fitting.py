"""`fine_tune`: a recipe in, events out, a network at the end that knows the new classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from cnnkit.datasets import Dataset, dataset_info, load_dataset
from cnnkit.errors import InvalidRecipeError
from cnnkit.settings import get_settings
from cnnkit.training._callbacks import Control, Task
from cnnkit.training._pipeline import Batches
from cnnkit.training.checkpoint import TrainingState, saved_phase
from cnnkit.training.devices import computing_in, copied
from cnnkit.training.events import Ended, Report
from cnnkit.training.fitting import FitResult, compiled, learn, restored
from cnnkit.training.memmap import part_of
from cnnkit.training.recipe import Augmentation, Recipe
from cnnkit.training.transfer.computing import Features
from cnnkit.training.transfer.features import FeatureStore
from cnnkit.training.transfer.network import Split, TransferNetwork, build_network
from cnnkit.training.transfer.recipe import TransferRecipe


def fine_tune(
    recipe: TransferRecipe,
    report: Report = lambda event: None,
    *,
    checkpoint: Path | None = None,
    control: Control = lambda: None,
    dataset: Dataset | None = None,
    base: Callable[[], keras.Model] | None = None,
    store: FeatureStore | None = None,
) -> FitResult:
    """Give a trained network new classes, as a recipe says.

    First comes what the frozen layers make of the images, then phase after phase of
    learning with what is above them.

    Args:
        recipe: what to do.
        report: called with the events of `cnnkit.training.events`.
        checkpoint: a file that is rewritten after every epoch. If it exists, training
            goes on from it. Features need none: what is computed stays.
        control: asked after every few batches; "cancel" ends all at once, "pause" after a
            batch of features, or after the running epoch and its checkpoint.
        dataset: to learn from; None: the one the recipe names, split as it says.
        base: opens the network of the run that the recipe names, if it names one.
        store: where features are kept; None: the one of the settings.

    Returns:
        The whole network, from images of 0 to 255 to logits.

    Raises:
        UnknownNameError: the recipe names what does not exist.
        InvalidRecipeError: its phases cannot follow each other.
        AssetUnavailableError: weights or data cannot be had; says where to put them.
        IncompatibleError: network and images do not fit, or the checkpoint is of
            another recipe.
        LimitError: the features need more room than is allowed.
        CorruptAssetError: a file is damaged.
    """
    dataset = dataset or transfer_dataset(recipe)
    with copied(), computing_in(recipe.precision):
        network = build_network(recipe, len(dataset.class_names), base)
    features = _features(recipe, network, dataset, store)
    stopped = features.compute(report, control) if features else None
    if stopped:
        ended = Ended(reason=stopped, epoch=0, best_epoch=None)
        report(ended)
        return FitResult(model=network.whole, history=[], ended=ended)
    return _learn(Phases(recipe, network, dataset, features), report, checkpoint, control)


def transfer_dataset(recipe: TransferRecipe) -> Dataset:
    """The data set that a recipe names, split as it says."""
    if dataset_info(recipe.dataset).kind == "small":
        return load_dataset(recipe.dataset, seed=recipe.split_seed)
    return load_dataset(recipe.dataset, split_seed=recipe.split_seed, per_class=recipe.per_class)


class Phases:
    """The tasks of a recipe, one a phase.

    Args:
        recipe: what to do.
        network: whole, with its new head.
        dataset: images.
        features: what the frozen layers make of them; None: they work in every step.
    """

    def __init__(
        self,
        recipe: TransferRecipe,
        network: TransferNetwork,
        dataset: Dataset,
        features: Features | None,
    ):
        """Keep them together."""
        self.recipe, self.network, self.dataset = recipe, network, dataset
        self.features = features

    def task(self, number: int) -> Task:
        """What phase `number` (0-based) trains."""
        split = self.network.split(
            self.recipe.phases[number].train_from, cached=self.features is not None
        )
        learning = self._learning(number, split)
        images, labels = self._part(split, "train")
        batches = Batches(
            images,
            labels,
            learning,
            size=None if split.cut else self.network.whole.input_shape[1:3],
            classes=len(self.dataset.class_names),
            weights=_class_weights(labels, self.dataset) if self.recipe.balanced else None,
        )
        return Task(
            recipe=learning,
            model=compiled(split.tail, learning, batches.per_epoch),
            batches=batches,
            validation=self._part(split, "validation"),
            identity=self.recipe.fingerprint(),
            tests=self.dataset.size("test"),
            parameters=self.network.whole.count_params(),
            epochs=self.recipe.epochs,
        )

    def _learning(self, number: int, split: Split) -> Recipe:
        learning = self.recipe.learning(number)
        if split.cut is None:
            return learning
        # Images were changed before the trunk; only mixing is left for what it gives.
        return learning.replace(augmentation=Augmentation(mixup=learning.augmentation.mixup))

    def _part(self, split: Split, name: str):
        images, labels = part_of(self.dataset, name)
        if split.cut is None or self.features is None:
            return images, labels
        return self.features.part(split.cut, name), labels


def _features(
    recipe: TransferRecipe, network: TransferNetwork, dataset: Dataset, store: FeatureStore | None
) -> Features | None:
    """Of all trunks that a recipe's phases have; None where nothing is kept.

    Raises:
        InvalidRecipeError: a trunk would change after its features were computed.
    """
    if not recipe.cached:
        return None
    depths = [network.first_row(phase.train_from) for phase in recipe.phases]
    if sorted(depths, reverse=True) != depths:
        order = ", ".join(phase.train_from for phase in recipe.phases)
        raise InvalidRecipeError(
            "Where features are kept, each phase must learn from as deep as the one before it, or "
            f"deeper. Received: {order}."
        )
    cuts = [network.split(phase.train_from).cut for phase in recipe.phases]
    layers = list(dict.fromkeys(cut for cut in cuts if cut))
    if not layers:
        return None
    settings = get_settings()
    store = store or FeatureStore(settings.features, settings.features_memory)
    return Features(recipe, network, layers, dataset, store)


def _learn(phases: Phases, report: Report, checkpoint: Path | None, control: Control) -> FitResult:
    saved = saved_phase(checkpoint)
    state, ended = TrainingState(), Ended(reason="finished", epoch=0, best_epoch=None)
    for number in range(saved or 0, len(phases.recipe.phases)):
        task = phases.task(number)
        known = restored(task, checkpoint) if number == saved else None
        state = known or TrainingState(
            phase=number, begins=state.epoch, epoch=state.epoch, history=state.history
        )
        ended = learn(task, state, report, checkpoint=checkpoint, control=control)
        if ended.reason in ("paused", "cancelled"):
            break
    report(ended)
    model = _in_float32(phases.network.whole)
    return FitResult(model=model, history=state.history, ended=ended)


def _in_float32(model: keras.Model) -> keras.Model:
    """The same network for any device, if it computed in less; weights were float32 always."""
    if all(layer.dtype_policy.name == "float32" for layer in model.layers):
        return model

    def plain(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        return type(layer).from_config(config | {"dtype": "float32"})

    twin = keras.models.clone_model(model, clone_function=plain)
    twin.set_weights(model.get_weights())
    return twin


def _class_weights(labels: np.ndarray, dataset: Dataset) -> np.ndarray:
    """How much an image of each class counts, so that all classes count alike; mean 1."""
    counts = np.bincount(labels, minlength=len(dataset.class_names))
    return (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype(np.float32)
