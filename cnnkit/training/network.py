"""A network as a recipe builds it, and its split into a frozen base and trainable layers.

Both parts share their layers with the whole network, so that nothing has to be joined when
the trainable ones are trained.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from cnnkit.anatomy import LayerRow, LayerTable, blocks_in_order, layer_table
from cnnkit.anatomy.graph import layer_outputs
from cnnkit.anatomy.layout import cut_points, rows_of
from cnnkit.errors import IncompatibleError, UnknownLayerError
from cnnkit.models import create_model, load_without_top, remove_top, seeds, without_weights
from cnnkit.training.estimates import training_memory
from cnnkit.training.recipe import ALL, HEAD, Head, Recipe

HEAD_PREFIX = "head_"  # of the new layers' names, which the network's own cannot collide with
LOGITS = "logits"
PROBED = 8  # images at once when the speed is measured
RANDOM_KINDS = ("Dropout", "GaussianNoise", "GaussianDropout", "SpatialDropout2D")


@dataclass(frozen=True, kw_only=True, eq=False)
class FrozenSplit:
    """A network in two: a frozen base, and the layers above it."""

    top: keras.Model  # from the output of the base to logits; shares its layers with the whole
    cut: str | None  # layer that ends the base; None: there is no base, `top` is the whole


class FreezableNetwork:
    """A network whose layers can be frozen up to any of them.

    Args:
        whole: from images, 0 to 255, to logits.
        new_head: whether its head is new; else it trains from scratch and freezes nothing.
        pretrained: whether the weights below the head come from a training.
    """

    def __init__(self, whole: keras.Model, *, new_head: bool = True, pretrained: bool = True):
        self.whole, self.new_head, self.pretrained = whole, new_head, pretrained

    @cached_property
    def anatomy(self) -> LayerTable:
        """Every layer, and what it costs."""
        return layer_table(self.whole)

    @property
    def rows(self) -> tuple[LayerRow, ...]:
        """Every layer in the order an image meets them."""
        return self.anatomy.rows

    def first_row(self, train_from: str) -> int:
        """Number of the lowest trainable row, for "head", "all", or a block's or layer's name.

        Raises:
            UnknownLayerError: there is no such block or layer; lists the blocks.
        """
        if train_from == ALL:
            return 0
        for number, row in enumerate(self.rows):
            if row.name == (train_from if train_from != HEAD else self._head_begins()):
                return number
        starts = self.blocks()
        if train_from not in starts:
            raise UnknownLayerError(train_from, [HEAD, ALL, *starts])
        return starts[train_from]

    def blocks(self) -> dict[str, int]:
        """Name of each block below the head that has weights, and its first row."""
        rows: dict[str, int] = {}
        for block in blocks_in_order(self.anatomy):
            first = min(rows_of(block.parts))
            if block.parameters and not self.rows[first].name.startswith((HEAD_PREFIX, LOGITS)):
                rows[block.names[0]] = first
        return rows

    def _head_begins(self) -> str:
        """The first layer of the head that has weights or is random."""
        return next(
            row.name
            for row in self.rows
            if row.name.startswith((HEAD_PREFIX, LOGITS))
            and (row.parameters or row.kind in RANDOM_KINDS)
        )

    def cut(self, train_from: str) -> int | None:
        """The last row of the frozen base; None: nothing with weights lies below `train_from`.

        Above it there may be frozen layers, when the trainable ones begin within a block.
        """
        first = self.first_row(train_from)
        below = [number for number in self._cuts if number < first]
        if not below or not any(row.parameters for row in self.rows[: below[-1] + 1]):
            return None
        return below[-1]

    def split(self, train_from: str, *, cached: bool = True) -> FrozenSplit:
        """Freeze what is below `train_from` and cut the network as high as possible.

        Without `cached` no base is cut off: the frozen layers compute in every step.
        """
        if self.new_head:
            self.freeze(train_from)
        cut = self.cut(train_from) if self.new_head and cached else None
        if cut is None:
            return FrozenSplit(top=self.whole, cut=None)
        name = self.rows[cut].name
        top = keras.Model(self.output_of(name), self.whole.output)
        return FrozenSplit(top=top, cut=name)

    def output_of(self, layer: str):
        """Symbolic output of a layer, in the whole network's own graph."""
        return layer_outputs(self.whole)[layer][0]

    def freeze(self, train_from: str) -> None:
        """Make only the layers from here on trainable."""
        first = self.first_row(train_from)
        trainable = {row.name for row in self.rows[first:]}
        for layer in self.whole.layers:
            # Pretrained batch normalization stays frozen: the weights behind it rely on the
            # means and deviations of a million images, which a few batches of a small data
            # set would overwrite with noise. That of a new head has none yet.
            fixed = (
                self.pretrained
                and isinstance(layer, keras.layers.BatchNormalization)
                and not layer.name.startswith(HEAD_PREFIX)
            )
            layer.trainable = layer.name in trainable and not fixed

    def trainable_parameters(self, train_from: str) -> int:
        """Trainable parameters when all layers from here on are."""
        fixed = ("BatchNormalization",) if self.pretrained else ()
        rows = self.rows[self.first_row(train_from) :]
        return sum(row.parameters - _statistics(row) for row in rows if row.kind not in fixed)

    @cached_property
    def _cuts(self):
        return cut_points(self.rows)


