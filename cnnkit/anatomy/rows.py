"""A network taken apart, as plain values: a row for each use of a layer, and totals."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass
from typing import Any

CONVENTION = (
    "One MAC is one multiplication and one addition, for one image at inference; biases, "
    "activations, normalisation, scaling and sums of branches count nothing, pooling is "
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
    stride: tuple[float, ...] | None  # pixels between neighbouring values; None: none or unknown

    @property
    def note(self) -> str:
        """What the figures do not say."""
        return "MACs not counted" if self.macs is None else ""


@dataclass(frozen=True, kw_only=True)
class Anatomy:
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
