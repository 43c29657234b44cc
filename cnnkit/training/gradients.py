"""How strongly each layer would be changed: the gradients of one batch."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from cnnkit.training._compile import loss_weights


def gradient_norms(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """L2 norm of the gradient of the loss with respect to each layer's kernel.

    The network is run as in training: normalization by the batch itself, dropout on,
    auxiliary classifiers weighted. Nothing of it changes.

    Args:
        model: from images, 0 to 255, to logits.
        images: uint8 or float32, (batch, height, width, channels), 0 to 255.
        labels: integers, (batch,).

    Returns:
        Layer name → norm, in the order an image meets them; the loss is the mean
        cross-entropy in nats. Layers that do not learn are left out.

    Example:
        >>> from cnnkit.models import create_model
        >>> model = create_model("softmax_regression")
        >>> images = np.full((1, 28, 28, 1), 255, np.uint8)
        >>> round(gradient_norms(model, images, np.array([3]))["logits"], 3)
        26.563
    """
    kernels = {
        layer.name: layer.kernel
        for layer in model.layers
        if getattr(getattr(layer, "kernel", None), "trainable", False) and layer.trainable
    }
    norms = _norms(model, list(kernels.values()), tf.constant(images), tf.constant(labels))
    return {name: float(norm) for name, norm in zip(kernels, norms, strict=True)}


def _norms(model: keras.Model, kernels: list, images, labels) -> list[tf.Tensor]:
    weights = [tf.identity(variable.value) for variable in model.trainable_variables]
    others = [tf.identity(variable.value) for variable in model.non_trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(weights)
        # Stateless, so that the statistics of normalization stay as they are.
        outputs, _ = model.stateless_call(weights, others, images, training=True)
        loss = _loss(model, outputs, labels)
    places = {id(variable): i for i, variable in enumerate(model.trainable_variables)}
    gradients = tape.gradient(loss, [weights[places[id(kernel)]] for kernel in kernels])
    return [tf.norm(gradient) for gradient in gradients]


def _loss(model: keras.Model, outputs, labels):
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    weighed = zip(loss_weights(model), outputs, strict=True)
    return tf.add_n([weight * cross_entropy(labels, logits) for weight, logits in weighed])
