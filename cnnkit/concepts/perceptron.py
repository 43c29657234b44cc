"""A network with one hidden layer, in plain NumPy, small enough to look at every weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnnkit.predict import softmax

STARTS = ("zeros", "constant", "noise")


@dataclass(eq=False)
class Perceptron:
    """Inputs, tanh or ReLU units, logits.

    Args:
        hidden: float64 (inputs, units), weights into the hidden layer.
        hidden_bias: (units,).
        output: (units, classes).
        output_bias: (classes,).
        activation: "tanh" or "relu".
    """

    hidden: np.ndarray
    hidden_bias: np.ndarray
    output: np.ndarray
    output_bias: np.ndarray
    activation: str = "tanh"

    @classmethod
    def start(
        cls,
        kind: str,
        *,
        inputs: int,
        units: int,
        classes: int,
        scale: float = 0.1,
        activation: str = "tanh",
        seed: int = 0,
    ) -> Perceptron:
        """A network before learning.

        Args:
            kind: "zeros", "constant" (every weight is `scale`) or "noise" (normal, with
                standard deviation `scale`). Biases are zero.
            inputs: numbers an image has.
            units: in the hidden layer.
            classes: logits.
            scale: see `kind`.
            activation: "tanh" or "relu".
            seed: of the noise.
        """
        if kind not in STARTS:
            raise ValueError(f"`kind` must be one of {STARTS}. Received: {kind!r}.")
        generator = np.random.default_rng(seed)

        def weights(*shape: int) -> np.ndarray:
            if kind == "noise":
                return generator.normal(0, scale, shape)
            return np.full(shape, float(scale) if kind == "constant" else 0.0)

        return cls(
            weights(inputs, units), np.zeros(units), weights(units, classes), np.zeros(classes),
            activation,
        )  # fmt: skip

    @property
    def parameters(self) -> list[np.ndarray]:
        """The arrays themselves: changing them changes the network."""
        return [self.hidden, self.hidden_bias, self.output, self.output_bias]

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """(images, inputs) to (images, classes)."""
        return self._activate(inputs @ self.hidden + self.hidden_bias) @ self.output + (
            self.output_bias
        )

    def accuracy(self, inputs: np.ndarray, labels: np.ndarray) -> float:
        """Fraction of images whose largest logit is the true class's, 0 to 1."""
        return float(np.mean(self.logits(inputs).argmax(axis=1) == labels))

    def loss(self, inputs: np.ndarray, labels: np.ndarray) -> float:
        """Mean cross-entropy, in nats."""
        chosen = softmax(self.logits(inputs))[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(chosen, 1e-300)).mean())

    def gradients(
        self, inputs: np.ndarray, labels: np.ndarray, mask: np.ndarray | None = None
    ) -> list[np.ndarray]:
        """Backpropagation of the mean cross-entropy, one array for each of `parameters`.

        Args:
            inputs: (images, inputs).
            labels: int (images,).
            mask: (images, units) that the hidden activations are multiplied by: dropout.
        """
        before = inputs @ self.hidden + self.hidden_bias
        after = self._activate(before)
        kept = after if mask is None else after * mask
        error = softmax(kept @ self.output + self.output_bias)
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        back = error @ self.output.T
        if mask is not None:
            back = back * mask
        back = back * (1 - after**2 if self.activation == "tanh" else before > 0)
        return [inputs.T @ back, back.sum(axis=0), kept.T @ error, error.sum(axis=0)]

    def _activate(self, values: np.ndarray) -> np.ndarray:
        return np.tanh(values) if self.activation == "tanh" else np.maximum(values, 0)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The network after some steps.

    Args:
        step: gradient steps done.
        hidden: copy of the weights into the hidden layer, (inputs, units).
        loss: on all images, in nats.
        accuracy: on all images, 0 to 1.
    """

    step: int
    hidden: np.ndarray
    loss: float
    accuracy: float


def descend(
    network: Perceptron,
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    steps: int,
    learning_rate: float,
    every: int = 1,
) -> Iterator[Snapshot]:
    """Train by plain gradient descent on all images at once; the network changes.

    Args:
        network: to be trained.
        inputs: (images, inputs).
        labels: int (images,).
        steps: to do.
        learning_rate: of each step.
        every: steps between two snapshots; the start and the end are always among them.
    """
    for step in range(steps + 1):
        if step % every == 0 or step == steps:
            yield Snapshot(
                step,
                network.hidden.copy(),
                network.loss(inputs, labels),
                network.accuracy(inputs, labels),
            )
        if step < steps:
            slopes = network.gradients(inputs, labels)
            for parameter, slope in zip(network.parameters, slopes, strict=True):
                parameter -= learning_rate * slope


def different_units(hidden: np.ndarray, tolerance: float = 1e-9) -> int:
    """How many of the hidden units do something of their own.

    Args:
        hidden: (inputs, units). Units with equal weights compute the same, so that
            together they are worth one.
        tolerance: weights closer than this are equal.
    """
    kinds: list[np.ndarray] = []
    for unit in hidden.T:
        if not any(np.allclose(unit, kind, rtol=0, atol=tolerance) for kind in kinds):
            kinds.append(unit)
    return len(kinds)


def small_images(images: np.ndarray, side: int = 14) -> np.ndarray:
    """Images made small and flat, so that a network of few weights can read them.

    Args:
        images: uint8 (images, height, width, 1); height and width multiples of `side`.
        side: pixels of the small image.

    Returns:
        float64 (images, side · side), 0 to 1, means of blocks of pixels.
    """
    count, height, width = images.shape[:3]
    blocks = images.reshape(count, side, height // side, side, width // side)
    return blocks.mean(axis=(2, 4)).reshape(count, -1) / 255
