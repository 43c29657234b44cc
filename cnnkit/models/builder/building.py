"""A definition as a model of Keras."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cnnkit._lazy import keras
from cnnkit.models.builder.checking import costs_of, expand_entry
from cnnkit.models.builder.definition import NetworkDefinition
from cnnkit.models.builder.expansion import IMAGE, LOGITS, NAME, Expansion
from cnnkit.models.builder.initializers import Initializer
from cnnkit.models.builder.keras_layers import PlainLayer, Shape

if TYPE_CHECKING:
    from keras import Model


def build_definition(definition: NetworkDefinition, seeds: Iterator[int]) -> Model:
    """Build a flat model from images, 0 to 255, to logits.

    Args:
        definition: what is built, with the shape of its images and its classes.
        seeds: of initial weights and dropout.

    Raises:
        IncompatibleError: it is impossible; says at which layer, why, and what would help.
    """
    costs_of(definition)
    return assemble(definition, seeds)


def assemble(definition: NetworkDefinition, seeds: Iterator[int]) -> Model:
    """The same without a check: what is impossible fails as Keras fails."""
    tensors: dict[str, Any] = {}

    def realize(layer: PlainLayer) -> Shape:
        if layer.kind == "InputLayer":
            tensors[layer.name] = keras.Input(definition.input_shape, name=layer.name)
        else:
            made = getattr(keras.layers, layer.kind)(name=layer.name, **_arguments(layer))
            inputs = [tensors[name] for name in layer.inputs]
            merges = layer.kind in ("Add", "Concatenate")
            tensors[layer.name] = made(inputs if merges else inputs[0])
        return tuple(tensors[layer.name].shape[1:])

    network = Expansion(seeds, realize)
    network.add("InputLayer", IMAGE)
    for entry in definition.entries:
        expand_entry(network, entry, definition.classes)
    return keras.Model(tensors[IMAGE], tensors[LOGITS], name=NAME)


def _arguments(layer: PlainLayer) -> dict[str, Any]:
    return {
        name: getattr(keras.initializers, value.kind)(**value.arguments)
        if isinstance(value, Initializer)
        else value
        for name, value in layer.arguments.items()
    }
