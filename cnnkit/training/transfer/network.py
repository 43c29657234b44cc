"""A network with a new head, and its split at the lowest layer that learns.

What is below, the trunk, is only asked; what is above, the tail, learns. Both share their
layers with the whole network, so that nothing has to be joined when the tail has learnt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras

from cnnkit.anatomy import LayerRow, blocks_in_order, layer_table
from cnnkit.anatomy.graph import layer_outputs
from cnnkit.anatomy.layout import cut_points, rows_of
from cnnkit.errors import UnknownLayerError
from cnnkit.models import load_without_top, remove_top
from cnnkit.models._registry import seeds
from cnnkit.training.transfer.recipe import ALL, HEAD, Head, TransferRecipe

HEAD_PREFIX = "head_"  # of the new layers' names, which the network's own cannot collide with
LOGITS = "logits"
RANDOM_KINDS = ("Dropout", "GaussianNoise", "GaussianDropout", "SpatialDropout2D")


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """A network in two."""

    whole: keras.Model  # from images to logits
    tail: keras.Model  # from what the trunk gives to logits; shares its layers with `whole`
    cut: str | None  # layer that ends the trunk; None: there is no trunk, all begins at images


class TransferNetwork:
    """A network with a new head, whose layers can be frozen up to any of them.

    Args:
        base: from images, 0 to 255, to maps.
        head: the new layers.
        classes: of the new data set.
        seed: of the head's weights and dropout.
        learnt: whether the base's weights come from a training.
    """

    def __init__(
        self, base: keras.Model, head: Head, classes: int, seed: int = 0, learnt: bool = True
    ):
        """Put the head on."""
        self.learnt = learnt
        self.whole = _with_head(base, head, classes, seed)
        self.anatomy = layer_table(self.whole)
        self._cuts = cut_points(self.anatomy.rows)

    @property
    def rows(self) -> tuple[LayerRow, ...]:
        """Every layer in the order an image meets them."""
        return self.anatomy.rows

    def first_row(self, train_from: str) -> int:
        """Number of the lowest row that learns.

        Args:
            train_from: "head", "all", or the name of a block or a layer.

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
        found: dict[str, int] = {}
        for block in blocks_in_order(self.anatomy):
            first = min(rows_of(block.parts))
            if block.parameters and not self.rows[first].name.startswith((HEAD_PREFIX, LOGITS)):
                found[block.names[0]] = first
        return found

    def _head_begins(self) -> str:
        """The first layer of the head that has weights or is random."""
        return next(
            row.name
            for row in self.rows
            if row.name.startswith((HEAD_PREFIX, LOGITS))
            and (row.parameters or row.kind in RANDOM_KINDS)
        )

    def cut(self, train_from: str) -> int | None:
        """The last row of the trunk; None: nothing with weights lies below what learns.

        Above it there may be frozen layers, when what learns begins within a block.
        """
        first = self.first_row(train_from)
        below = [number for number in self._cuts if number < first]
        if not below or not any(row.parameters for row in self.rows[: below[-1] + 1]):
            return None
        return below[-1]

    def split(self, train_from: str, *, cached: bool = True) -> Split:
        """Freeze what is below and cut the network as high as possible.

        Args:
            train_from: lowest layer that learns.
            cached: False: no trunk; the frozen layers work in every step.
        """
        self.freeze(train_from)
        cut = self.cut(train_from) if cached else None
        if cut is None:
            return Split(whole=self.whole, tail=self.whole, cut=None)
        name = self.rows[cut].name
        return Split(
            whole=self.whole, tail=keras.Model(self.maps(name), self.whole.output), cut=name
        )

    def maps(self, layer: str):
        """What a layer gives, in the whole network's own graph."""
        return layer_outputs(self.whole)[layer][0]

    def freeze(self, train_from: str) -> None:
        """Let only the layers from here on learn."""
        first = self.first_row(train_from)
        learning = {row.name for row in self.rows[first:]}
        for layer in self.whole.layers:
            # Batch normalisation stays as it learnt to be: the weights behind it rely on the
            # means and deviations of a million images, which a few batches of a small data
            # set would overwrite with noise.
            kept = self.learnt and isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = layer.name in learning and not kept

    def trainable_parameters(self, train_from: str) -> int:
        """Weights that learn when all from here on does."""
        kept = ("BatchNormalization",) if self.learnt else ()
        rows = self.rows[self.first_row(train_from) :]
        return sum(row.parameters - _statistics(row) for row in rows if row.kind not in kept)


def _statistics(row: LayerRow) -> int:
    """Of batch normalisation half are means and deviations, which no gradient changes."""
    return row.parameters // 2 if row.kind == "BatchNormalization" else 0


def build_network(
    recipe: TransferRecipe,
    classes: int,
    base: Callable[[], keras.Model] | None = None,
    *,
    weightless: bool = False,
) -> TransferNetwork:
    """The network of a recipe, its head new, nothing frozen.

    Args:
        recipe: which network, weights, size and head.
        classes: of the data set.
        base: opens the network of the run that the recipe names.
        weightless: it is only looked at, within `without_weights`.

    Raises:
        UnknownModelError, AssetUnavailableError, CorruptAssetError, IncompatibleError
    """
    if recipe.run:
        if base is None:
            raise ValueError("`base` must open the network of the recipe's run. Received: None.")
        return TransferNetwork(remove_top(base()), recipe.head, classes, recipe.seed)
    learnt = recipe.weights == "imagenet"
    without_top = load_without_top(
        recipe.model,
        weights="imagenet" if learnt else None,
        size=recipe.size,
        seed=None if weightless else recipe.seed,
    )
    return TransferNetwork(
        without_top, recipe.head, classes, recipe.seed, learnt=learnt or weightless
    )


def _with_head(base: keras.Model, head: Head, classes: int, seed: int) -> keras.Model:
    numbers = seeds(seed)
    x = base.output
    if head.kind == "flatten":
        x = keras.layers.Flatten(name=f"{HEAD_PREFIX}flatten")(x)
    else:
        x = keras.layers.GlobalAveragePooling2D(name=f"{HEAD_PREFIX}pool")(x)
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
