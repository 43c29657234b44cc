"""How deep to train: what learns at each depth, what it costs, and how long it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from cnnkit.models import without_weights
from cnnkit.training.transfer.network import TransferNetwork, build_network
from cnnkit.training.transfer.recipe import ALL, HEAD, Head, TransferRecipe

SLOTS = 3  # numbers beside each that learns: its slope, and two of the optimizer
PROBED = 8  # images at once when the speed is measured


@dataclass(frozen=True, kw_only=True)
class Depth:
    """One way to freeze a network."""

    train_from: str  # "head", the name of the lowest block that learns, or "all"
    trainable: int  # parameters that learn
    parameters: int  # of the whole network
    frozen_macs: int  # of the trunk, for one image; computed once where features are kept
    learning_macs: int  # of what works in every step
    feature_bytes: int  # of one image on disk, as float16; 0: nothing is kept
    learning_bytes: int  # of what the layers that work in every step give, for one image

    def memory(self, batch_size: int) -> int:
        """About how many bytes weights and values take while it learns.

        Args:
            batch_size: images in a step.
        """
        weights = self.parameters + SLOTS * self.trainable
        return 4 * weights + batch_size * self.learning_bytes

    @property
    def macs(self) -> int:
        """Of the whole network, for one image."""
        return self.frozen_macs + self.learning_macs


def blocks(
    model: str, *, size: int | None = None, head: Head | None = None, classes: int = 17
) -> list[Depth]:
    """The depths of a network, the head alone first. Loads no weights.

    Args:
        model: pretrained or registered network.
        size: pixels, height and width of its images; None: as published.
        head: the new layers; None: means of maps.
        classes: of the new data set.

    Raises:
        UnknownModelError, IncompatibleError
    """
    # Whether weights were learnt decides what normalisation does; here they are not there.
    recipe = TransferRecipe(model=model, weights="random", size=size, head=head or Head())
    built: list[TransferNetwork] = []

    def build():
        built.append(build_network(recipe, classes, weightless=True))
        return built[0].whole

    without_weights(build)
    return depths(built[0])


def depths(network: TransferNetwork) -> list[Depth]:
    """The depths of a network that is there."""
    names = [HEAD, *reversed(network.blocks()), ALL]
    return [_depth(network, name) for name in names]


def _depth(network: TransferNetwork, train_from: str) -> Depth:
    cut = network.cut(train_from)
    below = network.rows[: cut + 1] if cut is not None else ()
    frozen = sum(row.macs or 0 for row in below)
    return Depth(
        train_from=train_from,
        trainable=network.trainable_parameters(train_from),
        parameters=network.anatomy.parameters,
        frozen_macs=frozen,
        learning_macs=network.anatomy.macs - frozen,
        feature_bytes=0 if cut is None else 2 * int(np.prod(network.rows[cut].output_shape)),
        learning_bytes=sum(row.activation_bytes for row in network.rows[len(below) :]),
    )


def image_seconds(network: TransferNetwork) -> float:
    """Seconds that one image takes to go through the whole network, measured now.

    Takes some seconds: the network is compiled and called three times.
    """
    images = tf.zeros((PROBED, *network.whole.input_shape[1:]))
    answer = tf.function(lambda batch: network.whole(batch, training=False))
    answer(images)  # compiles
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        np.asarray(answer(images))
        seconds.append(time.perf_counter() - began)
    return min(seconds) / PROBED


@dataclass(frozen=True, kw_only=True)
class TimeNeeded:
    """Seconds of both parts of a fine-tuning."""

    features: float
    learning: float

    @property
    def seconds(self) -> float:
        """Of both."""
        return self.features + self.learning


def time_needed(
    recipe: TransferRecipe, depth_of: dict[str, Depth], images: tuple[int, int], seconds: float
) -> TimeNeeded:
    """What a recipe will take, before it starts.

    A part of a network takes its share of the multiply-accumulates; learning takes a step
    forwards, and for what is above the lowest layer that learns two more backwards.

    Args:
        recipe: what is to be done.
        depth_of: of the recipe's network, by name.
        images: to learn from, and to validate on.
        seconds: that one image takes through the whole network: `image_seconds`.
    """
    train, validation = images
    per_mac = seconds / max(1, next(iter(depth_of.values())).macs)
    deepest = [depth_of[phase.train_from] for phase in recipe.phases]
    variants = recipe.variants if recipe.augmentation.of_images else 1
    features = learning = 0.0
    if recipe.cached:
        frozen = max(depth.frozen_macs for depth in deepest)
        features = frozen * per_mac * (variants * train + validation)
    for phase, depth in zip(recipe.phases, deepest, strict=True):
        each = 3 * depth.learning_macs * train + depth.learning_macs * validation
        if not recipe.cached:
            each += depth.frozen_macs * (train + validation)
        learning += phase.epochs * each * per_mac
    return TimeNeeded(features=features, learning=learning)
