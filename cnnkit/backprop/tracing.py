"""One image followed through the network and back, every number kept by name."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnkit.backprop.layer import Layer
from cnnkit.backprop.network import NumpyModel
from cnnkit.errors import UnknownLayerError


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerTrace:
    """What one layer did with one image, in both directions."""

    name: str
    kind: str
    input: np.ndarray  # (height, width, channels) or (numbers,)
    output: np.ndarray
    delta: np.ndarray  # ∂loss/∂output, which arrives from the layer behind
    input_delta: np.ndarray  # ∂loss/∂input, which goes on to the layer before
    parameters: Mapping[str, np.ndarray]
    gradients: Mapping[str, np.ndarray]  # ∂loss/∂parameter, by the same names
    layer: Any  # of its own kind, as it stood then, with what it remembered (chosen places, masks)


@dataclass(frozen=True, kw_only=True, eq=False)
class BackpropTrace:
    """All steps, and the loss behind them."""

    steps: tuple[LayerTrace, ...]  # in the order of the network
    label: int  # the true class
    logits: np.ndarray  # (classes,)
    probabilities: np.ndarray  # (classes,)
    delta: np.ndarray  # (classes,), probabilities less the truth: where the way back begins
    loss: float  # nats

    def __getitem__(self, name: str) -> LayerTrace:
        """The step of a layer.

        Raises:
            UnknownLayerError: lists the layers.
        """
        steps = {step.name: step for step in self.steps}
        if name not in steps:
            raise UnknownLayerError(name, steps)
        return steps[name]

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Everything by name: "fc1/input", "fc1/delta", "fc1/kernel", "fc1/gradient of kernel"."""
        return {
            f"{step.name}/{name}": values for step in self.steps for name, values in _named(step)
        }


def trace(network: NumpyModel, image: np.ndarray, label: int) -> BackpropTrace:
    """Forward and back through the whole network with one image, as it is used, not trained.

    Args:
        network: whose layers then hold this image's numbers.
        image: (height, width, channels), 0 to 255.
        label: its true class.

    Raises:
        IncompatibleError: image or label do not fit.
    """
    loss = network.forward(np.asarray(image)[np.newaxis], np.array([label]))
    network.backward()
    return BackpropTrace(
        steps=tuple(_step(layer) for layer in network),
        label=int(label),
        logits=network.layers[-1].output[0],
        probabilities=network.loss.probabilities[0],
        delta=network.loss.backward()[0],
        loss=loss,
    )


def _step(layer: Layer) -> LayerTrace:
    # A shallow copy: passes that come later bind other arrays to the layer, and write into none.
    kept = copy.copy(layer)
    return LayerTrace(
        name=kept.name,
        kind=kept.kind,
        input=kept.input[0],
        output=kept.output[0],
        delta=kept.delta[0],
        input_delta=kept.input_delta[0],
        parameters=kept.parameters,
        gradients=kept.gradients,
        layer=kept,
    )


def _named(step: LayerTrace) -> Iterator[tuple[str, np.ndarray]]:
    for name in ("input", "output", "delta", "input_delta"):
        yield name, getattr(step, name)
    for name, values in step.parameters.items():
        yield name, values
        yield f"gradient of {name}", step.gradients[name]
