"""One step of learning from one picture, and what other learning rates would have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cnnkit.backprop.network import Network


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """A step: weights before, gradient, weights after, and what came of it."""

    before: Mapping[str, Mapping[str, np.ndarray]]  # layer → parameter → values
    gradients: Mapping[str, Mapping[str, np.ndarray]]
    after: Mapping[str, Mapping[str, np.ndarray]]
    losses: tuple[float, float]  # nats, before and after
    probabilities: tuple[np.ndarray, np.ndarray]  # (classes,), before and after


def learn_once(network: Network, image: np.ndarray, label: int, rate: float) -> Learned:
    """W ← W - rate · ΔW with one picture, in place.

    Args:
        network: that learns.
        image: (height, width, channels), 0 to 255.
        label: its true class.
        rate: the learning rate.

    Raises:
        IncompatibleError: picture or label do not fit.
    """
    images, labels = image[np.newaxis], np.array([label])
    loss = network.forward(images, labels)
    network.backward()
    probabilities: np.ndarray = network.loss.probabilities  # type: ignore[assignment]
    before = _parameters(network)
    gradients = {layer.name: layer.gradients for layer in network if layer.gradients}
    network.step(rate)
    loss_after = network.forward(images, labels)
    after: np.ndarray = network.loss.probabilities  # type: ignore[assignment]
    return Learned(
        before=before,
        gradients=gradients,
        after=_parameters(network),
        losses=(loss, loss_after),
        probabilities=(probabilities[0], after[0]),
    )


def losses_along(
    network: Network, image: np.ndarray, label: int, rates: Sequence[float]
) -> list[float]:
    """The loss after one step, for each of some learning rates; the network stays as it is."""
    images, labels = image[np.newaxis], np.array([label])
    network.forward(images, labels)
    network.backward()
    kept = {layer.name: layer.parameters for layer in network}
    gradients = {layer.name: layer.gradients for layer in network}
    losses = []
    for rate in rates:
        for layer in network:
            layer.parameters, layer.gradients = kept[layer.name], gradients[layer.name]
        network.step(rate)
        losses.append(network.forward(images, labels))
    for layer in network:
        layer.parameters = kept[layer.name]
    return losses


def _parameters(network: Network) -> dict[str, Mapping[str, np.ndarray]]:
    return {layer.name: layer.parameters for layer in network if layer.parameters}
