"""Mini-batch gradient descent, as plain as it can be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cnnkit.backprop.network import Network
from cnnkit.errors import DivergedError, IncompatibleError

ALL, DENSE = "all layers", "dense layers"  # what learns, as in the option of `toy_cnn`


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """How the network stands after an epoch."""

    number: int  # 1-based
    loss: float  # nats, mean over the batches while they were learnt from
    probability: float  # mean softmax probability of the true class, on the test images
    accuracy: float  # share of test images whose largest logit is the true class's
    seconds: float  # of learning, since the first epoch began; testing is not counted


def choose_learners(network: Network, learn: str) -> None:
    """Let all layers learn, or only the dense ones.

    Args:
        network: whose layers are told.
        learn: `ALL` or `DENSE`.
    """
    if learn not in (ALL, DENSE):
        raise IncompatibleError(f"`learn` must be {ALL!r} or {DENSE!r}. Received: {learn!r}.")
    for layer in network:
        layer.trainable = learn == ALL or layer.kind == "dense"


def train(
    network: Network,
    train_part: tuple[np.ndarray, np.ndarray],
    test_part: tuple[np.ndarray, np.ndarray],
    *,
    epochs: int,
    learning_rate: float = 0.1,
    batch_size: int = 150,
) -> Iterator[Epoch]:
    """Learn from batches in their given order, and tell after each epoch.

        W ← W - rate · (1/N) Σ_i ΔW_i        over the N images of a batch

    Args:
        network: learns in place; layers that are not `trainable` stay as they are.
        train_part: images (n, height, width, channels), 0 to 255, and labels (n,).
        test_part: the same, to measure on.
        epochs: passes through all images.
        learning_rate: per step.
        batch_size: images a step; the last batch may be smaller.

    Raises:
        IncompatibleError: no images, or some that do not fit.
        DivergedError: the loss is no number any more; names the epoch.
    """
    images, labels = train_part
    if not len(images):
        raise IncompatibleError("Training expects at least one image. Received: an empty batch.")
    images = images.astype(network.dtype)  # once, and not in every step
    seconds = 0.0
    for number in range(1, epochs + 1):
        began = time.perf_counter()
        losses = []
        for start in range(0, len(images), batch_size):
            batch = slice(start, start + batch_size)
            losses.append(network.forward(images[batch], labels[batch], training=True))
            network.backward(whole=False)
            network.step(learning_rate)
        seconds += time.perf_counter() - began
        loss = float(np.mean(losses))
        if not np.isfinite(loss):
            raise DivergedError(
                f"The loss left the finite numbers in epoch {number}: the learning rate "
                f"{learning_rate:g} is too large."
            )
        probability, accuracy = measure(network, *test_part)
        yield Epoch(
            number=number, loss=loss, probability=probability, accuracy=accuracy, seconds=seconds
        )


def last(epochs: Iterator[Epoch], tell: Callable[[Epoch], object] = lambda epoch: None) -> Epoch:
    """Run a training to its end; the last epoch.

    Args:
        epochs: from `train`, at least one.
        tell: called with each.
    """
    epoch = next(epochs)
    tell(epoch)
    for epoch in epochs:
        tell(epoch)
    return epoch


def measure(network: Network, images: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Mean softmax probability of the true class, and the share of right answers."""
    probabilities = network.probabilities(images)
    true = np.take_along_axis(probabilities, labels[:, np.newaxis], axis=1)
    return float(true.mean()), float((probabilities.argmax(axis=1) == labels).mean())
