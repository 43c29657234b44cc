"""A network of layers in a row, and the softmax cross-entropy behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnnkit.backprop.layer import NOT_COMPUTED, Layer
from cnnkit.errors import IncompatibleError

if TYPE_CHECKING:
    import keras


class SoftmaxCrossEntropy:
    """Softmax probabilities of the logits, and the cross-entropy with the true classes.

        p[k] = e^{z[k]} / Σ_j e^{z[j]}        loss = -ln p[true class]

    Backward, both together give the simplest of all deltas: predicted less true
    probability.

        δ[k] = p[k] - (1 if k is the true class, else 0)

    Over several images the loss is their mean, and each delta is divided by their number.

    Reference:
        Bishop: Pattern Recognition and Machine Learning, 2006, sections 4.3.4 and 5.3.
    """

    kind = "softmax and cross-entropy"

    def __init__(self):
        """Before the first image."""
        self.probabilities = NOT_COMPUTED  # (images, classes)
        self.labels = NOT_COMPUTED  # int (images,)
        self.losses = NOT_COMPUTED  # nats, (images,)

    def forward(self, logits: np.ndarray, labels: np.ndarray) -> float:
        """Mean loss of some images, in nats.

        Args:
            logits: (images, classes).
            labels: int (images,), 0 to classes - 1.

        Raises:
            IncompatibleError: labels are not as many as images, or name no class.
        """
        labels = np.asarray(labels)
        _check(logits, labels)
        shifted = logits - logits.max(axis=1, keepdims=True)  # no exponential overflows
        sums = np.exp(shifted).sum(axis=1, keepdims=True)
        self.probabilities, self.labels = np.exp(shifted) / sums, labels
        true = np.take_along_axis(shifted, labels[:, np.newaxis], axis=1)
        self.losses = (np.log(sums) - true)[:, 0]
        return float(self.losses.mean())

    def backward(self) -> np.ndarray:
        """∂(mean loss)/∂logits, (images, classes)."""
        if self.probabilities is NOT_COMPUTED:
            raise IncompatibleError("The loss expects a forward pass first.")
        delta = self.probabilities.copy()
        delta[np.arange(len(delta)), self.labels] -= 1
        return delta / len(delta)


def _check(logits: np.ndarray, labels: np.ndarray) -> None:
    if logits.ndim != 2 or not len(logits):
        shape = "×".join(map(str, logits.shape))
        raise IncompatibleError(f"The loss expects logits of images×classes. Received: {shape}.")
    if labels.shape != logits.shape[:1]:
        raise IncompatibleError(
            f"The loss expects one label for each of {len(logits)} images. "
            f"Received: {'×'.join(map(str, labels.shape)) or 'a single number'}."
        )
    if labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise IncompatibleError(
            f"The loss expects labels of 0 to {logits.shape[1] - 1}. "
            f"Received: {labels.min()} to {labels.max()}."
        )


DTYPES = ("float32", "float64")


class NumpyModel:
    """A sequential network in plain NumPy, from images of 0 to 255 to logits.

        network = NumpyModel.from_keras(model)
        loss = network.forward(images, labels)
        network.backward()
        network["fc1"].gradients["kernel"]

    Args:
        layers: first to last; each has a name of its own.
        input_shape: (height, width, channels) of one image, or (numbers,).
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
    def from_keras(cls, model: keras.Model, dtype: str = "float32") -> NumpyModel:
        """The NumPy model of a sequential Keras model, with its weights.

        An activation inside a Keras layer becomes a layer behind it, `<name>_activation`.

        Raises:
            IncompatibleError: a layer of another kind, a graph that branches, or weights that
                are not finite; names the layer.
        """
        from cnnkit.backprop.keras_conversion import numpy_layers

        layers, input_shape = numpy_layers(model)
        return cls(layers, input_shape, dtype)

    def to_keras(self) -> keras.Model:
        """A Keras model with the same layers, names and weights, each activation a layer.

        Its dtype is Keras's float32, whatever this model's.
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
        """Mean loss of some images, in nats; every layer keeps its input and output."""
        return self.loss.forward(self.logits(images, training), labels)

    def backward(self, *, whole: bool = True) -> None:
        """Fill the gradients of all layers, after `forward`.

        Args:
            whole: compute the deltas down to the image itself; else no further than to the
                lowest trainable layer, which is all that a training step needs.
        """
        delta = self.loss.backward()
        learning = [layer for layer in self.layers if layer.trainable and layer.parameters]
        lowest = None if whole else next(iter(learning), self.layers[-1])
        for layer in reversed(self.layers):
            if layer is lowest:
                return layer.backward_parameters(delta)
            delta = layer.backward(delta)

    def step(self, learning_rate: float) -> None:
        """W ← W - rate · ΔW, in all trainable layers."""
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

    def evaluate(self, images: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
        """Mean loss in nats, and accuracy, 0 to 1."""
        loss = self.forward(images, labels)
        return loss, float((self.layers[-1].output.argmax(axis=1) == labels).mean())

    @property
    def parameter_count(self) -> int:
        """Of all layers."""
        return sum(v.size for layer in self.layers for v in layer.parameters.values())

    def _images(self, images: np.ndarray) -> np.ndarray:
        images = np.asarray(images)
        if images.ndim != len(self.input_shape) + 1 or images.shape[1:] != self.input_shape:
            expected = "×".join(map(str, self.input_shape))
            raise IncompatibleError(
                f"The network expects a batch of images of {expected}. "
                f"Received: {'×'.join(map(str, images.shape)) or 'a single number'}."
            )
        return images.astype(self.dtype, copy=False)

    def _check_names(self) -> None:
        names = [layer.name for layer in self.layers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or not names:
            received = f"{twice[0]!r} twice" if twice else "no layer"
            raise IncompatibleError(f"A network expects layers of different names. {received}.")
