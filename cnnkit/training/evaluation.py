"""Evaluating a network on images it was not trained on."""

from __future__ import annotations

import math

import keras
import numpy as np
import tensorflow as tf

from cnnkit.training.pipeline import ImageArray, to_size
from cnnkit.training.predictions import Predictions

VALUES = 3_000_000  # in a batch of images, where nobody says how many


class Evaluator:
    """Evaluates one model again and again with one compiled function.

    Args:
        model: from images, 0 to 255, to logits.
        batch_size: images at once; None: fewer of larger ones.
    """

    def __init__(self, model: keras.Model, batch_size: int | None = None):
        """Compile nothing yet; the first call does."""
        shape = model.input_shape[1:]
        size = shape[:2] if len(shape) == 3 and None not in shape else None
        self.batch_size = batch_size or min(500, max(16, VALUES // math.prod(filter(None, shape))))
        self._logits = tf.function(
            lambda images: model(to_size(images, size), training=False), reduce_retracing=True
        )

    def __call__(self, images: ImageArray, labels: np.ndarray) -> Predictions:
        """Evaluate on uint8 or float images, (images, height, width, channels).

        Images of another size than the network's are resized.
        """
        parts = [
            self._logits(tf.constant(images[start : start + self.batch_size])).numpy()
            for start in range(0, len(images), self.batch_size)
        ]
        return Predictions(logits=np.concatenate(parts), labels=np.asarray(labels, np.int64))


def evaluate(
    model: keras.Model, images: ImageArray, labels: np.ndarray, batch_size: int | None = None
) -> Predictions:
    """Evaluate a model once.

    Args:
        model: from images, 0 to 255, to logits.
        images: uint8 or float32, (images, height, width, channels), 0 to 255.
        labels: integers, (images,).
        batch_size: images at once; None: fewer of larger ones.
    """
    return Evaluator(model, batch_size)(images, labels)
