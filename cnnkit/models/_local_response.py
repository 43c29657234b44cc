"""Local response normalization: a strong filter quietens its neighbors.

This module imports Keras and TensorFlow; whoever needs the layer imports it inside a
function, so that listing the networks stays quick.
"""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="cnnkit")
class LocalResponseNormalization(keras.layers.Layer):
    """Divides each value by (bias + alpha · the squares of `size` filters around it) ^ beta.

    Shapes stay as they are: (batch, height, width, channels). It has no trainable parameters.

    Args:
        size: filters in one sum, odd: the filter itself and as many on both sides.
        alpha: weight of the sum of squares. Caffe writes `alpha / size`.
        beta: exponent.
        bias: what the sum is added to, "k" in the paper.
        **kwargs: of every Keras layer.

    Reference:
        Krizhevsky, Sutskever, Hinton 2012, section 3.3.
    """

    def __init__(self, size=5, alpha=1e-4, beta=0.75, bias=1.0, **kwargs):
        """Keep the four constants."""
        super().__init__(**kwargs)
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.bias = bias

    def call(self, inputs):
        """The normalized values, shaped as the inputs."""
        return tf.nn.local_response_normalization(
            inputs, self.size // 2, self.bias, self.alpha, self.beta
        )

    def compute_output_shape(self, input_shape):
        """That of the input."""
        return input_shape

    def get_config(self) -> dict:
        """The four constants."""
        constants = {
            "size": self.size,
            "alpha": self.alpha,
            "beta": self.beta,
            "bias": self.bias,
        }
        return {**super().get_config(), **constants}
