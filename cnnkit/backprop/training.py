"""Mini-batch gradient descent: one step, and epochs of steps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from cnnkit.backprop.network import NumpyModel
from cnnkit.errors import DivergedError, IncompatibleError

Part = tuple[np.ndarray, np.ndarray]  # images of 0 to 255, and labels
Parameters = Mapping[str, Mapping[str, np.ndarray]]  # layer → parameter → values


def one_thread() -> threadpool_limits:
    """Compute small matrix products on one core; use with `with`.

    They are done before a second thread has woken up, and while a job trains on every
    core, waiting for such threads made small networks ten times slower.
    """
    return threadpool_limits(limits=1, user_api="blas")


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientStep:
    """A step: weights before, gradient, weights after."""

    before: Parameters
    gradients: Parameters
    after: Parameters


def gradient_step(network: NumpyModel, lesson: Part, rate: float) -> GradientStep:
    """W ← W - rate · ΔW, in place.

    Args:
        network: to be trained.
        lesson: one image or several.
        rate: the learning rate.

    Raises:
        IncompatibleError: images or labels do not fit.
    """
    network.forward(*lesson)
    network.backward(whole=False)
    before = _parameters(network)
    network.step(rate)
    gradients = {layer.name: layer.gradients for layer in network if layer.gradients}
    return GradientStep(before=before, gradients=gradients, after=_parameters(network))


def losses_along(
    network: NumpyModel, lesson: Part, rates: Sequence[float], measured: Sequence[Part]
) -> list[list[float]]:
    """The losses after one step, for each of some learning rates; the network stays as it is.

    Args:
        network: to measure.
        lesson: one image or several.
        rates: learning rates.
        measured: images whose mean loss is wanted.

    Returns:
        For each of `measured` one loss a rate, in nats.
    """
    network.forward(*lesson)
    network.backward(whole=False)
    parameters = {layer.name: layer.parameters for layer in network}
    losses: list[list[float]] = [[] for _ in measured]
    for rate in rates:
        network.step(rate)
        for part_losses, part in zip(losses, measured, strict=True):
            part_losses.append(network.forward(*part))
        for layer in network:
            layer.parameters = parameters[layer.name]
    return losses


def _parameters(network: NumpyModel) -> dict[str, Mapping[str, np.ndarray]]:
    return {layer.name: layer.parameters for layer in network if layer.parameters}


ALL, DENSE = "all layers", "dense layers"  # trained layers, as in the option of `toy_cnn`


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """How the network stands after an epoch."""

    number: int  # 1-based
    loss: float  # nats, mean over the batches during training
    probability: float  # mean softmax probability of the true class, on the test images
    accuracy: float  # share of test images whose largest logit is the true class's
    seconds: float  # of training since the first epoch began, without testing


def set_trainable(network: NumpyModel, learn: str) -> None:
    """Make all layers trainable, or only the dense ones.

    Args:
        network: whose layers are told.
        learn: `ALL` or `DENSE`.
    """
    if learn not in (ALL, DENSE):
        raise IncompatibleError(f"`learn` must be {ALL!r} or {DENSE!r}. Received: {learn!r}.")
    for layer in network:
        layer.trainable = learn == ALL or layer.kind == "dense"


def train(
    network: NumpyModel,
    train_part: Part,
    test_part: Part,
    *,
    epochs: int,
    learning_rate: float = 0.1,
    batch_size: int = 150,
) -> Iterator[Epoch]:
    """Train on batches in their order, and yield the metrics of each epoch.

        W ← W - rate · (1/N) Σ_i ΔW_i        over the N images of a batch

    Args:
        network: changed in place, except layers that are not `trainable`.
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


def measure(network: NumpyModel, images: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Mean softmax probability of the true class, and the accuracy."""
    probabilities = network.probabilities(images)
    true = np.take_along_axis(probabilities, labels[:, np.newaxis], axis=1)
    return float(true.mean()), float((probabilities.argmax(axis=1) == labels).mean())
