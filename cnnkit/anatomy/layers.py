"""Layers: their descriptions and filters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnkit._lazy import keras
from cnnkit.anatomy.graph import layer_outputs
from cnnkit.errors import UnknownLayerError


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One box of the pipeline figure."""

    name: str  # of the layer
    kind: str  # class of the layer: "Conv2D", "MaxPooling2D", "Dense", …
    shape: tuple[int, ...]  # (height, width, channels) or (units,)
    parameters: int
    detail: str = ""  # what the layer does: "20 filters of 5×5", "max pooling 2×2", …

    @property
    def images(self) -> bool:
        """Whether it is a stack of images, else a row of numbers."""
        return len(self.shape) == 3

    @property
    def label(self) -> str:
        """The shape as it is written in figures: "24×24×20" or "500"."""
        shape = self.shape[:-1] if len(self.shape) == 3 and self.shape[-1] == 1 else self.shape
        return _times(shape)


def stages(model: keras.Model) -> list[Stage]:
    """The layers that change the shape, from the image to the logits.

    Of the layers that keep it, only those with a kernel count (a padded convolution, a
    dense layer as wide as the one before); scaling, normalization, activation and
    dropout do not. For LeNet: 28×28, 24×24×20, 12×12×20, 8×8×50, 4×4×50, 800, 500, 10.
    A nested network is one stage; of several outputs of a layer the first counts.

    Raises:
        IncompatibleError: the network has no graph that could be read.
    """
    result: list[Stage] = []
    for layer, shape in _shapes(model):
        if not result or shape != result[-1].shape or hasattr(layer, "kernel"):
            result.append(
                Stage(
                    name=layer.name,
                    kind=type(layer).__name__,
                    shape=shape,
                    parameters=layer.count_params(),
                    detail=describe(layer),
                )
            )
    return result


def _shapes(model: keras.Model) -> list[tuple[keras.Layer, tuple[int, ...]]]:
    """Each layer with the shape of what it gives, without the batch."""
    outputs = layer_outputs(model)
    return [(layer, tuple(outputs[layer.name][0].shape[1:])) for layer in model.layers]


def describe(layer: Any) -> str:
    """What a layer does, in three or four words: "20 filters of 5×5".

    Args:
        layer: a layer, or an operation such as that of `x * 2`.
    """
    layers = keras.layers
    match layer:
        case layers.MaxPooling2D(pool_size=(1, 1)):
            return f"subsampling by {_times(layer.strides)}"
        case layers.DepthwiseConv2D():
            return f"one filter of {_times(layer.kernel_size)} per map{_steps(layer)}"
        case layers.Conv2D() | layers.Conv2DTranspose() | layers.SeparableConv2D():
            padded = ", padded" if layer.padding == "same" and max(layer.kernel_size) > 1 else ""
            grouped = f", in {layer.groups} groups" if getattr(layer, "groups", 1) > 1 else ""
            size = _times(layer.kernel_size)
            return f"{layer.filters} filters of {size}{_steps(layer)}{padded}{grouped}"
        case layers.MaxPooling2D():
            return f"max pooling {_times(layer.pool_size)}{_steps(layer, layer.pool_size)}"
        case layers.AveragePooling2D():
            return f"average pooling {_times(layer.pool_size)}{_steps(layer, layer.pool_size)}"
        case keras.Model():
            return f"a network of {len(layer.layers)} layers"
        case layers.Dense():
            return f"fully connected, {layer.kernel.shape[0]} inputs"
        case layers.Activation():
            return layer.activation.__name__
    return DETAILS.get(type(layer).__name__, type(layer).__name__)


# Layers whose class alone says what they do.
DETAILS = {
    "Add": "sum of branches",
    "BatchNormalization": "batch normalization",
    "Concatenate": "concatenated branches",
    "Dropout": "active in training only",
    "Flatten": "flattened to a vector",
    "GlobalAveragePooling2D": "average of each map",
    "GlobalMaxPooling2D": "maximum of each map",
    "InputLayer": "input image",
    "LayerNormalization": "layer normalization",
    "LocalResponseNormalization": "normalized by neighboring maps",
    "Multiply": "maps scaled by a gate",
    "ReLU": "relu",
    "Rescaling": "pixels rescaled",
    "SpatialDropout2D": "active in training only, whole maps",
    "ZeroPadding2D": "zero padding",
}


def _steps(layer: Any, usual: tuple[int, ...] = (1, 1)) -> str:
    """Its strides where they are not the usual ones."""
    strides = tuple(layer.strides)
    return "" if strides == tuple(usual) else f", stride {_times(sorted(set(strides)))}"


def kernel_layers(model: keras.Model) -> list[str]:
    """Names of the convolutions, in the order an image meets them."""
    return [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


def image_layers(model: keras.Model) -> list[str]:
    """Names of the layers whose output is a stack of images, the input left out."""
    return [
        layer.name
        for layer, shape in _shapes(model)
        if len(shape) == 3 and not isinstance(layer, keras.layers.InputLayer)
    ]


def vector_layers(model: keras.Model) -> list[str]:
    """Names of the layers whose output is a row of numbers, the logits included."""
    return [layer.name for layer, shape in _shapes(model) if len(shape) == 1]


def pixel_layer(model: keras.Model) -> str | None:
    """The dense layer whose inputs are the pixels, or None.

    Networks without convolutions have one: each of its units can be drawn as an image
    of its weights (`templates`).
    """
    if kernel_layers(model):
        return None
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    pixels = int(np.prod(model.input_shape[1:]))
    return dense[0].name if dense and dense[0].kernel.shape[0] == pixels else None


def templates(model: keras.Model, layer: str) -> np.ndarray:
    """The weights of a dense layer on the pixels, laid out as the image is.

    Returns:
        float32, (height, width, channels, units).

    Raises:
        UnknownLayerError: the layer does not see the pixels.
    """
    if layer != pixel_layer(model):
        raise UnknownLayerError(layer, filter(None, [pixel_layer(model)]))
    kernel = keras.ops.convert_to_numpy(model.get_layer(layer).kernel)
    return kernel.reshape(*model.input_shape[1:], -1)


def filters(model: keras.Model, layer: str) -> np.ndarray:
    """The kernels of a convolution.

    Returns:
        float32, (height, width, channels_in, filters).

    Raises:
        UnknownLayerError: lists the convolutions there are.
    """
    if layer not in kernel_layers(model):
        raise UnknownLayerError(layer, kernel_layers(model))
    return keras.ops.convert_to_numpy(model.get_layer(layer).kernel)


def _times(sides: Iterable[int]) -> str:
    return "×".join(map(str, sides))