def _statistics(row: LayerRow) -> int:
    """Of batch normalization half are means and deviations, which no gradient changes."""
    return row.parameters // 2 if row.kind == "BatchNormalization" else 0


def build_network(
    recipe: Recipe,
    classes: int,
    base: Callable[[], keras.Model] | None = None,
    *,
    image_shape: tuple[int, int, int] = (28, 28, 1),
    structure_only: bool = False,
) -> FreezableNetwork:
    """The network of a recipe, nothing frozen.

    Args:
        recipe: which network, weights, size and head.
        classes: of the data set.
        base: opens the network of the run that the recipe names.
        image_shape: (height, width, channels) of the data set's images; only without a head.
        structure_only: its weights are not needed; within `models.without_weights`.

    Raises:
        UnknownModelError, AssetUnavailableError, CorruptAssetError, IncompatibleError
    """
    if recipe.head is None:
        return _from_scratch(recipe, classes, image_shape)
    if recipe.run:
        if base is None:
            raise ValueError("`base` must open the network of the recipe's run. Received: None.")
        return FreezableNetwork(with_head(remove_top(base()), recipe.head, classes, recipe.seed))
    pretrained = recipe.weights == "imagenet"
    model = load_without_top(
        recipe.model,
        weights="imagenet" if pretrained else None,
        size=recipe.size,
        seed=None if structure_only else recipe.seed,
        preprocessing=None if recipe.preprocessing == "pretrained" else recipe.preprocessing,
    )
    return FreezableNetwork(
        with_head(model, recipe.head, classes, recipe.seed),
        pretrained=pretrained or structure_only,
    )


def _from_scratch(
    recipe: Recipe, classes: int, image_shape: tuple[int, int, int]
) -> FreezableNetwork:
    model = create_model(
        recipe.model,
        input_shape=recipe.input_shape(image_shape),
        classes=classes,
        seed=recipe.seed,
        **recipe.model_options,
    )
    if not model.trainable_variables:
        raise IncompatibleError(f"{recipe.model} has no trainable parameters with these options.")
    return FreezableNetwork(model, new_head=False, pretrained=False)


def with_head(base: keras.Model, head: Head, classes: int, seed: int = 0) -> keras.Model:
    """A network without top, (images) → feature maps, with a new head for some classes."""
    numbers = seeds(seed)
    x = base.output
    if head.kind == "flatten":
        x = keras.layers.Flatten(name=f"{HEAD_PREFIX}flatten")(x)
    else:
        x = keras.layers.GlobalAveragePooling2D(name=f"{HEAD_PREFIX}pool")(x)
    if head.normalization:
        # An epoch on a small data set has few batches: statistics that remember a hundred of
        # them would still be those of the start.
        x = keras.layers.BatchNormalization(
            momentum=0.9, center=False, scale=False, name=f"{HEAD_PREFIX}normalization"
        )(x)
    if head.units:
        glorot = keras.initializers.GlorotUniform(next(numbers))
        x = keras.layers.Dense(
            head.units, "relu", kernel_initializer=glorot, name=f"{HEAD_PREFIX}fc1"
        )(x)
    if head.dropout:
        x = keras.layers.Dropout(head.dropout, seed=next(numbers), name=f"{HEAD_PREFIX}dropout")(x)
    glorot = keras.initializers.GlorotUniform(next(numbers))
    # Logits are float32 also where layers compute in less, as the input contract says.
    logits = keras.layers.Dense(classes, kernel_initializer=glorot, dtype="float32", name=LOGITS)(x)
    return keras.Model(base.input, logits, name=base.name)


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
        """About how many bytes parameters and activations take in training."""
        return training_memory(self.parameters, self.trainable, self.activation_bytes, batch_size)

    @property
    def macs(self) -> int:
        """Of the whole network, for one image."""
        return self.frozen_macs + self.trainable_macs


def list_depths(
    model: str, *, size: int | None = None, head: Head | None = None, classes: int = 17
) -> list[Depth]:
    """The depths of a pretrained or registered network, the head alone first. Loads no weights.

    Args:
        model: its name.
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
        built.append(build_network(recipe, classes, structure_only=True))
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
