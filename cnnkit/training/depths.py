"""How deep to fine-tune: trainable parameters, cost and time of each depth."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from cnnkit.models import without_weights
from cnnkit.training.network import FreezableNetwork, build_network
from cnnkit.training.recipe import ALL, HEAD, Head, Recipe

SLOTS = 3  # numbers beside each trainable parameter: its gradient, two of the optimizer
PROBED = 8  # images at once when the speed is measured


@dataclass(frozen=True, kw_only=True)
class Depth:
    """One way to freeze a network."""

    train_from: str  # "head", the name of the lowest trainable block, or "all"
    trainable: int  # parameters
    parameters: int  # of the whole network
    frozen_macs: int  # of the frozen base, for one image; computed once with the feature cache
    trainable_macs: int  # of what computes in every step
    feature_bytes: int  # of one image in the cache, as float16; 0: nothing is cached
    activation_bytes: int  # of the layers that compute in every step, for one image

    def memory(self, batch_size: int) -> int:
        """About how many bytes parameters and activations take in training.

        Args:
            batch_size: images in a step.
        """
        weights = self.parameters + SLOTS * self.trainable
        return 4 * weights + batch_size * self.activation_bytes

    @property
    def macs(self) -> int:
        """Of the whole network, for one image."""
        return self.frozen_macs + self.trainable_macs


def list_depths(
    model: str, *, size: int | None = None, head: Head | None = None, classes: int = 17
) -> list[Depth]:
    """The depths of a network, the head alone first. Loads no weights.

    Args:
        model: pretrained or registered network.
        size: pixels, height and width of its images; None: as published.
        head: the new layers; None: global average pooling.
        classes: of the new data set.

    Raises:
        UnknownModelError, IncompatibleError
    """
    # Whether weights are pretrained decides what normalization does; here there are none.
    recipe = Recipe(model=model, weights="random", size=size, head=head or Head())
    built: list[FreezableNetwork] = []

    def build():
        built.append(build_network(recipe, classes, without_weights=True))
        return built[0].whole

    without_weights(build)
    return network_depths(built[0])


def network_depths(network: FreezableNetwork) -> list[Depth]:
    """The depths of a network that is built, the head alone first."""
    names = [HEAD, *reversed(network.blocks()), ALL]
    return [_depth(network, name) for name in names]


def _depth(network: FreezableNetwork, train_from: str) -> Depth:
    cut = network.cut(train_from)
    below = network.rows[: cut + 1] if cut is not None else ()
    frozen = sum(row.macs or 0 for row in below)
    return Depth(
        train_from=train_from,
        trainable=network.trainable_parameters(train_from),
        parameters=network.anatomy.parameters,
        frozen_macs=frozen,
        trainable_macs=network.anatomy.macs - frozen,
        feature_bytes=0 if cut is None else 2 * int(np.prod(network.rows[cut].output_shape)),
        activation_bytes=sum(row.activation_bytes for row in network.rows[len(below) :]),
    )


def image_seconds(network: FreezableNetwork) -> float:
    """Seconds that one image takes to go through the whole network, measured now.

    Takes some seconds: the network is compiled and called three times.
    """
    images = tf.zeros((PROBED, *network.whole.input_shape[1:]))
    predict = tf.function(lambda batch: network.whole(batch, training=False))
    predict(images)  # compiles
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        np.asarray(predict(images))
        seconds.append(time.perf_counter() - began)
    return min(seconds) / PROBED


@dataclass(frozen=True, kw_only=True)
class TimeEstimate:
    """Seconds of both parts of a fine-tuning."""

    features: float
    training: float

    @property
    def seconds(self) -> float:
        """Of both."""
        return self.features + self.training


def estimate_time(
    recipe: Recipe, depth_of: dict[str, Depth], images: tuple[int, int], seconds: float
) -> TimeEstimate:
    """What a recipe will take, before it starts.

    Each part of a network takes its share of the MACs; a training step takes the forward
    pass, and twice as much again for the backward pass through the trainable part.

    Args:
        recipe: what is to be done.
        depth_of: of the recipe's network, by name.
        images: in the training and in the validation set.
        seconds: that one image takes through the whole network: `image_seconds`.
    """
    train, validation = images
    per_mac = seconds / max(1, next(iter(depth_of.values())).macs)
    deepest = [depth_of[phase.train_from] for phase in recipe.training_phases]
    variants = recipe.variants if recipe.augmentation.of_images else 1
    features = training = 0.0
    if recipe.caches_features:
        frozen = max(depth.frozen_macs for depth in deepest)
        features = frozen * per_mac * (variants * train + validation)
    for phase, depth in zip(recipe.training_phases, deepest, strict=True):
        each = 3 * depth.trainable_macs * train + depth.trainable_macs * validation
        if not recipe.caches_features:
            each += depth.frozen_macs * (train + validation)
        training += (phase.epochs or 0) * each * per_mac
    return TimeEstimate(features=features, training=training)
