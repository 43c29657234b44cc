"""Taking a network apart, without computing anything."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import keras

from cnnkit.anatomy.costs import macs, pool_operations
from cnnkit.anatomy.graph import Call, Trace, trace
from cnnkit.anatomy.layers import describe
from cnnkit.anatomy.receptive_field import Reach, reaches
from cnnkit.anatomy.rows import Anatomy, LayerRow


def dissect(model: keras.Model, input_shape: Sequence[int] | None = None) -> Anatomy:
    """Take a network apart; nothing is computed and nothing of the model is changed.

    Args:
        model: Sequential or functional, nested to any depth; ours or anybody's.
        input_shape: (height, width, channels) where the network leaves sizes open.

    Returns:
        A row for each use of a layer, what is counted as `CONVENTION` says.

    Raises:
        IncompatibleError: the network has no graph that could be read, leaves sizes open
            and none is given, or cannot take this size.
    """
    traced = trace(model, input_shape)
    rows = _rows(traced)
    last = next(
        number
        for number, call in enumerate(traced.calls)
        if any(tensor is traced.outputs[0] for tensor in call.outputs)
    )
    return Anatomy(
        name=model.name,
        input_shape=tuple(traced.inputs[0].shape[1:]),
        rows=tuple(rows),
        parameters=sum(row.parameters for row in rows),
        trainable=sum(row.trainable for row in rows),
        macs=sum(row.macs or 0 for row in rows),
        not_counted=tuple(row.name for row in rows if row.macs is None),
        pool_operations=sum(row.pool_operations for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
        peak_activation_bytes=_peak(traced),
        depth=_depth(traced, rows),
        receptive_field=rows[last].receptive_field,
        output=last,
    )


def _rows(traced: Trace) -> list[LayerRow]:
    image = tuple(traced.inputs[0].shape[1:-1])
    counted: set[int] = set()  # weights that were met, by identity
    made_by = {
        id(tensor): number for number, call in enumerate(traced.calls) for tensor in call.outputs
    }
    rows = []
    for call, reach in zip(traced.calls, reaches(traced), strict=True):
        read = dict.fromkeys(made_by[id(tensor)] for tensor in call.inputs if id(tensor) in made_by)
        rows.append(_row(call, tuple(read), reach, image, counted))
    return rows


def _row(
    call: Call, inputs: tuple[int, ...], reach: Reach, image: tuple[int, ...], counted: set[int]
) -> LayerRow:
    fresh = [w for w in getattr(call.operation, "weights", ()) if id(w) not in counted]
    counted |= {id(weight) for weight in fresh}
    return LayerRow(
        name=call.path,
        kind=call.kind,
        detail=describe(call.operation),
        inputs=inputs,
        output_shape=tuple(call.outputs[0].shape[1:]),
        outputs=len(call.outputs),
        parameters=sum(math.prod(weight.shape) for weight in fresh),
        trainable=sum(math.prod(weight.shape) for weight in fresh if weight.trainable),
        macs=macs(call),
        pool_operations=pool_operations(call),
        activation_bytes=sum(map(bytes_of, call.outputs)),
        receptive_field=image if reach.whole else reach.sizes,
        whole_image=reach.whole,
        stride=None if reach.strides is None else tuple(map(float, reach.strides)),
    )


def bytes_of(tensor: Any) -> int:
    """Memory of a tensor, from its shape and dtype."""
    dtype = str(tensor.dtype)
    bits = re.search(r"\d+", dtype)  # "float32", "bfloat16", "uint8"; "bool" has none
    return math.prod(tensor.shape) * (max(8, int(bits[0])) // 8 if bits else 1)


def _peak(traced: Trace) -> int:
    """The most bytes that are needed at once, going through the calls in their order."""
    last_use = {
        id(tensor): number for number, call in enumerate(traced.calls) for tensor in call.inputs
    }
    last_use |= {id(tensor): len(traced.calls) for tensor in traced.outputs}
    alive: dict[int, int] = {}
    peak = 0
    for number, call in enumerate(traced.calls):
        alive |= {id(tensor): bytes_of(tensor) for tensor in call.outputs}
        peak = max(peak, sum(alive.values()))
        alive = {key: size for key, size in alive.items() if last_use.get(key, 0) > number}
    return peak


def _depth(traced: Trace, rows: Sequence[LayerRow]) -> int:
    depths: dict[int, int] = {}
    for call, row in zip(traced.calls, rows, strict=True):
        below = max((depths.get(id(tensor), 0) for tensor in call.inputs), default=0)
        depths |= {id(tensor): below + (row.macs != 0) for tensor in call.outputs}
    return max(depths.get(id(tensor), 0) for tensor in traced.outputs)
