"""Layers whose output or gradient is computed at less cost than the layer's own.

Dense layers: TensorFlow takes the gradient of few images through a large kernel as a product
with the transposed kernel, measured at five times the cost of the layer's own product. The same
gradient is the kernel as it is stored, times the transposed gradient of the outputs.

Batch normalization: at inference it multiplies each feature map by one constant and adds
another. Both are folded into the kernel and bias of the convolution before it, which saves two
passes over all feature maps forward and one backward.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import keras, tf

if TYPE_CHECKING:
    from cnnkit.anatomy.graph import Call

    Tensor = Any


def multiplies(call: Call) -> bool:
    """Whether a call is of a plain dense layer, of images that are one row each."""
    layer = call.operation
    return (
        type(layer) is keras.layers.Dense
        and layer.dtype_policy.name == "float32"
        and layer.lora_rank is None
        and len(call.inputs[0].shape) == 2
    )


def multiplied(layer: Any, rows: Tensor, *, linear: bool = False) -> Tensor:
    """The layer's output: float32 (images, units).

    Args:
        layer: Keras's `Dense`; its kernel is taken for fixed.
        rows: float32 (images, units before).
        linear: leave its activation out.
    """
    kernel = tf.stop_gradient(tf.convert_to_tensor(layer.kernel))

    @tf.custom_gradient
    def product(rows):
        def gradient(slope):
            return tf.transpose(tf.matmul(kernel, slope, transpose_b=True))

        return tf.matmul(rows, kernel), gradient

    output: Any = product(rows)  # TensorFlow declares the pair, and hands out the product
    output = tf.nn.bias_add(output, layer.bias) if layer.use_bias else output
    return output if linear else layer.activation(output)


def folded(calls: Sequence[Call], results: Sequence[Any]) -> dict[int, Call]:
    """Which convolutions can take up the normalization that follows them.

    Args:
        calls: in their order.
        results: tensors whose values are needed; nothing is folded over them.

    Returns:
        id of the normalization's call → the convolution's.
    """
    uses = Counter(id(tensor) for tensor in results)
    uses.update(id(tensor) for call in calls for tensor in call.inputs)
    made_by = {id(call.outputs[0]): call for call in calls}
    folds = {}
    for call in calls:
        before = made_by.get(id(call.inputs[0])) if _normalizes(call) else None
        if before and _convolves(before) and uses[id(before.outputs[0])] == 1:
            folds[id(call)] = before
    return folds


def convolve(convolution: Any, normalization: Any, maps: Tensor) -> Tensor:
    """The output of both layers for some feature maps, in one operation."""
    kernel = tf.convert_to_tensor(convolution.kernel)
    scale = tf.math.rsqrt(normalization.moving_variance + normalization.epsilon)
    if normalization.scale:
        scale *= normalization.gamma
    offset = -normalization.moving_mean * scale
    if normalization.center:
        offset += normalization.beta
    if convolution.use_bias:
        offset += convolution.bias * scale
    arguments = {
        "strides": tuple(convolution.strides),
        "padding": convolution.padding,
        "dilation_rate": tuple(convolution.dilation_rate),
    }
    if isinstance(convolution, keras.layers.DepthwiseConv2D):
        kernel *= tf.reshape(scale, kernel.shape[2:])
        maps = keras.ops.depthwise_conv(maps, kernel, **arguments)
    else:
        maps = keras.ops.conv(maps, kernel * scale, **arguments)
    return tf.nn.bias_add(maps, offset)


def _normalizes(call: Call) -> bool:
    layer = call.operation
    return type(layer) is keras.layers.BatchNormalization and layer.axis in (-1, 3)


def _convolves(call: Call) -> bool:
    """Whether its kernel is smaller than its maps: a larger one is not worth multiplying."""
    layer = call.operation
    return (
        type(layer) in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
        and layer.activation is keras.activations.linear
        and layer.data_format == "channels_last"
        and layer.dtype_policy.name == "float32"
        and np.prod(layer.kernel.shape) < np.prod(call.outputs[0].shape[1:])
    )
