"""One step of learning, and what other learning rates would have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cnnkit.backprop.network import Network

Part = tuple[np.ndarray, np.ndarray]  # images of 0 to 255, and labels
Parameters = Mapping[str, Mapping[str, np.ndarray]]  # layer → parameter → values


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """A step: weights before, gradient, weights after."""

    before: Parameters
    gradients: Parameters
    after: Parameters


def learn_once(network: Network, lesson: Part, rate: float) -> Learned:
    """W ← W - rate · ΔW, in place.

    Args:
        network: that learns.
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
    return Learned(before=before, gradients=gradients, after=_parameters(network))


def losses_along(
    network: Network, lesson: Part, rates: Sequence[float], measured: Sequence[Part]
) -> list[list[float]]:
    """The losses after one step, for each of some learning rates; the network stays as it is.

    Args:
        network: that would learn.
        lesson: one image or several.
        rates: learning rates.
        measured: images whose mean loss is wanted.

    Returns:
        For each of `measured` one loss a rate, in nats.
    """
    network.forward(*lesson)
    network.backward(whole=False)
    kept = {layer.name: layer.parameters for layer in network}
    losses: list[list[float]] = [[] for _ in measured]
    for rate in rates:
        network.step(rate)
        for found, part in zip(losses, measured, strict=True):
            found.append(network.forward(*part))
        for layer in network:
            layer.parameters = kept[layer.name]
    return losses


def _parameters(network: Network) -> dict[str, Mapping[str, np.ndarray]]:
    return {layer.name: layer.parameters for layer in network if layer.parameters}
