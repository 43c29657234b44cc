"""Receptive fields and effective strides, followed exactly along the graph.

The receptive field of a layer is the side of the smallest box of input pixels that can
change one of its values (the largest over its values, where they differ, as after a
transposed convolution). It is that of an endless image: near its edge some of the box is
padding, and the field of a deep layer may be larger than the image. The effective stride
("jump") is the distance, in input pixels, between two neighboring values.

For each axis two borders are followed: the first and the last pixel that value number i
sees. Both are functions of i that repeat themselves but for a shift, so they can be written
down exactly (`Border`); where branches meet, the box around all of them counts. After
global pooling, flattening, attention, or multiplication by a gate that saw everything, a
value sees the whole image. See Araujo, Norris, Sim: Computing Receptive Fields of
Convolutional Neural Networks, Distill 2019.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cnnkit._lazy import keras
from cnnkit.anatomy.costs import ELEMENTWISE, known_as
from cnnkit.anatomy.graph import Call, GraphTrace

REDUCTIONS = ("Mean", "Max", "Min", "Sum", "Amax", "Amin")
AXIS_NORMALIZATIONS = (
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
    "Softmax",
)
LONGEST = 4096  # values of a border that are written down; beyond, the field is unknown


@dataclass(frozen=True)
class Border:
    """A function of whole numbers with f(i + period) = f(i) + shift."""

    values: tuple[int, ...]  # f(0) … f(period - 1)
    shift: int

    def __call__(self, index: int) -> int:
        """The function's value, for any index."""
        turns, rest = divmod(index, len(self.values))
        return self.values[rest] + turns * self.shift

    @property
    def slope(self) -> Fraction:
        """How far the function moves on for each index, on average."""
        return Fraction(self.shift, len(self.values))

    def after(self, inner: Border) -> Border:
        """The function i → self(inner(i))."""
        turns = len(self.values) // math.gcd(len(self.values), inner.shift)
        period = turns * len(inner.values)
        values = tuple(self(inner(i)) for i in range(period))
        return Border(values, self(inner(period)) - values[0])


IDENTITY = Border((0,), 1)


@dataclass(frozen=True)
class Axis:
    """What the values along one axis see: first and last pixel, as functions of the index."""

    first: Border = IDENTITY
    last: Border = IDENTITY

    @property
    def size(self) -> int:
        """Pixels of the largest field."""
        period = math.lcm(len(self.first.values), len(self.last.values))
        return max(self.last(i) - self.first(i) + 1 for i in range(period))

    @property
    def stride(self) -> Fraction:
        """Pixels from one value to the next."""
        return self.first.slope

    def through(self, window: Axis) -> Axis:
        """What a layer sees whose window looks at this one."""
        return Axis(self.first.after(window.first), self.last.after(window.last))


@dataclass(frozen=True)
class ReceptiveField:
    """What a layer's values see of the image.

    Args:
        axes: of each spatial axis of the image; None: not known, or no map any more.
        whole: everything can change every value.
    """

    axes: tuple[Axis, ...] | None = None
    whole: bool = False

    @property
    def sizes(self) -> tuple[int, ...] | None:
        """Pixels along each axis, where the image is not seen as a whole."""
        return tuple(axis.size for axis in self.axes) if self.axes and not self.whole else None

    @property
    def strides(self) -> tuple[Fraction, ...] | None:
        """Pixels between neighbors along each axis; None where there are no neighbors."""
        return tuple(axis.stride for axis in self.axes) if self.axes else None


def receptive_fields(trace: GraphTrace) -> list[ReceptiveField]:
    """The field of each call of a trace, in its order."""
    sizes = {tuple(tensor.shape[1:-1]) for tensor in trace.inputs}
    maps = len(sizes) == 1 and len(next(iter(sizes))) > 0
    field_of = {
        id(tensor): ReceptiveField((Axis(),) * (len(tensor.shape) - 2) if maps else None)
        for tensor in trace.inputs
    }
    fields = []
    for call in trace.calls:
        if call.inputs:
            seen = [field_of.get(id(tensor), ReceptiveField()) for tensor in call.inputs]
            field = ReceptiveField(whole=maps) if _sees_all(call) else _follow(call, seen)
        else:
            field = field_of[id(call.outputs[0])]
        field_of |= {id(tensor): field for tensor in call.outputs}
        fields.append(field)
    return fields


