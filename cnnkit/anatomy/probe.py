"""Looking at what layers answer to images."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from cnnkit.anatomy.graph import layer_outputs
from cnnkit.errors import IncompatibleError, UnknownLayerError


class Probe:
    """A network with its layers laid open, compiled once.

    Args:
        model: from one (batch, height, width, channels), 0 to 255. Of a nested network its
            answer can be read, not what is inside it; of a layer with several outputs the
            first, of a layer used several times its first answer.
        layers: names of the layers to read; None: all.

    Raises:
        UnknownLayerError: lists the layers there are.
        IncompatibleError: the network has several inputs, or no graph that could be read.
    """

    def __init__(self, model: keras.Model, layers: Sequence[str] | None = None):
        """Join the outputs into one function, so that one pass gives them all."""
        known = [layer.name for layer in model.layers]
        self.layers = list(layers or known)
        for name in self.layers:
            if name not in known:
                raise UnknownLayerError(name, known)
        outputs = layer_outputs(model)
        if len(model.inputs) != 1:
            raise IncompatibleError(
                f"{model.name!r} takes {len(model.inputs)} inputs; a network of one image can be "
                "looked into."
            )
        self._shape = tuple(model.inputs[0].shape[1:])
        opened = keras.Model(model.inputs, [outputs[name][0] for name in self.layers])
        self._call = tf.function(lambda images: opened(images, training=False))

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """What each layer answers.

        Args:
            images: uint8 or float32, (batch, height, width, channels), 0 to 255.

        Returns:
            Layer name → float32, (batch, height, width, channels) or (batch, units).

        Raises:
            IncompatibleError: the images have another size than the network takes.
        """
        if not _fits(images.shape[1:], self._shape):
            raise IncompatibleError(
                f"The network takes images of {self._shape}. Received: {images.shape[1:]}."
            )
        answers = self._call(tf.constant(images, tf.float32))
        answers = answers if isinstance(answers, list | tuple) else [answers]
        return {name: answer.numpy() for name, answer in zip(self.layers, answers, strict=True)}


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether images have the size that a network takes; None: any."""
    return len(shape) == len(wanted) and all(
        own in (None, size) for size, own in zip(shape, wanted, strict=True)
    )
