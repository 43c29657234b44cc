"""Layers read as people draw them: stages with real shapes, and filters as pictures."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from cnnkit.errors import UnknownLayerError


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One box of the pipeline figure."""

    name: str  # of the layer
    kind: str  # class of the layer: "Conv2D", "MaxPooling2D", "Dense", …
    shape: tuple[int, ...]  # (height, width, channels) or (units,)
    parameters: int

    @property
    def label(self) -> str:
        """The shape as it is written in figures: "24×24×20" or "500"."""
        shape = self.shape[:-1] if len(self.shape) == 3 and self.shape[-1] == 1 else self.shape
        return "×".join(map(str, shape))


def stages(model: keras.Model) -> list[Stage]:
    """The layers that change the shape, from the picture to the logits.

    For LeNet: 28×28, 24×24×20, 12×12×20, 8×8×50, 4×4×50, 800, 500, 10.
    """
    found: list[Stage] = []
    for layer in model.layers:
        shape = tuple(layer.output.shape[1:])
        # Scaling, activation and dropout leave the shape, and the figure, as they are.
        if not found or shape != found[-1].shape or layer.count_params() > shape[-1] * 4:
            found.append(
                Stage(
                    name=layer.name,
                    kind=type(layer).__name__,
                    shape=shape,
                    parameters=layer.count_params(),
                )
            )
    return found


def kernel_layers(model: keras.Model) -> list[str]:
    """Names of the convolutions, in the order a picture meets them."""
    return [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


def picture_layers(model: keras.Model) -> list[str]:
    """Names of the layers whose output is a stack of pictures, the input left out."""
    return [
        layer.name
        for layer in model.layers
        if len(layer.output.shape) == 4 and not isinstance(layer, keras.layers.InputLayer)
    ]


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
