"""Dropout on and off: the same network, the same few images, learnt twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnnkit.concepts.perceptron import Perceptron

BATCH = 20  # images of a step
RATE_OF_LEARNING = 2e-3  # Adam's, a step


@dataclass(frozen=True, eq=False)
class Learning:
    """Curves of one training, a value an epoch; the first is before learning.

    Args:
        train_accuracy: on the images it learns from, without dropout, 0 to 1.
        test_accuracy: on images it never saw, 0 to 1.
        train_loss: mean cross-entropy, in nats.
        test_loss: the same on images it never saw.
    """

    train_accuracy: list[float]
    test_accuracy: list[float]
    train_loss: list[float]
    test_loss: list[float]

    @property
    def gap(self) -> float:
        """How much better it is on what it learnt from, at the end: overfitting, -1 to 1."""
        return self.train_accuracy[-1] - self.test_accuracy[-1]


def mask(shape: tuple[int, int], rate: float, generator: np.random.Generator) -> np.ndarray:
    """Which units work for which image.

    Args:
        shape: (images, units).
        rate: fraction that is switched off, 0 to below 1.
        generator: of the random choice.

    Returns:
        float64 of 0 and 1 / (1 - rate): what is left works harder, so that the next layer
        gets as much on average, and nothing needs to change when dropout is off
        (Srivastava et al., 2014, in the inverted form that every library uses today).
    """
    if not 0 <= rate < 1:
        raise ValueError(f"`rate` must be from 0 to below 1. Received: {rate!r}.")
    return (generator.random(shape) >= rate) / (1 - rate)


def learn(
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    *,
    rate: float,
    units: int = 128,
    epochs: int = 60,
    seed: int = 0,
) -> Learning:
    """Train a network of ReLU units with Adam and watch it on images it never saw.

    Args:
        train: float64 (images, inputs) and int (images,).
        test: the same, of other images.
        rate: of dropout; 0 switches it off.
        units: in the hidden layer.
        epochs: passes over the images.
        seed: of start, order and dropout.
    """
    inputs, labels = train
    network = Perceptron.start(
        "noise",
        inputs=inputs.shape[1],
        units=units,
        classes=10,
        scale=float(np.sqrt(2 / inputs.shape[1])),
        activation="relu",
        seed=seed,
    )
    generator = np.random.default_rng(seed + 1)
    adam = _Adam(network.parameters)
    learning = Learning([], [], [], [])
    _record(learning, network, train, test)
    for _ in range(epochs):
        order = generator.permutation(len(inputs))
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            chosen = mask((len(batch), units), rate, generator)
            adam.step(network.gradients(inputs[batch], labels[batch], chosen))
        _record(learning, network, train, test)
    return learning


def _record(learning: Learning, network: Perceptron, train, test) -> None:
    learning.train_accuracy.append(network.accuracy(*train))
    learning.test_accuracy.append(network.accuracy(*test))
    learning.train_loss.append(network.loss(*train))
    learning.test_loss.append(network.loss(*test))


class _Adam:
    """Kingma & Ba, 2014, on a list of arrays that are changed in place."""

    def __init__(self, parameters: list[np.ndarray]):
        self.parameters = parameters
        self.means = [np.zeros_like(p) for p in parameters]
        self.squares = [np.zeros_like(p) for p in parameters]
        self.number = 0

    def step(self, slopes: list[np.ndarray]) -> None:
        self.number += 1
        rate = RATE_OF_LEARNING * np.sqrt(1 - 0.999**self.number) / (1 - 0.9**self.number)
        for parameter, mean, square, slope in zip(
            self.parameters, self.means, self.squares, slopes, strict=True
        ):
            mean += 0.1 * (slope - mean)
            square += 0.001 * (slope**2 - square)
            parameter -= rate * mean / (np.sqrt(square) + 1e-8)
