"""Where one number comes from: the products whose sum it is, for every layer, both ways.

    forward_sum(step, (3, 4, 0))     the output at row 3, column 4 of map 0
    backward_sum(step, (3, 4, 0))    what the input at that place gets back
    weight_sum(step, (0, 1, 0, 2))   the gradient of one weight

Each is worked out from the formula of its layer alone, element by element; tests compare
all of them with what the layers computed at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnkit.backprop.pooling import AveragePooling, MaxPooling
from cnnkit.backprop.tracing import LayerTrace
from cnnkit.backprop.windows import Grid

Index = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedSum:
    """One number, and what made it: `total` = Σ left · right + bias, or `curve` of it."""

    left: np.ndarray  # (height, width, maps), (height, width) or (numbers,)
    right: np.ndarray  # of the same shape
    total: float  # as the layer computed it
    bias: float | None = None
    ground: np.ndarray | None = None  # (height, width, maps): the maps that `left` is cut from
    window: tuple[int, int, int, int] | None = None  # top, left, height, width on the ground
    map: int | None = None  # the one map of the ground that is used; None: all of them
    place: Index | None = None  # of the only number that counts, in the other array
    curve: str = ""  # an activation is no sum: its formula with the number in it

    @property
    def products(self) -> np.ndarray:
        """The left factors times the right ones."""
        return self.left * self.right

    @property
    def worked_out(self) -> float:
        """The sum, added up here."""
        return float(self.products.sum() + (self.bias or 0))


def forward_sum(step: LayerTrace, index: Index) -> WeightedSum:
    """What made one element of a layer's output.

    Args:
        step: of a layer, from `trace`.
        index: (row, column, map), or (number,).
    """
    return _FORWARD[step.kind](step, index)


def backward_sum(step: LayerTrace, index: Index) -> WeightedSum:
    """Which deltas reach one element of a layer's input.

    Args:
        step: of a layer, from `trace`.
        index: (row, column, map), or (number,).
    """
    return _BACKWARD[step.kind](step, index)


def weight_sum(step: LayerTrace, index: Index) -> WeightedSum:
    """What made one element of the gradient of a kernel.

    Args:
        step: of a convolution or a dense layer.
        index: (row, column, map in, map out), or (input, unit).
    """
    total = step.gradients["kernel"][index]
    if len(index) == 2:
        source, unit = index
        return _sum(step.input[[source]], step.delta[[unit]], total)
    row, column, channel, maps = index
    grid = _grid(step)
    ground = grid.padded(step.input[np.newaxis])[0]
    (rows, columns), (down, across) = grid.steps, grid.strides
    height, width = (rows - 1) * down + 1, (columns - 1) * across + 1
    shifted = ground[row : row + height : down, column : column + width : across, channel]
    window = (row, column, height, width)
    return _sum(shifted, step.delta[..., maps], total, ground=ground, window=window, map=channel)


def bordered_delta(step: LayerTrace) -> np.ndarray:
    """A convolution's arriving deltas with their border of zeros: (height, width, maps)."""
    return _grid(step).bordered(step.delta[np.newaxis])[0]


def _sum(left: np.ndarray, right: np.ndarray, total: Any, **more: Any) -> WeightedSum:
    return WeightedSum(left=left, right=right, total=float(total), **more)


def _grid(step: LayerTrace) -> Grid:
    return step.layer.grid(step.input.shape)


def _convolved(step: LayerTrace, index: Index) -> WeightedSum:
    row, column, maps = index
    grid, kernel = _grid(step), step.parameters["kernel"]
    ground = grid.padded(step.input[np.newaxis])[0]
    top, left = row * grid.strides[0], column * grid.strides[1]
    seen = ground[top : top + grid.size[0], left : left + grid.size[1]]
    bias = float(step.parameters["bias"][maps]) if "bias" in step.parameters else None
    window = (top, left, *grid.size)
    total = step.output[index]
    return _sum(seen, kernel[..., maps], total, bias=bias, ground=ground, window=window)


def _convolved_back(step: LayerTrace, index: Index) -> WeightedSum:
    row, column, channel = index
    height, width = _grid(step).size
    ground = bordered_delta(step)
    seen = ground[row : row + height, column : column + width]
    flipped = step.layer.flipped[..., channel]
    return _sum(
        seen, flipped, step.input_delta[index], ground=ground, window=(row, column, height, width)
    )


def _pooled(step: LayerTrace, index: Index) -> WeightedSum:
    row, column, channel = index
    grid = _grid(step)
    ground = grid.padded(step.input[np.newaxis])[0]
    top, left = row * grid.strides[0], column * grid.strides[1]
    seen = ground[top : top + grid.size[0], left : left + grid.size[1], channel]
    window = (top, left, *grid.size)
    weights = _pooling_weights(step, grid, index)
    return _sum(seen, weights, step.output[index], ground=ground, window=window, map=channel)


def _pooled_back(step: LayerTrace, index: Index) -> WeightedSum:
    """From every field that sees the pixel: its delta, times what the pixel counted there."""
    row, column, channel = index
    grid = _grid(step)
    first, last = zip(
        *(
            _fields_over(place + before, size, stride, steps)
            for place, before, size, stride, steps in zip(
                (row, column), grid.before, grid.size, grid.strides, grid.steps, strict=True
            )
        ),
        strict=True,
    )
    fields = [(i, j) for i in range(first[0], last[0]) for j in range(first[1], last[1])]
    shape = (max(last[0] - first[0], 0), max(last[1] - first[1], 0))
    weights = [
        _pooling_weights(step, grid, (i, j, channel))[
            row + grid.before[0] - i * grid.strides[0],
            column + grid.before[1] - j * grid.strides[1],
        ]
        for i, j in fields
    ]
    seen = step.delta[first[0] : max(last[0], first[0]), first[1] : max(last[1], first[1]), channel]
    return _sum(
        seen,
        np.array(weights, step.delta.dtype).reshape(shape),
        step.input_delta[index],
        ground=step.delta,
        window=(first[0], first[1], *shape),
        map=channel,
    )


