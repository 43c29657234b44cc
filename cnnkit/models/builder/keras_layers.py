"""The layers of Keras that a network is made of: what each does to a shape, and what it costs.

One table, `RULES`, without Keras: a definition is checked and its costs are counted with it
while somebody edits it. What is counted, and how, is that of `cnnkit.anatomy`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnkit.anatomy.layers import DETAILS
from cnnkit.anatomy.receptive_field import Axis, Border, sliding_window

Shape = tuple[int, ...]  # (height, width, channels) or (units,)
Arguments = Mapping[str, Any]  # of a layer of Keras, those that are not its defaults


class MisfitError(ValueError):
    """A layer cannot take what comes in.

    Args:
        reason: what does not fit.
        remedy: what would, beginning with a verb.
    """

    def __init__(self, reason: str, remedy: str):
        """Keep both."""
        self.reason, self.remedy = reason, remedy
        super().__init__(f"{reason}: {remedy}.")


@dataclass(frozen=True)
class PlainLayer:
    """One layer of Keras, as plain values: enough to cost it, to build it and to write it down."""

    kind: str  # class of `keras.layers`
    name: str
    inputs: tuple[str, ...]  # names of the layers that it reads
    arguments: Arguments


@dataclass(frozen=True, kw_only=True)
class LayerRule:
    """What a class of layers does."""

    shape: Callable[[Arguments, Sequence[Shape]], Shape]  # or raises MisfitError
    detail: Callable[[Arguments, Shape], str]  # in three or four words, of its input's shape
    weights: Callable[[Arguments, Shape], tuple[int, int]] = lambda a, x: (0, 0)  # trainable, not
    macs: Callable[[Arguments, Shape, Shape], int] = lambda a, x, y: 0
    pool_operations: Callable[[Arguments, Shape, Shape], int] = lambda a, x, y: 0
    windows: Callable[[Arguments, Shape, Shape], list[Axis]] | None = None
    sees_all: Callable[[Shape], bool] = lambda x: False  # of the input, every place


def times(sides: Sequence[int]) -> str:
    """Sizes as they are written: "24×24×20"."""
    return "×".join(map(str, sides))


def input_words(shape: Shape) -> str:
    """What comes in: "maps of 24×24×20" or "a vector of 500 numbers"."""
    if len(shape) == 3:
        return f"maps of {times(shape)}"
    return f"a vector of {shape[0]:,} number{'s' * (shape[0] != 1)}"


def _same(arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
    return shapes[0]


def _require_maps(shape: Shape) -> None:
    """Refuse a vector where only maps can be worked on, with a MisfitError."""
    if len(shape) != 3:
        raise MisfitError(
            f"needs feature maps, but gets {input_words(shape)}",
            "move it before the layer that makes a vector (Flatten or global pooling), or "
            "remove it",
        )


def _slide(arguments: Arguments, shape: Shape, size: int, stride: int, what: str) -> list[int]:
    """Height and width after a window has slid over maps."""
    _require_maps(shape)
    if arguments.get("padding", "valid") == "same":
        return [-(-side // stride) for side in shape[:2]]
    if min(shape[:2]) < size:
        raise MisfitError(
            f"{size}×{size} on a {times(shape[:2])} map with padding 'valid'",
            f"choose padding 'same' or a smaller {what}",
        )
    return [(side - size) // stride + 1 for side in shape[:2]]


def _steps(stride: int, usual: int = 1) -> str:
    return "" if stride == usual else f", stride {stride}"


# Convolutions.


def _convolution_shape(arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
    sides = _slide(
        arguments, shapes[0], arguments["kernel_size"], arguments.get("strides", 1), "kernel"
    )
    return (*sides, arguments["filters"])


def _depthwise_shape(arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
    sides = _slide(
        arguments, shapes[0], arguments["kernel_size"], arguments.get("strides", 1), "kernel"
    )
    return (*sides, _maps_of_depthwise(arguments, shapes[0]))


def _maps_of_depthwise(arguments: Arguments, shape: Shape) -> int:
    return shape[2] * arguments.get("depth_multiplier", 1)


def _biases(arguments: Arguments, count: int) -> int:
    return count if arguments.get("use_bias", True) else 0


def _convolution_weights(arguments: Arguments, shape: Shape) -> tuple[int, int]:
    filters = arguments["filters"]
    return arguments["kernel_size"] ** 2 * shape[2] * filters + _biases(arguments, filters), 0


def _depthwise_weights(arguments: Arguments, shape: Shape) -> tuple[int, int]:
    maps = _maps_of_depthwise(arguments, shape)
    return arguments["kernel_size"] ** 2 * maps + _biases(arguments, maps), 0


def _separable_weights(arguments: Arguments, shape: Shape) -> tuple[int, int]:
    maps, filters = _maps_of_depthwise(arguments, shape), arguments["filters"]
    kernels = arguments["kernel_size"] ** 2 * maps + maps * filters
    return kernels + _biases(arguments, filters), 0


def _convolution_macs(arguments: Arguments, shape: Shape, output: Shape) -> int:
    return math.prod(output) * arguments["kernel_size"] ** 2 * shape[2]


def _depthwise_macs(arguments: Arguments, shape: Shape, output: Shape) -> int:
    maps = _maps_of_depthwise(arguments, shape)
    return math.prod(output[:2]) * arguments["kernel_size"] ** 2 * maps


def _separable_macs(arguments: Arguments, shape: Shape, output: Shape) -> int:
    pointwise = math.prod(output) * _maps_of_depthwise(arguments, shape)
    return _depthwise_macs(arguments, shape, output) + pointwise


def _kernel_windows(arguments: Arguments, shape: Shape, output: Shape) -> list[Axis]:
    return _windows(arguments, arguments["kernel_size"], arguments.get("strides", 1), shape, output)


def _windows(
    arguments: Arguments, size: int, stride: int, shape: Shape, output: Shape
) -> list[Axis]:
    padding = arguments.get("padding", "valid")
    return [
        sliding_window(size - 1, stride, padding, before, after)
        for before, after in zip(shape[:2], output[:2], strict=True)
    ]


def _convolution_detail(arguments: Arguments, shape: Shape) -> str:
    size = arguments["kernel_size"]
    padded = ", padded" if arguments.get("padding") == "same" and size > 1 else ""
    return (
        f"{arguments['filters']} filters of {size}×{size}"
        f"{_steps(arguments.get('strides', 1))}{padded}"
    )


def _depthwise_detail(arguments: Arguments, shape: Shape) -> str:
    size = arguments["kernel_size"]
    return f"one filter of {size}×{size} per map{_steps(arguments.get('strides', 1))}"


# Pooling.


def _pool_stride(arguments: Arguments) -> int:
    return arguments.get("strides") or arguments["pool_size"]


def _pool_shape(arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
    size = arguments["pool_size"]
    sides = _slide(arguments, shapes[0], size, _pool_stride(arguments), "pooling window")
    return (*sides, shapes[0][2])


def _pool_operations(arguments: Arguments, shape: Shape, output: Shape) -> int:
    return arguments["pool_size"] ** 2 * math.prod(output)


def _pool_windows(arguments: Arguments, shape: Shape, output: Shape) -> list[Axis]:
    return _windows(arguments, arguments["pool_size"], _pool_stride(arguments), shape, output)


def _pool_detail(how: str) -> Callable[[Arguments, Shape], str]:
    def detail(arguments: Arguments, shape: Shape) -> str:
        size, stride = arguments["pool_size"], _pool_stride(arguments)
        if how == "max" and size == 1:
            return f"subsampling by {stride}×{stride}"
        return f"{how} pooling {size}×{size}{_steps(stride, size)}"

    return detail


def _global_shape(arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
    _require_maps(shapes[0])
    return shapes[0][2:]


# Vectors, and layers that change no shape.


def _dense_shape(arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
    return (*shapes[0][:-1], arguments["units"])


def _dense_weights(arguments: Arguments, shape: Shape) -> tuple[int, int]:
    units = arguments["units"]
    return shape[-1] * units + _biases(arguments, units), 0


def _spatial_shape(arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
    _require_maps(shapes[0])
    return shapes[0]


def _padded_shape(arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
    _require_maps(shapes[0])
    height, width, channels = shapes[0]
    padding = arguments["padding"]
    if isinstance(padding, int):
        return (height + 2 * padding, width + 2 * padding, channels)
    # Only the zero maps of a shortcut: see `blocks`.
    added = sum(padding[1])
    if added < 0:
        raise MisfitError(
            f"an identity shortcut can only add maps, but {channels} become {channels + added}",
            f"choose {channels} filters or more, or the shortcut 'projection'",
        )
    return (height, width, channels + added)


def _padding_windows(arguments: Arguments, shape: Shape, output: Shape) -> list[Axis]:
    padding = arguments["padding"]
    before = padding if isinstance(padding, int) else 0  # zero maps move no place
    return [Axis(Border((-before,), 1), Border((-before,), 1))] * 2


def _sum_shape(arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
    """Keras repeats sides of 1, and takes a vector for maps of 1×1."""
    one, other = shapes
    rank = max(map(len, shapes))
    pairs = zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True)
    sides = [(a, b) for a, b in pairs]
    if any(a != b and 1 not in (a, b) for a, b in sides):
        raise MisfitError(
            f"{input_words(one)} cannot be added to {input_words(other)}",
            "choose a layer of the same shape, or make the shapes equal by a 1×1 convolution "
            "with as many filters and the same stride",
        )
    return tuple(max(pair) for pair in sides)


def _concatenated_shape(arguments: Arguments, shapes: Sequence[Shape]) -> Shape:
    first = shapes[0]
    for shape in shapes[1:]:
        if len(shape) != len(first) or shape[:-1] != first[:-1]:
            raise MisfitError(
                f"{input_words(first)} cannot be concatenated with {input_words(shape)}",
                "choose a layer whose maps are as high and wide, or pool one of them",
            )
    return (*first[:-1], sum(shape[-1] for shape in shapes))


def _says(kind: str) -> Callable[[Arguments, Shape], str]:
    return lambda arguments, shape: DETAILS.get(kind, kind)


def _plain(kind: str, **rule: Any) -> LayerRule:
    return LayerRule(**{"shape": _same, "detail": _says(kind)} | rule)


_CONVOLUTION: dict[str, Any] = {
    "shape": _convolution_shape,
    "detail": _convolution_detail,
    "windows": _kernel_windows,
}
_POOLING: dict[str, Any] = {
    "shape": _pool_shape,
    "pool_operations": _pool_operations,
    "windows": _pool_windows,
}
_GLOBAL: dict[str, Any] = {
    "shape": _global_shape,
    "pool_operations": lambda arguments, shape, output: math.prod(shape),
    "sees_all": lambda shape: True,
}

RULES: dict[str, LayerRule] = {
    "InputLayer": _plain("InputLayer"),
    "Rescaling": _plain("Rescaling"),
    "ZeroPadding2D": _plain(
        "ZeroPadding2D",
        shape=_padded_shape,
        windows=_padding_windows,
    ),
    "Conv2D": LayerRule(**_CONVOLUTION, weights=_convolution_weights, macs=_convolution_macs),
    "DepthwiseConv2D": LayerRule(
        shape=_depthwise_shape,
        detail=_depthwise_detail,
        windows=_kernel_windows,
        weights=_depthwise_weights,
        macs=_depthwise_macs,
    ),
    "SeparableConv2D": LayerRule(**_CONVOLUTION, weights=_separable_weights, macs=_separable_macs),
    "BatchNormalization": _plain(
        "BatchNormalization", weights=lambda arguments, shape: (2 * shape[-1], 2 * shape[-1])
    ),
    "Activation": _plain("", detail=lambda arguments, shape: arguments["activation"]),
    "MaxPooling2D": LayerRule(**_POOLING, detail=_pool_detail("max")),
    "AveragePooling2D": LayerRule(**_POOLING, detail=_pool_detail("average")),
    "GlobalMaxPooling2D": LayerRule(**_GLOBAL, detail=_says("GlobalMaxPooling2D")),
    "GlobalAveragePooling2D": LayerRule(**_GLOBAL, detail=_says("GlobalAveragePooling2D")),
    "Dropout": _plain("Dropout"),
    "SpatialDropout2D": _plain("SpatialDropout2D", shape=_spatial_shape),
    "Flatten": _plain(
        "Flatten",
        shape=lambda arguments, shapes: (math.prod(shapes[0]),),
        sees_all=lambda shape: len(shape) == 3,
    ),
    "Dense": LayerRule(
        shape=_dense_shape,
        detail=lambda arguments, shape: f"fully connected, {shape[-1]} inputs",
        weights=_dense_weights,
        macs=lambda arguments, shape, output: math.prod(shape) * arguments["units"],
    ),
    "Add": _plain("Add", shape=_sum_shape),
    "Concatenate": _plain("Concatenate", shape=_concatenated_shape),
}
