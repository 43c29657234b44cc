"""Training with and without dropout: the same network, the same few images."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from cnnkit.concepts.optimizers import Adam
from cnnkit.concepts.perceptron import perceptron

BATCH_SIZE = 20
LEARNING_RATE = 2e-3  # of Adam


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
