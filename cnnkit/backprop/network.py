"""A network: layers in a row, and the loss behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnnkit.backprop.layer import Layer
from cnnkit.backprop.loss import SoftmaxCrossEntropy
from cnnkit.errors import IncompatibleError

if TYPE_CHECKING:
    import keras

DTYPES = ("float32", "float64")


class Network:
    """Layers in a row, from images of 0 to 255 to logits, all of them in plain NumPy.

        network = Network.from_keras(model)
        loss = network.forward(images, labels)
        network.backward()
        network["fc1"].gradients["kernel"]

    Args:
        layers: first to last; each has a name of its own.
        input_shape: (height, width, channels) of one image.
        dtype: "float32" or "float64", of all that is computed.

    Raises:
        IncompatibleError: two layers share a name, the dtype is another, or the layers do
            not fit each other or the images; names the layer, expected and received.
    """

    def __init__(
        self, layers: Sequence[Layer], input_shape: tuple[int, ...], dtype: str = "float32"
    ):
        """Check that an image gets through."""
        if dtype not in DTYPES:
            raise IncompatibleError(f"`dtype` must be one of {DTYPES}. Received: {dtype!r}.")
        self.layers = list(layers)
        self.input_shape = tuple(input_shape)
        self.dtype = np.dtype(dtype)
        self.loss = SoftmaxCrossEntropy()
        self._check_names()
        for layer in self.layers:
            layer.check_finite()
            layer.parameters = {n: v.astype(self.dtype) for n, v in layer.parameters.items()}
        self.logits(np.zeros((1, *self.input_shape)))

    @classmethod
    def from_keras(cls, model: keras.Model, dtype: str = "float32") -> Network:
        """The NumPy twin of a Keras network whose layers stand in a row, with its weights.

        An activation inside a Keras layer becomes a layer behind it, `<name>_activation`.

        Raises:
            IncompatibleError: a layer has no twin, the graph branches, or weights are not
                finite; names the layer.
        """
        from cnnkit.backprop.keras_conversion import twin

        layers, input_shape = twin(model)
        return cls(layers, input_shape, dtype)

    def to_keras(self) -> keras.Model:
        """A Keras network with the same layers, names and weights, activations apart.

        Its dtype is Keras's float32, whatever the twin's.
        """
        from cnnkit.backprop.keras_conversion import keras_model

        return keras_model(self)

    def __getitem__(self, name: str) -> Layer:
        """The layer of this name.

        Raises:
            KeyError
        """
        return {layer.name: layer for layer in self.layers}[name]

    def __iter__(self) -> Iterator[Layer]:
        """First to last."""
        return iter(self.layers)

    def logits(self, images: np.ndarray, training: bool = False) -> np.ndarray:
        """Forward through all layers: (images, classes).

        Args:
            images: (images, height, width, channels), 0 to 255.
            training: whether dropout drops.

        Raises:
            IncompatibleError: images that do not fit, or none at all.
        """
        x = self._images(images)
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def forward(self, images: np.ndarray, labels: np.ndarray, training: bool = False) -> float:
        """Mean loss of some images, in nats; every layer keeps what it saw and said."""
        return self.loss.forward(self.logits(images, training), labels)

    def backward(self, *, whole: bool = True) -> None:
        """Fill the gradients of all layers, after `forward`.

        Args:
            whole: carry the deltas down to the image itself; else no further than to the
                lowest layer that learns, which is all that a step of learning needs.
        """
        delta = self.loss.backward()
        learning = [layer for layer in self.layers if layer.trainable and layer.parameters]
        lowest = None if whole else next(iter(learning), self.layers[-1])
        for layer in reversed(self.layers):
            if layer is lowest:
                return layer.learn_from(delta)
            delta = layer.backward(delta)

    def step(self, learning_rate: float) -> None:
        """W ← W - rate · ΔW, in all layers that learn."""
        for layer in self.layers:
            if layer.trainable:
                layer.parameters = {
                    name: values - self.dtype.type(learning_rate) * layer.gradients[name]
                    for name, values in layer.parameters.items()
                }

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Softmax of the logits, (images, classes)."""
        logits = self.logits(images)
        self.loss.forward(logits, np.zeros(len(logits), np.int64))
        return self.loss.probabilities

    @property
    def parameter_count(self) -> int:
        """Of all layers."""
        return sum(v.size for layer in self.layers for v in layer.parameters.values())

    def _images(self, images: np.ndarray) -> np.ndarray:
        images = np.asarray(images)
        if images.ndim != len(self.input_shape) + 1 or images.shape[1:] != self.input_shape:
            wanted = "×".join(map(str, self.input_shape))
            raise IncompatibleError(
                f"The network expects a batch of images of {wanted}. "
                f"Received: {'×'.join(map(str, images.shape)) or 'a single number'}."
            )
        return images.astype(self.dtype, copy=False)

    def _check_names(self) -> None:
        names = [layer.name for layer in self.layers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or not names:
            received = f"{twice[0]!r} twice" if twice else "no layer"
            raise IncompatibleError(f"A network expects layers of different names. {received}.")
