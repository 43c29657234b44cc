"""How good a network is on images it has not learnt from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from cnnkit.training._pipeline import to_size
from cnnkit.training.intervals import wilson
from cnnkit.training.memmap import Images

VALUES = 3_000_000  # in a batch of images, where nobody says how many


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Logits of every image, and what follows from them.

    Args:
        logits: float32, (images, classes).
        labels: int64, (images,).
    """

    logits: np.ndarray
    labels: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        """Softmax of the logits, float64, (images, classes)."""
        shifted = self.logits.astype(np.float64)
        shifted -= shifted.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    @property
    def predictions(self) -> np.ndarray:
        """The class with the largest logit, int64, (images,)."""
        return self.logits.argmax(axis=1)

    @property
    def accuracy(self) -> float:
        """Fraction of right predictions, 0 to 1."""
        return float(np.mean(self.predictions == self.labels))

    @property
    def error(self) -> float:
        """Fraction of wrong predictions, 0 to 1."""
        return 1 - self.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """What the accuracy on other such images may be, 95 % (Wilson)."""
        return wilson(int(np.sum(self.predictions == self.labels)), len(self.labels))

    @property
    def true_probabilities(self) -> np.ndarray:
        """Probability given to the true class of each image, float64, (images,)."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]

    @property
    def mean_true_probability(self) -> float:
        """Mean probability of the true class: what the toy network's author calls accuracy."""
        return float(self.true_probabilities.mean())

    @property
    def loss(self) -> float:
        """Mean cross-entropy in nats."""
        logits = self.logits.astype(np.float64)
        highest = logits.max(axis=1)
        log_sum = highest + np.log(np.exp(logits - highest[:, np.newaxis]).sum(axis=1))
        return float(np.mean(log_sum - logits[np.arange(len(logits)), self.labels]))

    @property
    def confusion(self) -> np.ndarray:
        """Images of each true class (row) by predicted class, int64, (classes, classes)."""
        classes = self.logits.shape[1]
        cells = self.labels * classes + self.predictions
        return np.bincount(cells, minlength=classes**2).reshape(classes, classes)

    def metrics(self, prefix: str = "") -> dict[str, float]:
        """The figures of a run, by name."""
        return {
            f"{prefix}loss": self.loss,
            f"{prefix}error": self.error,
            f"{prefix}accuracy": self.accuracy,
            f"{prefix}true_probability": self.mean_true_probability,
        }


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

    def __call__(self, images: Images, labels: np.ndarray) -> Evaluation:
        """Evaluate on uint8 or float images, (images, height, width, channels).

        Images of another size than the network's are resized.
        """
        parts = [
            self._logits(tf.constant(images[start : start + self.batch_size])).numpy()
            for start in range(0, len(images), self.batch_size)
        ]
        return Evaluation(logits=np.concatenate(parts), labels=np.asarray(labels, np.int64))


def evaluate(
    model: keras.Model, images: Images, labels: np.ndarray, batch_size: int | None = None
) -> Evaluation:
    """Evaluate a model once.

    Args:
        model: from images, 0 to 255, to logits.
        images: uint8 or float32, (images, height, width, channels), 0 to 255.
        labels: integers, (images,).
        batch_size: images at once; None: fewer of larger ones.
    """
    return Evaluator(model, batch_size)(images, labels)
