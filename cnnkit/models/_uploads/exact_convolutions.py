"""Convolutions of which TensorFlow gives wrong numbers on CPUs, computed in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cnnkit._lazy import keras

if TYPE_CHECKING:
    from keras import Model


def convolved_exactly(model: Model) -> Model:
    """The same network, with float64 where float32 convolutions give wrong numbers.

    On CPUs, those of TensorFlow 2.21 (oneDNN) read outside of their memory where the input has
    one channel, the strides are (1, n) and the output is one pixel wide; so do strided ones in
    three dimensions. Those in float64 are other code.
    """

    def in_float64(convolution: Callable) -> Callable:
        def convolved(inputs, kernel):
            exact = convolution(
                keras.ops.cast(inputs, "float64"), keras.ops.cast(kernel, "float64")
            )
            return keras.ops.cast(exact, inputs.dtype)

        return convolved

    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.Conv3D):
            wrong = max(layer.strides) > 1
        elif isinstance(layer, keras.layers.Conv1D | keras.layers.Conv2D):
            wrong = layer.groups * layer.kernel.shape[-2] == 1 and max(layer.strides) > 1
        else:
            continue
        if wrong:
            layer.convolution_op = in_float64(layer.convolution_op)
    return model
