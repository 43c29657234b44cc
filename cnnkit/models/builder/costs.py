"""The layer table of a network that was never built, from the shapes of its layers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cnnkit.anatomy.receptive_field import ReceptiveField
from cnnkit.anatomy.table import LayerRow, LayerTable, longest_path, peak_bytes
from cnnkit.models.builder.expansion import IMAGE, LOGITS, NAME, Expansion
from cnnkit.models.builder.keras_layers import RULES, PlainLayer, Shape

BYTES = 4  # of a number
Shapes = Mapping[str, Shape]  # of what each layer gives, by its name


def detail_of(layer: PlainLayer, shapes: Shapes) -> str:
    """What a layer does, in three or four words."""
    return RULES[layer.kind].detail(layer.arguments, _input(layer, shapes))


def weights_of(layer: PlainLayer, shapes: Shapes) -> tuple[int, int]:
    """Parameters of a layer: trainable ones, and others."""
    return RULES[layer.kind].weights(layer.arguments, _input(layer, shapes))


def macs_of(layer: PlainLayer, shapes: Shapes) -> int:
    """Multiply-accumulates of a layer for one image."""
    return RULES[layer.kind].macs(layer.arguments, _input(layer, shapes), shapes[layer.name])


def layer_table_of(network: Expansion, fields: Mapping[str, ReceptiveField]) -> LayerTable:
    """The same table that `cnnkit.anatomy.layer_table` makes of the built network.

    Args:
        network: all layers, from the image to the logits.
        fields: the receptive field of each layer, by its name.
    """
    layers = _in_the_order_of_keras(network.layers)
    numbers = {layer.name: number for number, layer in enumerate(layers)}
    rows = tuple(_row(one, numbers, network.shapes, fields[one.name]) for one in layers)
    output = numbers[LOGITS]
    return LayerTable(
        name=NAME,
        input_shape=network.shapes[IMAGE],
        rows=rows,
        parameters=sum(row.parameters for row in rows),
        trainable=sum(row.trainable for row in rows),
        macs=sum(row.macs or 0 for row in rows),
        not_counted=(),
        pool_operations=sum(row.pool_operations for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
        peak_activation_bytes=peak_bytes(
            [row.inputs for row in rows],
            [{number: row.activation_bytes} for number, row in enumerate(rows)],
            [output],
        ),
        depth=longest_path(rows, [output]),
        receptive_field=rows[output].receptive_field,
        output=output,
    )


def _input(layer: PlainLayer, shapes: Shapes) -> Shape:
    return shapes[layer.inputs[0] if layer.inputs else layer.name]


def _row(
    layer: PlainLayer, numbers: Mapping[str, int], shapes: Shapes, field: ReceptiveField
) -> LayerRow:
    source, shape = _input(layer, shapes), shapes[layer.name]
    trainable, fixed = weights_of(layer, shapes)
    return LayerRow(
        name=layer.name,
        kind=layer.kind,
        detail=detail_of(layer, shapes),
        inputs=tuple(dict.fromkeys(numbers[name] for name in layer.inputs)),
        output_shape=shape,
        outputs=1,
        parameters=trainable + fixed,
        trainable=trainable,
        macs=macs_of(layer, shapes),
        pool_operations=RULES[layer.kind].pool_operations(layer.arguments, source, shape),
        activation_bytes=BYTES * math.prod(shape),
        receptive_field=shapes[IMAGE][:2] if field.whole else field.sizes,
        whole_image=field.whole,
        stride=None if field.strides is None else tuple(map(float, field.strides)),
    )


def _in_the_order_of_keras(layers: Sequence[PlainLayer]) -> list[PlainLayer]:
    """By the longest way to the output, the farthest first, as a model of Keras runs them.

    Of those that are equally far, the one first whose reader comes first.
    """
    by_name = {layer.name: layer for layer in layers}
    found: dict[str, None] = {}  # each behind those that it reads, from the output on
    begun: set[str] = set()
    waiting = [layers[-1].name]
    while waiting:
        name = waiting[-1]
        if name in begun:
            found[waiting.pop()] = None
        else:
            begun.add(name)
            waiting += [one for one in reversed(by_name[name].inputs) if one not in begun]
    distance: dict[str, int] = {}
    for name in reversed(found):
        own = distance.setdefault(name, 0)
        for source in by_name[name].inputs:
            distance[source] = max(own + 1, distance.get(source, 0))
    return [by_name[name] for name in sorted(distance, key=lambda name: -distance[name])]