def _follow(call: Call, seen: Sequence[ReceptiveField]) -> ReceptiveField:
    whole = any(field.whole for field in seen)
    windows = _windows(call)
    if windows is not None:
        return ReceptiveField(look_through(seen[0].axes, windows), whole)
    if _keeps_places(call):
        return ReceptiveField(box_around(seen), whole)
    return ReceptiveField(None, whole)


def look_through(axes: tuple[Axis, ...] | None, windows: Sequence[Axis]) -> tuple[Axis, ...] | None:
    """What a layer sees whose windows look at these axes; None: not known, or too long."""
    if axes is None or len(axes) != len(windows):
        return None
    turned = tuple(axis.through(window) for axis, window in zip(axes, windows, strict=True))
    return turned if all(len(axis.first.values) <= LONGEST for axis in turned) else None


def box_around(seen: Sequence[ReceptiveField]) -> tuple[Axis, ...] | None:
    """The boxes around what several branches see at each place; None: not known."""
    if any(field.axes is None and not field.whole for field in seen):
        return None
    branches = [field.axes for field in seen if field.axes is not None]
    if not branches or len({len(axes) for axes in branches}) != 1:
        return None
    merged = tuple(_around(axes) for axes in zip(*branches, strict=True))
    return None if None in merged else merged  # type: ignore[return-value]


def _around(axes: Sequence[Axis]) -> Axis | None:
    if len(set(axes)) == 1:
        return axes[0]
    if len({axis.stride for axis in axes}) != 1:
        return None
    period = math.lcm(*(len(b.values) for axis in axes for b in (axis.first, axis.last)))
    if period > LONGEST:
        return None
    shift = int(axes[0].stride * period)
    first = tuple(min(axis.first(i) for axis in axes) for i in range(period))
    last = tuple(max(axis.last(i) for axis in axes) for i in range(period))
    return Axis(Border(first, shift), Border(last, shift))


def _sees_all(call: Call) -> bool:
    """Whether each value comes from all places of the first input."""
    layer, kind = call.operation, known_as(call.operation) or ""
    if kind.startswith("Global") and "Pooling" in kind:
        return True
    if kind.endswith("Attention") or kind == "GroupNormalization":
        return True
    rank = len(call.inputs[0].shape)
    if kind in ("Flatten", "Reshape"):
        return rank > 2 and len(call.outputs[0].shape) == 2
    if kind in REDUCTIONS or kind in AXIS_NORMALIZATIONS:
        return bool(_axes_of(layer.axis, rank) & set(range(1, rank - 1)))
    return False


def _axes_of(axis: Any, rank: int) -> set[int]:
    if axis is None:
        return set(range(1, rank))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    return {one % rank for one in axes}


