"""The layer table of a network: shapes, parameters, MACs, memory and receptive fields."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cnnkit._lazy import keras
from cnnkit.anatomy.costs import macs, pool_operations
from cnnkit.anatomy.graph import Call, GraphTrace, trace
from cnnkit.anatomy.layers import describe
from cnnkit.anatomy.receptive_field import ReceptiveField, receptive_fields

CONVENTION = (
    "One MAC is one multiplication and one addition, for one image at inference; biases, "
    "activations, normalization, scaling and sums of branches count nothing, pooling is "
    "counted apart."
)


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One use of one layer."""

    name: str  # "outer/inner" for layers of nested networks
    kind: str  # class of the layer or operation: "Conv2D"
    detail: str  # what it does: "64 filters of 3×3, padded"
    inputs: tuple[int, ...]  # numbers of the rows that it reads from, 0 is the first
    output_shape: tuple[int, ...]  # without the batch; of the first output, if several
    outputs: int  # how many there are
    parameters: int  # 0 where the layer was used before: its weights count once
    trainable: int  # of the parameters
    macs: int | None  # for one image; None: not counted
    pool_operations: int  # additions or comparisons of a pooling layer
    activation_bytes: int  # of what the layer gives, for one image
    receptive_field: tuple[int, ...] | None  # pixels along each axis; None: not known
    whole_image: bool  # every pixel counts: the receptive field is the image
    stride: tuple[float, ...] | None  # pixels between neighboring values; None: none or unknown

    @property
    def note(self) -> str:
        """What the figures do not say."""
        return "MACs not counted" if self.macs is None else ""


@dataclass(frozen=True, kw_only=True)
class LayerTable:
    """All rows of a network in the order an image meets them, and their totals."""

    name: str
    input_shape: tuple[int, ...]  # (height, width, channels)
    rows: tuple[LayerRow, ...]
    parameters: int
    trainable: int
    macs: int  # of the rows that are counted
    not_counted: tuple[str, ...]  # names of the rows that are not
    pool_operations: int
    activation_bytes: int  # of all layers, as training keeps them, for one image
    peak_activation_bytes: int  # kept at once at inference, if each is dropped after its last use
    depth: int  # layers with MACs on the longest way from image to output
    receptive_field: tuple[int, ...] | None  # of the output
    output: int  # number of the row that gives it; of several outputs, the first
    convention: str = CONVENTION

    def to_dict(self) -> dict[str, Any]:
        """Plain values: totals, and the rows under "layers"."""
        values = asdict(self)
        rows = values.pop("rows")
        return values | {"layers": rows}

    def to_json(self) -> str:
        """`to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=1)

    def to_csv(self) -> str:
        """One line a row, shapes as "24x24x20"; an empty cell is not known or not counted.

        `inputs` are the numbers of the rows that one reads from, with spaces between them.
        """
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        fields = list(LayerRow.__dataclass_fields__)
        writer.writerow(fields)
        for row in self.rows:
            values = [getattr(row, field) for field in fields]
            values[fields.index("inputs")] = " ".join(map(str, row.inputs))
            writer.writerow(map(_cell, values))
        return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return "x".join(f"{number:g}" for number in value)
    return "" if value is None else value


def layer_table(model: keras.Model, input_shape: Sequence[int] | None = None) -> LayerTable:
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
    made_by = {
        id(tensor): number for number, call in enumerate(traced.calls) for tensor in call.outputs
    }
    outputs = [made_by[id(tensor)] for tensor in traced.outputs]
    return LayerTable(
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
        depth=longest_path(rows, outputs),
        receptive_field=rows[outputs[0]].receptive_field,
        output=outputs[0],
    )


def _rows(traced: GraphTrace) -> list[LayerRow]:
    image = tuple(traced.inputs[0].shape[1:-1])
    counted: set[int] = set()  # weights that were met, by identity
    made_by = {
        id(tensor): number for number, call in enumerate(traced.calls) for tensor in call.outputs
    }
    rows = []
    for call, field in zip(traced.calls, receptive_fields(traced), strict=True):
        read = dict.fromkeys(made_by[id(tensor)] for tensor in call.inputs if id(tensor) in made_by)
        rows.append(_row(call, tuple(read), field, image, counted))
    return rows


def _row(
    call: Call,
    inputs: tuple[int, ...],
    field: ReceptiveField,
    image: tuple[int, ...],
    counted: set[int],
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
        receptive_field=image if field.whole else field.sizes,
        whole_image=field.whole,
        stride=None if field.strides is None else tuple(map(float, field.strides)),
    )


def bytes_of(tensor: Any) -> int:
    """Memory of a tensor, from its shape and dtype."""
    dtype = str(tensor.dtype)
    bits = re.search(r"\d+", dtype)  # "float32", "bfloat16", "uint8"; "bool" has none
    return math.prod(tensor.shape) * (max(8, int(bits[0])) // 8 if bits else 1)


def _peak(traced: GraphTrace) -> int:
    return peak_bytes(
        [[id(tensor) for tensor in call.inputs] for call in traced.calls],
        [{id(tensor): bytes_of(tensor) for tensor in call.outputs} for call in traced.calls],
        [id(tensor) for tensor in traced.outputs],
    )


def peak_bytes(
    read: Sequence[Iterable[Hashable]],
    made: Sequence[Mapping[Hashable, int]],
    outputs: Iterable[Hashable],
) -> int:
    """The most bytes that are needed at once, going through the layers in their order.

    Args:
        read: tensors that each layer reads.
        made: those that it gives, and the bytes of each.
        outputs: those that are needed to the end.
    """
    last_use = {tensor: number for number, tensors in enumerate(read) for tensor in tensors}
    last_use |= dict.fromkeys(outputs, len(read))
    alive: dict[Hashable, int] = {}
    peak = 0
    for number, tensors in enumerate(made):
        alive |= tensors
        peak = max(peak, sum(alive.values()))
        alive = {key: size for key, size in alive.items() if last_use.get(key, 0) > number}
    return peak


def longest_path(rows: Sequence[LayerRow], outputs: Iterable[int]) -> int:
    """Layers with MACs on the longest way from the image to an output.

    Args:
        rows: each after those that it reads from.
        outputs: numbers of the rows that give the outputs.
    """
    depths: list[int] = []
    for row in rows:
        below = max((depths[number] for number in row.inputs), default=0)
        depths.append(below + (row.macs != 0))
    return max(depths[number] for number in outputs)
