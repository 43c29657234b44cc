"""How long a training will take: as earlier ones did, or as the speed of its layers says."""

from __future__ import annotations

import functools
import json
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnkit.datasets import dataset_info, part_sizes
from cnnkit.errors import InvalidRecipeError
from cnnkit.models import create_model, model_info, without_weights
from cnnkit.models.builder import NetworkDefinition, costs_of, is_code
from cnnkit.training.recipe import Recipe

if TYPE_CHECKING:
    from cnnkit.anatomy import LayerTable
    from cnnkit.training.network import Depth

SLOTS = 3  # numbers beside each trainable parameter: its gradient, two of the optimizer
History = Sequence[Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A time, and what it rests on."""

    seconds: float  # for all epochs; early stopping may end sooner
    images_per_second: float  # validation included
    alike: bool  # measured with the same options, batch size and augmentation
    source: str  # whatever names the run it was measured in


def estimate(recipe: Recipe, measured: Iterable[tuple[str, Recipe, History]]) -> Estimate | None:
    """The time that a recipe takes, or None where nothing comparable was measured.

    Args:
        recipe: what is to be done.
        measured: earlier trainings on this machine, newest first: a name, the recipe, and
            one row an epoch with its "seconds". The newest of an equal training counts,
            else the newest of the same network on images of the same size.
    """
    if recipe.head:  # its time is that of its frozen and its trainable layers: see `depths`
        return None
    best: Estimate | None = None
    for source, other, history in measured:
        rate = images_per_second(other, history)
        if rate is None or not _comparable(recipe, other):
            continue
        alike = _cost(recipe) == _cost(other)
        if best is None or alike:
            best = Estimate(
                seconds=recipe.total_epochs * images_per_epoch(recipe) / rate,
                images_per_second=rate,
                alike=alike,
                source=source,
            )
        if alike:
            break
    return best


def estimate_by_macs(
    recipe: Recipe,
    macs: int,
    measured: Iterable[tuple[str, Recipe, History]],
    macs_of: Callable[[Recipe], int | None],
) -> Estimate | None:
    """The time of a network that was never trained, by the one that costs most nearly as much.

    Of those that were trained with batches of the same size, where there are any. A cheaper
    network than that is taken for as slow: with few MACs, other things take the time.

    Args:
        recipe: what is to be done.
        macs: of its network, for one image.
        measured: earlier trainings, see `estimate`.
        macs_of: multiply-accumulates of the network of a measured training; None: not known.
    """
    best: tuple[tuple[bool, float], Estimate] | None = None
    for source, other, history in measured:
        rate, cost = images_per_second(other, history), macs_of(other)
        if not rate or not cost:
            continue
        distance = (other.batch_size != recipe.batch_size, abs(math.log(cost / max(1, macs))))
        if best is None or distance < best[0]:
            own = rate * min(1.0, cost / max(1, macs))
            seconds = recipe.total_epochs * images_per_epoch(recipe) / own
            found = Estimate(seconds=seconds, images_per_second=own, alike=False, source=source)
            best = distance, found
    return best[1] if best else None


def recipe_of(spec: Mapping[str, Any]) -> Recipe | None:
    """The recipe that a run recorded; None where it has none that this version can read."""
    try:
        return Recipe.from_dict(spec)
    except InvalidRecipeError:
        return None


def images_per_second(recipe: Recipe, history: History) -> float | None:
    """Training images a second, validation time included.

    The first epoch also compiles, so that it counts only where it is the only one.
    """
    seconds = [row["seconds"] for row in history if row.get("seconds", 0) > 0]
    if not seconds:
        return None
    return images_per_epoch(recipe) / statistics.median(seconds[1:] or seconds)


def images_per_epoch(recipe: Recipe) -> int:
    """Training images that an epoch goes through."""
    if recipe.steps_per_epoch:
        return recipe.steps_per_epoch * recipe.batch_size
    images = training_images(recipe)
    if recipe.drop_remainder and images >= recipe.batch_size:
        return images // recipe.batch_size * recipe.batch_size
    return images


def training_images(recipe: Recipe) -> int:
    """Training images without those held out for validation, at least one."""
    spec = dataset_info(recipe.dataset)
    usual = spec.images[1] if spec.kind == "own" else None  # as many as for the test
    validation = usual if recipe.validation_size is None else recipe.validation_size
    return max(1, part_sizes(spec.images[0], validation, recipe.train_size, adapt=True)[1])


def _comparable(recipe: Recipe, other: Recipe) -> bool:
    if other.head:
        return False
    shapes = [one.input_shape(dataset_info(one.dataset).input_shape) for one in (recipe, other)]
    return recipe.model == other.model and shapes[0] == shapes[1]


def _cost(recipe: Recipe) -> tuple:
    return (recipe.model_options, recipe.batch_size, recipe.optimizer, recipe.augmentation)


def definition_table(recipe: Recipe) -> LayerTable | None:
    """The costs of a network that is a definition, without building it; None: it is none.

    Raises:
        IncompatibleError: its layers do not fit the images of the data set.
    """
    if not is_code(recipe.model):
        return None
    data = dataset_info(recipe.dataset)
    definition = NetworkDefinition.from_code(recipe.model)
    shape = recipe.input_shape(data.input_shape)
    return costs_of(definition.on(shape, data.classes))


def training_memory(parameters: int, trainable: int, activation_bytes: int, batch_size: int) -> int:
    """About how many bytes weights and activations take in training.

    Args:
        parameters: of the network.
        trainable: of these, each with its gradient and two numbers of the optimizer.
        activation_bytes: of all layers, for one image.
        batch_size: images.
    """
    return 4 * (parameters + SLOTS * trainable) + batch_size * activation_bytes


def known_parameters(recipe: Recipe) -> int | None:
    """Trainable parameters of a definition, or of a network as published, without building it.

    Raises:
        IncompatibleError: the layers of a definition do not fit the images of the data set.
    """
    table = definition_table(recipe)
    if table:
        return table.trainable
    spec, data = model_info(recipe.model), dataset_info(recipe.dataset)
    defaults = {option.name: option.default for option in spec.options}
    as_published = defaults | dict(recipe.model_options) == defaults
    shape = recipe.input_shape(data.input_shape)
    fits = (spec.input_shape, spec.classes) == (shape, data.classes)
    return spec.trainable if as_published and fits else None


def count_parameters(recipe: Recipe) -> int:
    """Trainable parameters of a recipe's network, which is built for it. Imports Keras.

    Raises:
        IncompatibleError: the images are too small for the network.
        InvalidRecipeError: an option has a value that cannot work.
    """
    data = dataset_info(recipe.dataset)
    model = create_model(
        recipe.model,
        input_shape=recipe.input_shape(data.input_shape),
        classes=data.classes,
        **recipe.model_options,
    )
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def count_macs(recipe: Recipe) -> int:
    """Multiply-accumulates of a recipe's network for one image, forward. Imports Keras.

    Raises:
        IncompatibleError: the images are too small for the network.
    """
    data = dataset_info(recipe.dataset)
    plain = recipe.replace(weights="random", run="").to_dict()
    return _macs_of(json.dumps(plain, sort_keys=True), data.classes, data.input_shape)


@functools.lru_cache(maxsize=256)
def _macs_of(recipe: str, classes: int, image_shape: tuple[int, int, int]) -> int:
    from cnnkit.anatomy import layer_table
    from cnnkit.training import build_network

    def build():
        plain = Recipe.from_dict(json.loads(recipe))
        network = build_network(plain, classes, image_shape=image_shape, structure_only=True)
        return network.whole

    return layer_table(without_weights(build)).macs


@dataclass(frozen=True, kw_only=True)
class TimeEstimate:
    """Seconds of both parts of a fine-tuning."""

    features: float
    training: float  # and the test at the end

    @property
    def seconds(self) -> float:
        """Of both."""
        return self.features + self.training


def estimate_time(
    recipe: Recipe, depth_of: dict[str, Depth], images: tuple[int, int, int], seconds: float
) -> TimeEstimate:
    """What a fine-tuning will take: each part of the network takes its share of the MACs.

    A training step takes the forward pass, and twice as much again for the backward pass
    through the trainable part.

    Args:
        recipe: what is to be done.
        depth_of: of the recipe's network, by name.
        images: in the training, the validation and the test set.
        seconds: that one image takes through the whole network: `image_seconds`.
    """
    train, validation, test = images
    per_mac = seconds / max(1, next(iter(depth_of.values())).macs)
    deepest = [depth_of[phase.train_from] for phase in recipe.training_phases]
    variants = recipe.variants if recipe.augmentation.of_images else 1
    features, training = 0.0, test * seconds
    if recipe.caches_features:
        frozen = max(depth.frozen_macs for depth in deepest)
        features = frozen * per_mac * (variants * train + validation)
    for phase, depth in zip(recipe.training_phases, deepest, strict=True):
        each = 3 * depth.trainable_macs * train + depth.trainable_macs * validation
        if not recipe.caches_features:
            each += depth.frozen_macs * (train + validation)
        training += (phase.epochs or 0) * each * per_mac
    return TimeEstimate(features=features, training=training)
