"""One image followed through the network and back, and where each number comes from.

    forward_sum(step, (3, 4, 0))     the output at row 3, column 4 of map 0
    backward_sum(step, (3, 4, 0))    the gradient with respect to the input at that place
    weight_sum(step, (0, 1, 0, 2))   the gradient of one weight

Each number is computed from the formula of its layer alone, element by element; tests compare
all of them with what the layers computed at once.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnkit.backprop.layer import Layer
from cnnkit.backprop.network import NumpyModel
from cnnkit.backprop.spatial import MaxPooling
from cnnkit.backprop.windows import Grid
from cnnkit.errors import UnknownLayerError

Index = tuple[int, ...]  # (row, column, map) or (number,)


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerTrace:
    """What one layer did with one image, in both directions."""

    name: str
    kind: str
    input: np.ndarray  # (height, width, channels) or (numbers,)
    output: np.ndarray
    delta: np.ndarray  # ∂loss/∂output
    input_delta: np.ndarray  # ∂loss/∂input
    parameters: Mapping[str, np.ndarray]
    gradients: Mapping[str, np.ndarray]  # ∂loss/∂parameter, by the same names
    layer: Any  # as it stood then, with its argmax or mask

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Every array with its name: "delta", "kernel", "gradient of kernel"."""
        for name in ("input", "output", "delta", "input_delta"):
            yield name, getattr(self, name)
        for name, values in self.parameters.items():
            yield name, values
            yield f"gradient of {name}", self.gradients[name]


@dataclass(frozen=True, kw_only=True, eq=False)
class BackpropTrace:
    """All steps, and the loss behind them."""

    steps: tuple[LayerTrace, ...]  # in the order of the network
    label: int  # the true class
    logits: np.ndarray  # (classes,)
    probabilities: np.ndarray  # (classes,)
    delta: np.ndarray  # (classes,), ∂loss/∂logits: probabilities less the truth
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
            f"{step.name}/{name}": values for step in self.steps for name, values in step.arrays()
        }


def trace(network: NumpyModel, image: np.ndarray, label: int) -> BackpropTrace:
    """Forward and back through the whole network with one image, as at inference.

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
        steps=tuple(map(_step, network)),
        label=int(label),
        logits=network.layers[-1].output[0],
        probabilities=network.loss.probabilities[0],
        delta=network.loss.backward()[0],
        loss=loss,
    )


def _step(layer: Layer) -> LayerTrace:
    # A shallow copy: passes that come later bind other arrays to the layer, and write into none.
    layer = copy.copy(layer)
    return LayerTrace(
        name=layer.name,
        kind=layer.kind,
        input=layer.input[0],
        output=layer.output[0],
        delta=layer.delta[0],
        input_delta=layer.input_delta[0],
        parameters=layer.parameters,
        gradients=layer.gradients,
        layer=layer,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedSum:
    """One number and its terms: `total` = Σ left · right + bias, or `curve` of it."""

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
    """The terms of one element of a layer's output."""
    match step.kind:
        case "convolution":
            left, window, ground = _field(step, index)
            right = step.parameters["kernel"][..., index[2]]
            return _sum(
                left, right, step.output[index], bias=_bias(step, index), ground=ground,
                window=window,
            )  # fmt: skip
        case "max pooling" | "average pooling":
            left, window, ground = _field(step, index)
            return _sum(
                left[..., index[2]], _pooling_weights(step, index), step.output[index],
                ground=ground, window=window, map=index[2],
            )  # fmt: skip
        case "dense":
            right = step.parameters["kernel"][:, index[0]]
            return _sum(step.input, right, step.output[index], bias=_bias(step, index))
    return _elementwise(step, index, backward=False)


def backward_sum(step: LayerTrace, index: Index) -> WeightedSum:
    """The deltas that reach one element of a layer's input, each times its factor."""
    match step.kind:
        case "convolution":
            row, column, channel = index
            height, width = _grid(step).size
            ground = bordered_delta(step)
            left = ground[row : row + height, column : column + width]
            right = step.layer.flipped[..., channel]
            window = (row, column, height, width)
            return _sum(left, right, step.input_delta[index], ground=ground, window=window)
        case "max pooling" | "average pooling":
            return _pooled_backward(step, index)
        case "dense":
            right = step.parameters["kernel"][index[0]]
            return _sum(step.delta, right, step.input_delta[index])
    return _elementwise(step, index, backward=True)


def weight_sum(step: LayerTrace, index: Index) -> WeightedSum:
    """The terms of one element of the gradient of a kernel.

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
    """A convolution's deltas with their border of zeros: (height, width, maps)."""
    return _grid(step).bordered(step.delta[np.newaxis])[0]


