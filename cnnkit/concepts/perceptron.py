"""A multilayer perceptron with one hidden layer: initialization, training, and dropout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from cnnkit.backprop import Dense, Dropout, NumpyModel, ReLU, Tanh
from cnnkit.concepts.optimizers import Adam

INITIALIZATIONS = ("zeros", "constant", "noise")
ACTIVATIONS = {"tanh": Tanh, "relu": ReLU}
BATCH_SIZE, LEARNING_RATE = 20, 2e-3  # of the training with dropout, by Adam


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


@dataclass(frozen=True, eq=False)
class DropoutCurves:
    """Learning curves of one training, a value an epoch; the first is before training.

    Args:
        train_accuracy: on the training images, without dropout, 0 to 1.
        test_accuracy: on the test images, 0 to 1.
        train_loss: mean cross-entropy on the training images, in nats.
        test_loss: mean cross-entropy on the test images, in nats.
    """

    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)

    @property
    def gap(self) -> float:
        """Training accuracy less test accuracy at the end: overfitting, -1 to 1."""
        return self.train_accuracy[-1] - self.test_accuracy[-1]


def train_with_dropout(
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    *,
    rate: float,
    units: int = 128,
    epochs: int = 60,
    seed: int = 0,
) -> DropoutCurves:
    """Train a perceptron of ReLU units with Adam, and evaluate it after each epoch.

    Args:
        train: float64 (images, inputs) and int (images,).
        test: the same, of other images.
        rate: of dropout; 0 switches it off.
        units: of the hidden layer.
        epochs: passes over the images.
        seed: of initialization, order and dropout.
    """
    inputs, labels = train
    generator = np.random.default_rng(seed + 1)
    network = perceptron(
        "noise",
        inputs=inputs.shape[1],
        units=units,
        classes=10,
        scale=float(np.sqrt(2 / inputs.shape[1])),
        activation="relu",
        dropout=rate,
        seed=seed,
        dropout_seed=generator,
    )
    optimizers = defaultdict(lambda: Adam(LEARNING_RATE))
    curves = DropoutCurves()
    for epoch in range(epochs + 1):
        for losses, accuracies, part in (
            (curves.train_loss, curves.train_accuracy, train),
            (curves.test_loss, curves.test_accuracy, test),
        ):
            loss, accuracy = network.evaluate(*part)
            losses.append(loss)
            accuracies.append(accuracy)
        order = generator.permutation(len(inputs)) if epoch < epochs else []
        for first in range(0, len(order), BATCH_SIZE):
            batch = order[first : first + BATCH_SIZE]
            network.forward(inputs[batch], labels[batch], training=True)
            network.backward(whole=False)
            for layer in network:
                layer.parameters = {
                    name: values + optimizers[layer.name, name].step(layer.gradients[name])
                    for name, values in layer.parameters.items()
                }
    return curves
