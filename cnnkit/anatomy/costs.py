"""Multiply-accumulates, layer by layer.

One multiply-accumulate (MAC) is one multiplication and one addition, on one image, at
inference. Papers that speak of "FLOPs" of a network mostly mean this number; a FLOP count
in the strict sense is about twice it.

- Convolutions: positions of the output × kernel size × input channels (of a group) ×
  filters. Places where the kernel meets padding count like others. Depthwise: without
  "× filters"; separable: depthwise, then 1×1; transposed: positions of the input instead of
  the output; strides and dilation change nothing but the number of positions.
- Dense layers: rows × inputs × units.
- Attention: the projections, the scores and their weighted sum; softmax is not counted.
- Products of two tensors (`Dot`, `matmul`): positions of the output × length of the sum.
- Nothing is counted for biases, activations, normalization (at inference one multiplication
  and addition a value, which a convolution before it can take in), scaling of pixels or of
  channels, sums of branches, changes of shape.
- Pooling has no MACs; its additions or comparisons are counted apart, window × positions.
- What is known to none of these rules and may compute something counts as "not counted",
  never as nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from cnnkit._lazy import keras
from cnnkit.anatomy.graph import Call


def macs(call: Call) -> int | None:
    """Multiply-accumulates of one call; None: not counted."""
    name = known_as(call.operation)
    return None if name is None else (_RULES | _LAYER_RULES)[name](call)


def pool_operations(call: Call) -> int:
    """Additions or comparisons of a pooling layer; 0 for others."""
    layer = call.operation
    if "Pooling" not in (known_as(layer) or ""):
        return 0
    if hasattr(layer, "pool_size"):
        return math.prod(_sides(layer.pool_size)) * _size(call.outputs[0])
    return _size(call.inputs[0])  # global or adaptive: each value goes into one sum


def known_as(operation: Any) -> str | None:
    """Name of the nearest class that is known here, if nothing below it computes otherwise."""
    names = _RULES | _LAYER_RULES if isinstance(operation, keras.Layer) else _RULES
    for cls in type(operation).__mro__:
        if cls.__name__ in names and _is_known(cls):
            return cls.__name__
        if "call" in vars(cls):
            return None
    return None


def _is_known(cls: type) -> bool:
    # A stranger's class may bear the name of one of Keras's.
    return cls.__module__.split(".")[0] in ("keras", "cnnkit")


def _nothing(_: Call) -> int:
    return 0


def _convolution(call: Call) -> int:
    layer = call.operation
    channels = _channels(call, layer.data_format) // layer.groups
    return (
        _positions(call.outputs[0], layer.data_format) * _kernel(layer) * channels * layer.filters
    )


def _transposed(call: Call) -> int:
    layer = call.operation
    positions = _positions(call.inputs[0], layer.data_format)
    return positions * _kernel(layer) * _channels(call, layer.data_format) * layer.filters


def _depthwise(call: Call) -> int:
    layer = call.operation
    maps = _channels(call, layer.data_format) * layer.depth_multiplier
    return _positions(call.outputs[0], layer.data_format) * _kernel(layer) * maps


def _separable(call: Call) -> int:
    layer = call.operation
    maps = _channels(call, layer.data_format) * layer.depth_multiplier
    pointwise = _positions(call.outputs[0], layer.data_format) * maps * layer.filters
    return _depthwise(call) + pointwise


def _dense(call: Call) -> int:
    return _size(call.inputs[0]) * call.operation.units


def _einsum_dense(call: Call) -> int:
    layer = call.operation
    first, rest = layer.equation.replace(" ", "").split(",")
    second = rest.split("->")[0]
    return _einsum_size([first, second], [call.inputs[0].shape, layer.kernel.shape])


def _einsum_size(terms: list[str], shapes: list[tuple[int, ...]]) -> int:
    """Product of the lengths of all letters: each combination is one multiplication."""
    lengths: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        before, dots, after = term.partition("...")
        middle = len(shape) - len(before) - len(after)
        letters = [*before, *(f"…{i}" for i in range(middle if dots else 0)), *after]
        lengths |= dict(zip(letters, shape, strict=True))
    return math.prod(lengths.values())


def _multi_head_attention(call: Call) -> int | None:
    layer = call.operation
    query, value = call.argument(0, "query"), call.argument(1, "value")
    key = call.argument(2, "key")
    key = value if key is None else key
    heads, key_size, value_size = layer.num_heads, layer.key_dim, layer.value_dim
    targets, sources = _rows(query), _rows(key)
    if set(layer._attention_axes) != set(range(1, len(query.shape) - 1)):
        return None  # some axes attend to themselves alone
    outputs = call.outputs[0].shape[-1]
    projections = heads * (
        targets * query.shape[-1] * key_size
        + sources * key.shape[-1] * key_size
        + sources * value.shape[-1] * value_size
        + targets * value_size * outputs
    )
    return projections + targets * sources * heads * (key_size + value_size)


def _grouped_attention(call: Call) -> int:
    layer = call.operation
    query, value = call.argument(0, "query"), call.argument(1, "value")
    key = call.argument(2, "key")
    key = value if key is None else key
    targets, sources, size = _rows(query), _rows(key), layer.head_dim
    ends = targets * layer.num_query_heads * size * (query.shape[-1] + call.outputs[0].shape[-1])
    middle = sources * layer.num_key_value_heads * size * (key.shape[-1] + value.shape[-1])
    return ends + middle + 2 * targets * sources * layer.num_query_heads * size


def _attention(call: Call) -> int:
    query, value = call.inputs[:2]
    targets, sources = _rows(query), _rows(value)
    return targets * sources * (query.shape[-1] + value.shape[-1])


def _dot(call: Call) -> int:
    axes = call.operation.axes
    axis = axes if isinstance(axes, int) else axes[0]
    return _size(call.outputs[0]) * call.inputs[0].shape[axis]


def _matmul(call: Call) -> int:
    return _size(call.outputs[0]) * call.arguments[0].shape[-1]


def _size(tensor: Any) -> int:
    return math.prod(tensor.shape)


def _rows(tensor: Any) -> int:
    return math.prod(tensor.shape[:-1])


def _positions(tensor: Any, data_format: str) -> int:
    return math.prod(tensor.shape[1:-1] if data_format == "channels_last" else tensor.shape[2:])


def _channels(call: Call, data_format: str) -> int:
    return call.inputs[0].shape[-1 if data_format == "channels_last" else 1]


def _kernel(layer: Any) -> int:
    return math.prod(_sides(layer.kernel_size))


def _sides(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


# What computes value by value: layers first, then operations.
ELEMENTWISE = frozenset(
    """
    InputLayer Identity Activation ReLU LeakyReLU PReLU ELU Softmax
    BatchNormalization LayerNormalization RMSNormalization UnitNormalization
    LocalResponseNormalization Rescaling Normalization LayerScale CustomScaleLayer
    Add Subtract Multiply Average Maximum Minimum Divide TrueDivide FloorDivide Power
    Dropout AlphaDropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout
    GaussianNoise ActivityRegularization RandomContrast RandomBrightness
    Cast Negative Absolute Abs Square Sqrt Rsqrt Exp Log Log1p Expm1 Reciprocal Clip Round
    Floor Ceil Sign Sin Cos Tanh Sigmoid Relu Relu6 LeakyRelu Elu Selu Celu Gelu Silu HardSilu
    HardSigmoid HardTanh HardSwish Softplus Softsign LogSigmoid
    RandomFlip RandomRotation RandomZoom RandomTranslation RandomShear RandomErasing
    """.split()  # noqa: SIM905
)
# What only moves values, or adds and compares them.
_FREE = ELEMENTWISE.union(
    """
    GroupNormalization Concatenate Flatten Reshape Permute RepeatVector Masking Embedding Resizing
    CenterCrop RandomCrop GetItem Flip Transpose Squeeze ExpandDims Stack Split Pad BroadcastTo
    Tile Repeat LogSoftmax Mean Sum Max Min Amax Amin Prod Var Std Argmax ZerosLike OnesLike Where
    """.split(),  # noqa: SIM905
    (
        f"{name}{n}D"
        for n in (1, 2, 3)
        for name in ("Cropping", "ZeroPadding", "UpSampling")
        + tuple(
            f"{scope}{which}Pooling"
            for scope in ("", "Adaptive", "Global")
            for which in ("Max", "Average")
        )
    ),
)

_RULES: dict[str, Callable[[Call], int | None]] = dict.fromkeys(_FREE, _nothing)
_RULES |= {f"Conv{n}D": _convolution for n in (1, 2, 3)}
_RULES |= {f"Conv{n}DTranspose": _transposed for n in (1, 2, 3)}
_RULES |= {f"DepthwiseConv{n}D": _depthwise for n in (1, 2)}
_RULES |= {f"SeparableConv{n}D": _separable for n in (1, 2)}
_RULES |= {
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "MultiHeadAttention": _multi_head_attention,
    "GroupedQueryAttention": _grouped_attention,
    "Attention": _attention,
    "AdditiveAttention": _attention,
    "Matmul": _matmul,
}
_LAYER_RULES: dict[str, Callable[[Call], int | None]] = {
    "Dot": _dot,  # the operation of this name is another thing
}