def _fields_over(place: int, size: int, stride: int, steps: int) -> tuple[int, int]:
    """The first field that sees a (padded) pixel, and the one behind the last."""
    first = max(-(-(place - size + 1) // stride), 0)
    return first, min(place // stride + 1, steps)


def _pooling_weights(step: LayerTrace, grid: Grid, index: Index) -> np.ndarray:
    """What each number of a field counts in its result: (height, width)."""
    row, column, channel = index
    layer = step.layer
    if isinstance(layer, MaxPooling):
        chosen = layer.argmax[0, row, column, channel]
        return (np.arange(np.prod(grid.size)) == chosen).reshape(grid.size).astype(step.input.dtype)
    counts = layer.counts(grid)
    inside = grid.padded(np.ones((1, *grid.sides, 1), step.input.dtype))[0, ..., 0]
    top, left = row * grid.strides[0], column * grid.strides[1]
    field = inside[top : top + grid.size[0], left : left + grid.size[1]]
    return field / counts[0, row, column, 0]


def _weighted(step: LayerTrace, index: Index) -> WeightedSum:
    unit = index[0]
    bias = float(step.parameters["bias"][unit]) if "bias" in step.parameters else None
    return _sum(step.input, step.parameters["kernel"][:, unit], step.output[unit], bias=bias)


def _weighted_back(step: LayerTrace, index: Index) -> WeightedSum:
    return _sum(step.delta, step.parameters["kernel"][index[0]], step.input_delta[index])


def _curved(step: LayerTrace, index: Index) -> WeightedSum:
    x, y = step.input[index], step.output[index]
    formulas = {
        "ReLU": rf"\max({x:.4g},\ 0)",
        "tanh": rf"\tanh({x:.4g})",
        "sigmoid": rf"1 / (1 + e^{{{-x:.4g}}})",
    }
    return _sum(np.array([x]), np.array([1.0]), y, place=index, curve=formulas[step.kind])


def _curved_back(step: LayerTrace, index: Index) -> WeightedSum:
    slope = step.layer.derivative()[0]
    return _sum(step.delta[index][None], slope[index][None], step.input_delta[index], place=index)


def _folded(step: LayerTrace, index: Index) -> WeightedSum:
    place = tuple(int(i) for i in np.unravel_index(index[0], step.input.shape))
    return _sum(step.input[place][None], np.ones(1), step.output[index], place=place)


def _folded_back(step: LayerTrace, index: Index) -> WeightedSum:
    place = (int(np.ravel_multi_index(index, step.input.shape)),)
    return _sum(step.delta[place][None], np.ones(1), step.input_delta[index], place=place)


def _scaled(step: LayerTrace, index: Index) -> WeightedSum:
    layer = step.layer
    scale, offset = (
        np.broadcast_to(v, step.input.shape)[index] for v in (layer.scale, layer.offset)
    )
    return _sum(
        step.input[index][None],
        scale[None],
        step.output[index],
        place=index,
        bias=float(offset) or None,
    )


def _scaled_back(step: LayerTrace, index: Index) -> WeightedSum:
    scale = np.broadcast_to(step.layer.scale, step.input.shape)[index]
    return _sum(step.delta[index][None], scale[None], step.input_delta[index], place=index)


def _moved(step: LayerTrace, index: Index) -> WeightedSum:
    """From zero padding: a pixel of the image, or a zero of the margin."""
    (top, _), (left, _) = step.layer.margins
    place = (index[0] - top, index[1] - left, index[2])
    inside = all(0 <= i < side for i, side in zip(place, step.input.shape, strict=True))
    left_side = step.input[place][None] if inside else np.zeros(1)
    return _sum(left_side, np.ones(1), step.output[index], place=place if inside else None)


def _moved_back(step: LayerTrace, index: Index) -> WeightedSum:
    (top, _), (left, _) = step.layer.margins
    place = (index[0] + top, index[1] + left, index[2])
    return _sum(step.delta[place][None], np.ones(1), step.input_delta[index], place=place)


def _let_through(step: LayerTrace, index: Index) -> WeightedSum:
    mask = step.layer.mask
    kept = np.ones(1) if mask is None else mask[0][index][None]
    return _sum(step.input[index][None], kept, step.output[index], place=index)


def _let_back(step: LayerTrace, index: Index) -> WeightedSum:
    mask = step.layer.mask
    kept = np.ones(1) if mask is None else mask[0][index][None]
    return _sum(step.delta[index][None], kept, step.input_delta[index], place=index)


Explain = Callable[[LayerTrace, Index], WeightedSum]

_FORWARD: dict[str, Explain] = {
    "convolution": _convolved,
    MaxPooling.kind: _pooled,
    AveragePooling.kind: _pooled,
    "dense": _weighted,
    "ReLU": _curved,
    "tanh": _curved,
    "sigmoid": _curved,
    "flatten": _folded,
    "scaling": _scaled,
    "zero padding": _moved,
    "dropout": _let_through,
}
_BACKWARD: dict[str, Explain] = {
    "convolution": _convolved_back,
    MaxPooling.kind: _pooled_back,
    AveragePooling.kind: _pooled_back,
    "dense": _weighted_back,
    "ReLU": _curved_back,
    "tanh": _curved_back,
    "sigmoid": _curved_back,
    "flatten": _folded_back,
    "scaling": _scaled_back,
    "zero padding": _moved_back,
    "dropout": _let_back,
}
