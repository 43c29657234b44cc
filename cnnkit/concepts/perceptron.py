"""A multilayer perceptron with one hidden layer, and how its weights are initialized."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnnkit.backprop import Dense, Dropout, NumpyModel, ReLU, Tanh

INITIALIZATIONS = ("zeros", "constant", "noise")
ACTIVATIONS = {"tanh": Tanh, "relu": ReLU}


def perceptron(
    initialization: str,
    *,
    inputs: int,
    units: int,
    classes: int,
    scale: float = 0.1,
    activation: str = "tanh",
    dropout: float = 0.0,
    seed: int = 0,
    dropout_seed: int | np.random.Generator = 0,
) -> NumpyModel:
    """Dense layer "hidden", activation, dropout, dense layer "logits"; float64.

    Args:
        initialization: "zeros", "constant" (every weight is `scale`) or "noise" (normal,
            with standard deviation `scale`). Biases are zero.
        inputs: numbers of an image.
        units: of the hidden layer.
        classes: logits.
        scale: see `initialization`.
        activation: "tanh" or "relu".
        dropout: share of the hidden units that a training step leaves out, 0 to below 1.
        seed: of the weights.
        dropout_seed: of the dropout masks.

    Raises:
        ValueError: no initialization has this name.
    """
    if initialization not in INITIALIZATIONS:
        raise ValueError(
            f"`initialization` must be one of {INITIALIZATIONS}. Received: {initialization!r}."
        )
    generator = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        if initialization == "noise":
            return generator.normal(0, scale, shape)
        return np.full(shape, float(scale) if initialization == "constant" else 0.0)

    return NumpyModel(
        [
            Dense("hidden", weights(inputs, units), np.zeros(units)),
            ACTIVATIONS[activation]("activation"),
            Dropout("dropout", dropout, dropout_seed),
            Dense("logits", weights(units, classes), np.zeros(classes)),
        ],
        (inputs,),
        "float64",
    )


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The network after some steps.

    Args:
        step: gradient steps done.
        hidden: weights of the hidden layer, (inputs, units).
        loss: on all images, in nats.
        accuracy: on all images, 0 to 1.
    """

    step: int
    hidden: np.ndarray
    loss: float
    accuracy: float


def gradient_descent(
    network: NumpyModel,
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    steps: int,
    learning_rate: float,
    every: int = 1,
) -> Iterator[Snapshot]:
    """Train by plain gradient descent on all images at once; the network changes.

    Args:
        network: from `perceptron`.
        inputs: (images, inputs).
        labels: int (images,).
        steps: to do.
        learning_rate: of each step.
        every: steps between two snapshots; the start and the end are always among them.
    """
    for step in range(steps + 1):
        loss, accuracy = network.evaluate(inputs, labels)
        if step % every == 0 or step == steps:
            yield Snapshot(step, network["hidden"].parameters["kernel"], loss, accuracy)
        if step < steps:
            network.backward(whole=False)
            network.step(learning_rate)


def different_units(hidden: np.ndarray, tolerance: float = 1e-9) -> int:
    """Number of hidden units with different weights.

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
    """Images downsampled and flattened, so that a network needs few weights.

    Args:
        images: uint8 (images, height, width, 1); height and width multiples of `side`.
        side: pixels of the small image.

    Returns:
        float64 (images, side · side), 0 to 1, means of blocks of pixels.
    """
    count, height, width = images.shape[:3]
    blocks = images.reshape(count, side, height // side, side, width // side)
    return blocks.mean(axis=(2, 4)).reshape(count, -1) / 255