def _sum(left: np.ndarray, right: np.ndarray, total: Any, **more: Any) -> WeightedSum:
    return WeightedSum(left=left, right=right, total=float(total), **more)


def _grid(step: LayerTrace) -> Grid:
    return step.layer.grid(step.input.shape)


def _bias(step: LayerTrace, index: Index) -> float | None:
    return float(step.parameters["bias"][index[-1]]) if "bias" in step.parameters else None


def _field(
    step: LayerTrace, index: Index
) -> tuple[np.ndarray, tuple[int, int, int, int], np.ndarray]:
    """The padded input under the window of one output, the window, and the whole padded input."""
    grid = _grid(step)
    ground = grid.padded(step.input[np.newaxis])[0]
    (height, width), (down, across) = grid.size, grid.strides
    top, left = index[0] * down, index[1] * across
    return ground[top : top + height, left : left + width], (top, left, height, width), ground


def _pooled_backward(step: LayerTrace, index: Index) -> WeightedSum:
    """The delta of every field with the pixel, times the pixel's factor in that field."""
    grid, channel = _grid(step), index[2]
    row, column = (place + before for place, before in zip(index, grid.before, strict=False))
    # Along an axis: from the first field that contains the pixel to the last.
    rows, columns = (
        range(max(-(-(place - size + 1) // stride), 0), min(place // stride + 1, steps))
        for place, size, stride, steps in zip(
            (row, column), grid.size, grid.strides, grid.steps, strict=True
        )
    )
    weights = [
        _pooling_weights(step, (i, j, channel))[
            row - i * grid.strides[0], column - j * grid.strides[1]
        ]
        for i in rows
        for j in columns
    ]
    shape = len(rows), len(columns)
    return _sum(
        step.delta[rows.start : rows.stop, columns.start : columns.stop, channel],
        np.array(weights, step.delta.dtype).reshape(shape),
        step.input_delta[index],
        ground=step.delta,
        window=(rows.start, columns.start, *shape),
        map=channel,
    )


def _pooling_weights(step: LayerTrace, index: Index) -> np.ndarray:
    """The factor of each number of a field in its output: (height, width)."""
    row, column, channel = index
    layer, grid = step.layer, _grid(step)
    if isinstance(layer, MaxPooling):
        argmax = layer.argmax[0, row, column, channel]
        return (np.arange(np.prod(grid.size)) == argmax).reshape(grid.size).astype(step.input.dtype)
    inside = grid.padded(np.ones((1, *grid.sides, 1), step.input.dtype))[0, ..., 0]
    top, left = row * grid.strides[0], column * grid.strides[1]
    field = inside[top : top + grid.size[0], left : left + grid.size[1]]
    return field / field.sum()


_CURVES = {
    "ReLU": r"\max({x:.4g},\ 0)",
    "tanh": r"\tanh({x:.4g})",
    "sigmoid": r"1 / (1 + e^{{{minus_x:.4g}}})",
}


def _elementwise(step: LayerTrace, index: Index, *, backward: bool) -> WeightedSum:
    """Of a layer whose every output has one input: from which place, and times what."""
    layer, place, factor, bias, curve = step.layer, index, 1.0, None, ""
    match step.kind:
        case "flatten" if backward:
            place = (int(np.ravel_multi_index(index, step.input.shape)),)
        case "flatten":
            place = tuple(int(i) for i in np.unravel_index(index[0], step.input.shape))
        case "zero padding":
            (top, _), (left, _) = layer.margins
            sign = 1 if backward else -1
            place = (index[0] + sign * top, index[1] + sign * left, index[2])
        case "scaling":
            factor, offset = (
                np.broadcast_to(values, step.input.shape)[index]
                for values in (layer.scale, layer.offset)
            )
            bias = None if backward else float(offset) or None
        case "dropout":
            factor = 1.0 if layer.mask is None else layer.mask[0][index]
        case _ if backward:
            factor = layer.derivative()[0][index]
        case kind:
            x = step.input[index]
            curve = _CURVES[kind].format(x=x, minus_x=-x)
    source = step.delta if backward else step.input
    inside = all(0 <= i < side for i, side in zip(place, source.shape, strict=True))
    return _sum(
        np.array([source[place] if inside else 0.0]),
        np.array([factor]),
        (step.input_delta if backward else step.output)[index],
        place=place if inside else None,  # None: a zero of the padding
        bias=bias,
        curve=curve,
    )
