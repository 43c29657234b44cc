"""A definition as Keras code that a person can read, and that builds the same model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from cnnkit.models.builder.checking import (
    check_definition,
    costs_of,
    expand_entry,
)
from cnnkit.models.builder.definition import NetworkDefinition
from cnnkit.models.builder.expansion import IMAGE, LOGITS, NAME, Expansion
from cnnkit.models.builder.initializers import Initializer
from cnnkit.models.builder.keras_layers import PlainLayer, Shape, times

WIDTH = 84  # of a line, without the shape behind it
_MERGES = ("Add", "Concatenate")


def keras_code(definition: NetworkDefinition, seeds: Iterator[int]) -> str:
    """Python source of a module whose `model` is the network with the weights of these seeds.

    It needs Keras alone.

    Args:
        definition: of the network.
        seeds: as they would be given to `build_definition`.

    Raises:
        IncompatibleError: it is impossible; says at which layer, why, and what would help.
    """
    table, checked = costs_of(definition), check_definition(definition)
    shapes = {row.name: row.output_shape for row in table.rows}
    layers = _with_seeds(definition, shapes, seeds)
    variables = _variables(layers)
    lines = []
    for one in checked.entries:
        shape = f"  # {times(one.shape or ())}"
        made = [layers[layer.name] for layer in one.layers]
        if len(made) > 1:
            lines.append(f"\n# {one.entry.name}: {one.detail}, {times(one.shape or ())}")
        for layer in made:
            lines.append(_line(layer, variables, shape if len(made) == 1 else ""))
    return _MODULE.format(
        title=definition.title,
        parameters=table.parameters,
        macs=table.macs,
        shape=definition.input_shape,
        first=variables[IMAGE],
        layers="\n".join(lines),
        last=variables[LOGITS],
        name=NAME,
    )


_MODULE = '''"""{title}

Images have values from 0 to 255; the outputs are logits: softmax makes probabilities of them.
{parameters:,} parameters, {macs:,} multiply-accumulates for one image.
"""

import keras
from keras import initializers, layers

image = keras.Input({shape}, name="image")
{first} = image
{layers}

model = keras.Model(image, {last}, name="{name}")

if __name__ == "__main__":
    model.summary()
'''


def _with_seeds(
    definition: NetworkDefinition, shapes: dict[str, Shape], seeds: Iterator[int]
) -> dict[str, PlainLayer]:
    """The layers by name, with the seeds that a network would get."""
    network = Expansion(seeds, lambda layer: shapes[layer.name])
    network.add("InputLayer", IMAGE)
    for entry in definition.entries:
        expand_entry(network, entry, definition.classes)
    return {layer.name: layer for layer in network.layers}


def _variables(layers: dict[str, PlainLayer]) -> dict[str, str]:
    """A variable for each layer: `x` where only the next layer reads it, else one of its own."""
    order = list(layers)
    readers: dict[str, list[str]] = {name: [] for name in order}
    for layer in layers.values():
        for source in layer.inputs:
            readers[source].append(layer.name)
    following = dict(itertools.pairwise(order))
    numbers = itertools.count(1)
    return {
        name: "x"
        if name == LOGITS or set(readers[name]) <= {following[name]}
        else f"{_identifier(name)}_{next(numbers)}"
        for name in order
    }


def _identifier(name: str) -> str:
    return name.replace(".", "_").lower()


def _line(layer: PlainLayer, variables: dict[str, str], comment: str) -> str:
    sources = [variables[name] for name in layer.inputs]
    source = f"[{', '.join(sources)}]" if layer.kind in _MERGES else sources[0]
    words = [f"{name}={_source(value)}" for name, value in layer.arguments.items()]
    words.append(f'name="{layer.name}"')
    begin, end = f"{variables[layer.name]} = layers.{layer.kind}(", f")({source})"
    line = begin + ", ".join(words) + end
    if len(line) <= WIDTH:
        return line + comment
    inner = "".join(f"\n    {word}," for word in words)
    return f"{begin}{inner}\n{end}{comment}"


def _source(value: Any) -> str:
    if isinstance(value, Initializer):
        words = ", ".join(f"{name}={one!r}" for name, one in value.arguments.items())
        return f"initializers.{value.kind}({words})"
    return f'"{value}"' if isinstance(value, str) else repr(value)
