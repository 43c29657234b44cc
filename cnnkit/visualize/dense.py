"""A dense layer whose gradient costs no more than its answer.

TensorFlow takes the gradient of few images through a large kernel as a product with the
kernel transposed, which was measured at five times the layer's own product. The same numbers
come from the kernel as it lies, times the few transposed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def multiplied(layer: Any, rows: Tensor) -> Tensor:
    """What the layer makes of them.

    Args:
        layer: Keras's `Dense`; its kernel is taken for fixed.
        rows: float32 (images, units before).

    Returns:
        float32 (images, units).
    """
    kernel = tf.stop_gradient(tf.convert_to_tensor(layer.kernel))

    @tf.custom_gradient
    def product(rows):
        def gradient(slope):
            return tf.transpose(tf.matmul(kernel, slope, transpose_b=True))

        return tf.matmul(rows, kernel), gradient

    answer: Any = product(rows)  # TensorFlow declares the pair, and hands out the answer
    return layer.activation(tf.nn.bias_add(answer, layer.bias) if layer.use_bias else answer)
