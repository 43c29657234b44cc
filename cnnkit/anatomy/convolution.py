"""One value of a convolution as the sum that it is, for every kind of convolution of Keras.

    sum = convolution_at(layer, inputs, unit=3, row=10, column=7)
    sum.total == layer(inputs[np.newaxis])[0, 10, 7, 3]

Each place of the kernel meets one place of the input, or none: padding, or for a transposed
convolution one of the zeros that its stride puts between the inputs. So the value is
`(patch * kernel).sum() + bias`, then the layer's activation.

References:
    Dumoulin, Visin 2016, "A guide to convolution arithmetic for deep learning".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnkit._lazy import keras
from cnnkit.errors import IncompatibleError

NOTHING = -1  # a place of the kernel that meets no input


@dataclass(frozen=True, kw_only=True, eq=False)
class ConvolutionSum:
    """One value of a convolution.

    Args:
        patch: float32 (height, width, maps), the inputs that the kernel meets; 0 where it
            meets none.
        kernel: float32 (height, width, maps), the weights.
        rows: of the input, one for each row of the kernel; `NOTHING`: none.
        columns: of the input, one for each column of the kernel.
        maps: numbers of the input maps: all, or those of the filter's group.
        bias: 0 where the layer has none.
        activation: name of the function that follows; "linear": none.
        total: what the layer gives, after the activation.
    """

    patch: np.ndarray
    kernel: np.ndarray
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    maps: tuple[int, ...]
    bias: float
    activation: str
    total: float

    @property
    def products(self) -> np.ndarray:
        """float32 (height, width, maps): every input times its weight."""
        return self.patch * self.kernel

    @property
    def weighted_sum(self) -> float:
        """The sum of all products and the bias, before the activation."""
        return float(self.products.sum(dtype=np.float64)) + self.bias

    @property
    def by_map(self) -> np.ndarray:
        """float64 (maps,): what each input map adds."""
        return self.products.sum(axis=(0, 1), dtype=np.float64)


def is_convolution(layer: Any) -> bool:
    """Whether a layer is a convolution of images whose sums can be written out."""
    layers = keras.layers
    kinds = (
        layers.Conv2D,
        layers.DepthwiseConv2D,
        layers.SeparableConv2D,
        layers.Conv2DTranspose,
    )
    return isinstance(layer, kinds) and layer.data_format == "channels_last"


def effective_kernel(layer: Any, unit: int) -> np.ndarray:
    """The weights of one filter: float32 (height, width, input maps of its group).

    A separable convolution is two, which together are one: its kernel is their product.

    Args:
        layer: see `is_convolution`.
        unit: number of the filter.

    Raises:
        IncompatibleError: the layer is no such convolution.
    """
    if not is_convolution(layer):
        raise IncompatibleError(
            f"Layer {layer.name!r} ({type(layer).__name__}) is no convolution of images."
        )
    layers = keras.layers
    numpy = keras.ops.convert_to_numpy
    if isinstance(layer, layers.SeparableConv2D):
        depthwise, pointwise = numpy(layer.depthwise_kernel), numpy(layer.pointwise_kernel)
        each = pointwise[0, 0, :, unit].reshape(depthwise.shape[2:])
        return np.einsum("hwcm,cm->hwc", depthwise, each)
    if isinstance(layer, layers.DepthwiseConv2D):
        source, multiplied = divmod(unit, layer.depth_multiplier)
        return numpy(layer.kernel)[:, :, source : source + 1, multiplied]
    if isinstance(layer, layers.Conv2DTranspose):
        return numpy(layer.kernel)[:, :, unit]
    return numpy(layer.kernel)[..., unit]


def convolution_at(
    layer: Any, inputs: np.ndarray, *, unit: int, row: int, column: int
) -> ConvolutionSum:
    """One value of a convolution with everything that it is the sum of.

    Args:
        layer: Conv2D (also dilated, or in groups), DepthwiseConv2D, SeparableConv2D or
            Conv2DTranspose.
        inputs: float32 (height, width, maps), of one image.
        unit: number of the filter.
        row: of the output.
        column: of the output.

    Raises:
        IncompatibleError: the layer is no such convolution, or has no such value.
    """
    kernel = effective_kernel(layer, unit)
    shape = layer.compute_output_shape((1, *inputs.shape))[1:]
    for name, place, size in (("row", row, shape[0]), ("column", column, shape[1])):
        if not 0 <= place < size:
            raise IncompatibleError(
                f"The output of {layer.name!r} is {shape[0]}×{shape[1]}: `{name}` must be 0 to "
                f"{size - 1}. Received: {place}."
            )
    rows, columns = (
        _places(layer, axis, place, inputs.shape[axis], shape[axis])
        for axis, place in enumerate((row, column))
    )
    maps = _maps(layer, unit, inputs.shape[-1])
    patch = np.zeros(kernel.shape, np.float32)
    for i, source_row in enumerate(rows):
        for j, source_column in enumerate(columns):
            if source_row != NOTHING and source_column != NOTHING:
                patch[i, j] = inputs[source_row, source_column, maps]
    bias = float(layer.bias[unit]) if layer.use_bias else 0.0
    weighted = float((patch * kernel).sum(dtype=np.float64)) + bias
    return ConvolutionSum(
        patch=patch,
        kernel=kernel,
        rows=rows,
        columns=columns,
        maps=tuple(maps),
        bias=bias,
        activation=getattr(layer.activation, "__name__", type(layer.activation).__name__),
        total=float(
            layer.activation(keras.ops.convert_to_tensor(np.array([weighted], np.float32)))[0]
        ),
    )


def kernel_places(
    place: int,
    *,
    inputs: int,
    outputs: int,
    size: int,
    stride: int = 1,
    dilation: int = 1,
    padding: str = "valid",
    transposed: bool = False,
) -> tuple[int, ...]:
    """Which inputs the places of a kernel meet along one axis, for one output.

    Args:
        place: of the output.
        inputs: how many there are along the axis.
        outputs: how many there are.
        size: of the kernel.
        stride: of the convolution.
        dilation: of the kernel.
        padding: "valid" or "same", as TensorFlow means it: the odd zero stands behind.
        transposed: whether it is a transposed convolution.

    Returns:
        A number for each place of the kernel; `NOTHING` where it meets no input.
    """
    span = (size - 1) * dilation + 1
    if transposed:
        before = max((inputs - 1) * stride + span - outputs, 0) // 2 if padding == "same" else 0
        apart = [place + before - k * dilation for k in range(size)]
        found = [a // stride if a % stride == 0 else NOTHING for a in apart]
    else:
        before = max((outputs - 1) * stride + span - inputs, 0) // 2 if padding == "same" else 0
        found = [place * stride - before + k * dilation for k in range(size)]
    return tuple(i if 0 <= i < inputs else NOTHING for i in found)


def _places(layer: Any, axis: int, place: int, inputs: int, outputs: int) -> tuple[int, ...]:
    return kernel_places(
        place,
        inputs=inputs,
        outputs=outputs,
        size=layer.kernel_size[axis],
        stride=layer.strides[axis],
        dilation=layer.dilation_rate[axis],
        padding=layer.padding,
        transposed=isinstance(layer, keras.layers.Conv2DTranspose),
    )


def _maps(layer: Any, unit: int, inputs: int) -> Sequence[int]:
    """Numbers of the input maps that a filter reads."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return [unit // layer.depth_multiplier]
    groups = getattr(layer, "groups", 1)
    each = inputs // groups
    group = unit // (layer.filters // groups)
    return range(group * each, (group + 1) * each)
