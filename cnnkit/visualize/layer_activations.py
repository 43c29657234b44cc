"""The activations of all layers of a network for one image, from one compiled pass.

reader = ActivationReader(model, (224, 224, 3))
activations = reader(image)
activations["block3_conv1"].shape  # (56, 56, 256)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import tf
from cnnkit.errors import IncompatibleError, UnknownLayerError
from cnnkit.visualize.network import ActivationModel

if TYPE_CHECKING:
    from cnnkit.anatomy import LayerRow
    from cnnkit.anatomy.receptive_field import ReceptiveField

# Layers that keep each value in its place, or only add zeros around: their maps show what the
# convolution before them found.
PASSING = ("Activation", "BatchNormalization", "Dropout", "ELU", "LeakyReLU", "PReLU", "ReLU")

# Layers between an image and the first convolution; those that turn RGB to BGR and back.
REVERSING = ("Flip", "GetItem")
COLOR_KEEPING = (
    *("Add", "BatchNormalization", "Cast", "Divide", "Dropout", "InputLayer", "Multiply"),
    *("Normalization", "Rescaling", "Subtract", "TrueDivide", "ZeroPadding2D", *REVERSING),
)


class ActivationReader:
    """A network with all its layers laid open, compiled once.

    Args:
        model: one image in; Sequential or functional, flat or nested.
        input_shape: (height, width, channels) of the images.

    Raises:
        IncompatibleError: the network has several inputs, or no graph that could be read.
    """

    def __init__(self, model: Any, input_shape: Sequence[int]):
        """Take the network apart, and join all outputs into one function."""
        from cnnkit import anatomy
        from cnnkit.anatomy.graph import trace
        from cnnkit.anatomy.receptive_field import receptive_fields

        if len(model.inputs) != 1:
            raise IncompatibleError(
                f"{model.name!r} takes {len(model.inputs)} inputs; a network of one image can be "
                "looked into."
            )
        self.input_shape = tuple(input_shape)
        self.table = anatomy.layer_table(model, self.input_shape)
        self.blocks = anatomy.blocks_in_order(self.table)
        traced = trace(model, self.input_shape)
        fields = receptive_fields(traced)
        self._operations = {call.path: call.operation for call in reversed(traced.calls)}
        self._fields = {c.path: f for c, f in zip(traced.calls, fields, strict=True)}
        self._rows = {row.name: row for row in reversed(self.table.rows)}
        self._input = self.table.rows[0].name
        names = [
            row.name
            for row in self._rows.values()
            if row.name != self._input and len(row.output_shape) in (1, 3)
        ]
        height, width, _ = self.input_shape
        network = ActivationModel(model, names, (height, width))
        signature = [tf.TensorSpec((1, *self.input_shape), tf.float32)]
        self._call = tf.function(network, input_signature=signature, autograph=False)

    def __call__(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """The activations of every layer, the image itself among them.

        Args:
            image: uint8 or float32 (height, width, channels), 0 to 255.

        Returns:
            Layer name → float32 (height, width, channels) or (units,), in the order in which
            the image meets the layers. Layers with other outputs are left out.

        Raises:
            IncompatibleError: the image has another size than the network takes.
        """
        if image.shape != self.input_shape:
            raise IncompatibleError(
                f"The network takes images of {self.input_shape}. Received: {image.shape}."
            )
        values = image.astype(np.float32)
        # Not `numpy()`, which copies: these are some hundred megabytes of a large network.
        outputs = {
            name: np.asarray(output)[0]
            for name, output in self._call(tf.constant(values[np.newaxis])).items()
        }
        outputs[self._input] = values
        return {row.name: outputs[row.name] for row in self.table.rows if row.name in outputs}

    def row(self, layer: str) -> LayerRow:
        """A layer of the table; of one that is used several times, its first use.

        Raises:
            UnknownLayerError: lists the layers there are.
        """
        if layer not in self._rows:
            raise UnknownLayerError(layer, self._rows)
        return self._rows[layer]

    def layer(self, name: str) -> Any:
        """The Keras layer, or the operation, of a row."""
        return self._operations[self.row(name).name]

    def source(self, layer: str) -> str:
        """Name of the first layer that a layer reads from."""
        return self.table.rows[self.row(layer).inputs[0]].name

    def field(self, layer: str) -> ReceptiveField:
        """Which pixels of the image the values of a layer depend on."""
        return self._fields[self.row(layer).name]

    def colors_read_by(self, layer: str) -> tuple[int, ...] | None:
        """Which of red, green and blue each input map of a layer is; None: they are no colors."""
        row = self.table.rows[self.row(layer).inputs[0]]
        order = (0, 1, 2)
        while row.kind in COLOR_KEEPING and row.output_shape[-1] == 3:
            if row.kind in REVERSING:
                order = order[::-1]
            if not row.inputs:
                return order
            row = self.table.rows[row.inputs[0]]
        return None

    def convolution(self, layer: str) -> str | None:
        """The convolution whose filters make the maps of a layer; None: there is none.

        It is the layer itself, or one before it from which only normalization and activation
        separate it: filter and map have the same number.
        """
        row = self.row(layer)
        while row.kind in PASSING and len(row.inputs) == 1:
            row = self.table.rows[row.inputs[0]]
        return row.name if "Conv" in row.kind else None


def box_of(
    field: ReceptiveField, position: Sequence[int], size: Sequence[int]
) -> tuple[int, int, int, int]:
    """The part of an image that one value of a map depends on, exactly.

    Args:
        field: of the layer, from `ActivationReader.field`.
        position: (row, column) of the value in its map.
        size: (height, width) of the image; what of the field lies outside is cut off.

    Returns:
        Top, left, bottom and right in pixels; bottom and right lie outside of it. The whole
        image where the value depends on all of it, or where that is not known.
    """
    height, width = size
    if field.whole or field.axes is None:
        return 0, 0, height, width
    (top, bottom), (left, right) = (
        (max(0, axis.first(place)), min(side, axis.last(place) + 1))
        for axis, place, side in zip(field.axes, position, size, strict=True)
    )
    return top, left, bottom, right