def _windows(call: Call) -> list[Axis] | None:
    """For each axis, which places of its input a layer's value sees; None: no such layer."""
    layer, kind = call.operation, known_as(call.operation)
    if kind is None or not isinstance(layer, keras.Layer):
        return None
    before, after = _spatial(layer, call.inputs[0]), _spatial(layer, call.outputs[0])
    if hasattr(layer, "kernel_size") and kind.endswith("Transpose"):
        return [_spread(layer, n, before[n], after[n]) for n in range(len(before))]
    if hasattr(layer, "kernel_size") or hasattr(layer, "pool_size"):
        return [_slid(layer, n, before[n], after[n]) for n in range(len(before))]
    if kind.startswith("Adaptive"):
        return [_shared_out(*sides) for sides in zip(before, after, strict=True)]
    if kind.startswith(("ZeroPadding", "Cropping")):
        return [_moved(layer, n) for n in range(len(before))]
    if kind.startswith("UpSampling") or kind == "Resizing":
        blur = getattr(layer, "interpolation", "nearest")
        return [_enlarged(*sides, blur) for sides in zip(before, after, strict=True)]
    if kind == "CenterCrop":
        return [_shifted((b - a) // 2) for b, a in zip(before, after, strict=True)]
    return None


def _spatial(layer: Any, tensor: Any) -> tuple[int, ...]:
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    return tuple(tensor.shape[2:] if first else tensor.shape[1:-1])


def _slid(layer: Any, n: int, before: int, after: int) -> Axis:
    size = _of(getattr(layer, "kernel_size", None) or layer.pool_size, n)
    stride, dilation = _of(layer.strides, n), _of(getattr(layer, "dilation_rate", 1), n)
    return sliding_window((size - 1) * dilation, stride, layer.padding, before, after)


def sliding_window(span: int, stride: int, padding: str, before: int, after: int) -> Axis:
    """A window that slides along one axis: convolution or pooling.

    Args:
        span: from the first to the last place of the window.
        stride: between two windows.
        padding: "valid", "same" or "causal".
        before: places of the input.
        after: places of the output.
    """
    left = {"valid": 0, "causal": span}.get(padding)
    if left is None:  # "same": as much as is needed, the odd one on the right
        left = max((after - 1) * stride + span + 1 - before, 0) // 2
    return Axis(Border((-left,), stride), Border((span - left,), stride))


def _spread(layer: Any, n: int, before: int, after: int) -> Axis:
    """A transposed convolution: each input is spread over a window of outputs."""
    stride, dilation = _of(layer.strides, n), _of(layer.dilation_rate, n)
    span = (_of(layer.kernel_size, n) - 1) * dilation
    left = 0
    if layer.padding == "same":
        left = max((before - 1) * stride + span + 1 - after, 0) // 2
    first = tuple(-((span - i - left) // stride) for i in range(stride))
    last = tuple((i + left) // stride for i in range(stride))
    return Axis(Border(first, 1), Border(last, 1))


def _shared_out(before: int, after: int) -> Axis:
    """Adaptive pooling: the input shared out among so many outputs."""
    first = tuple(i * before // after for i in range(after))
    last = tuple(-(-(i + 1) * before // after) - 1 for i in range(after))
    return Axis(Border(first, before), Border(last, before))


def _moved(layer: Any, n: int) -> Axis:
    padding = hasattr(layer, "padding")
    sides = _of(layer.padding if padding else layer.cropping, n)
    left = sides if isinstance(sides, int) else sides[0]
    return _shifted(-left if padding else left)


def _shifted(by: int) -> Axis:
    return Axis(Border((by,), 1), Border((by,), 1))


def _enlarged(before: int, after: int, interpolation: str) -> Axis:
    """Enlarging or shrinking; what lies between pixels is mixed from those around it."""
    around = {"nearest": None, "bilinear": 0, "bicubic": 1, "lanczos3": 2, "lanczos5": 4}
    more = around.get(interpolation, 4)
    period = after // math.gcd(before, after)
    shift = before * period // after
    if more is None:
        nearest = Border(tuple(i * before // after for i in range(period)), shift)
        return Axis(nearest, nearest)
    # Centers of pixels fall on centers: value i lies at (i + 1/2)·before/after - 1/2.
    at = [Fraction((2 * i + 1) * before, 2 * after) - Fraction(1, 2) for i in range(period)]
    first = tuple(math.floor(place) - more for place in at)
    last = tuple(math.ceil(place) + more for place in at)
    return Axis(Border(first, shift), Border(last, shift))


def _of(value: Any, n: int) -> Any:
    return value if isinstance(value, int) else value[n]


def _keeps_places(call: Call) -> bool:
    """Whether each value comes from the same place of every input."""
    kind, rank = known_as(call.operation), len(call.inputs[0].shape)
    # A dense layer on maps takes each place by itself. Reductions are over channels here, or
    # `_sees_all` would have taken them.
    if kind in ELEMENTWISE or kind == "Dense" or kind in REDUCTIONS:
        return True
    if kind in ("Concatenate", "Flip"):
        return _axes_of(call.operation.axis, rank) == {rank - 1}
    if kind == "GetItem":
        return _only_channels(call.argument(1, "key"), rank)
    if kind in ("Flatten", "Reshape", "Squeeze", "ExpandDims"):
        inner = call.inputs[0].shape[1:-1]
        return rank == 2 or tuple(call.outputs[0].shape[1:-1]) == tuple(inner)
    return False


def _only_channels(key: Any, rank: int) -> bool:
    parts = list(key) if isinstance(key, list | tuple) else [key]
    if parts and parts[0] is Ellipsis:
        return len(parts) == 2 and not isinstance(parts[1], int)
    return len(parts) == rank and all(part == slice(None) for part in parts[:-1])
