"""A network's predictions for a set of images: metrics, confusion matrix, wrong predictions.

Importing this loads neither Keras nor TensorFlow; `Evaluator` does, when it is made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from cnnkit.datasets import Dataset, load_dataset
from cnnkit.errors import CorruptResultError, IncompatibleError

if TYPE_CHECKING:
    import keras

    from cnnkit.training.pipeline import ImageArray

VALUES = 3_000_000  # in a batch of images, where nobody says how many


def evaluation_dataset(spec: Mapping[str, Any]) -> Dataset:
    """The data set of a stored recipe's `to_dict()`, with the same test set.

    Another split seed would put training images into the test set, and images that are drawn
    at random are others with another seed. Sizes of training and validation set do not matter.

    Raises:
        UnknownDatasetError, AssetUnavailableError, CorruptResultError
    """
    split_seed = int(spec.get("split_seed", 0))
    return load_dataset(
        str(spec["dataset"]),
        seed=split_seed if spec.get("head") else int(spec.get("seed", 0)),  # as `recipe_dataset`
        split_seed=split_seed,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """The logits of every image, and what follows from them.

    Args:
        logits: float, (images, classes).
        labels: int64, (images,), true classes.
    """

    logits: np.ndarray
    labels: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Predictions:
        """Read a run's `predictions.npz`.

        Raises:
            CorruptResultError: the file is not what it should be; says what is wrong.
        """
        try:
            # NumPy leaves a damaged file open when it is given only the path.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                logits, labels = file["logits"], file["labels"]
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise CorruptResultError(path, f"holds no predictions ({error})") from error
        if logits.ndim != 2 or labels.shape != logits.shape[:1] or not len(labels):
            raise CorruptResultError(
                path, f"has logits of shape {logits.shape} for labels of shape {labels.shape}"
            )
        if labels.min() < 0 or labels.max() >= logits.shape[1]:
            raise CorruptResultError(path, f"has labels outside 0 to {logits.shape[1] - 1}")
        # A shipped file may hold half precision, in which an exponential overflows.
        return cls(logits=logits.astype(np.float64), labels=labels.astype(np.int64))

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.logits.shape[1]

    @cached_property
    def predicted(self) -> np.ndarray:
        """Class with the largest logit, int64, (images,)."""
        return self.logits.argmax(axis=1)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Softmax of the logits, float64, (images, classes)."""
        from scipy.special import softmax  # not before a page needs it: it takes half a second

        return softmax(self.logits.astype(np.float64), axis=1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the predicted class, float64, (images,)."""
        return self.probabilities.max(axis=1)

    @property
    def error(self) -> float:
        """Fraction of wrong predictions, 0 to 1."""
        return 1 - self.accuracy

    @property
    def accuracy(self) -> float:
        """Fraction of correct predictions, 0 to 1."""
        return float(np.mean(self.predicted == self.labels))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the accuracy (Wilson)."""
        return wilson_interval(int(np.sum(self.predicted == self.labels)), len(self.labels))

    @property
    def loss(self) -> float:
        """Mean cross-entropy in nats."""
        from scipy.special import log_softmax

        log_probabilities = log_softmax(self.logits.astype(np.float64), axis=1)
        return float(-np.mean(log_probabilities[np.arange(len(self.labels)), self.labels]))

    @property
    def true_probabilities(self) -> np.ndarray:
        """Predicted probability of the true class of each image, float64, (images,)."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]

    @property
    def mean_true_probability(self) -> float:
        """Mean probability of the true class: what the toy network's author calls accuracy."""
        return float(self.true_probabilities.mean())

    def metrics(self, prefix: str = "") -> dict[str, float]:
        """The figures of a run, by name."""
        return {
            f"{prefix}loss": self.loss,
            f"{prefix}error": self.error,
            f"{prefix}accuracy": self.accuracy,
            f"{prefix}true_probability": self.mean_true_probability,
        }

    @cached_property
    def confusion(self) -> np.ndarray:
        """Images by true class (row) and predicted class, int64, (classes, classes)."""
        cells = self.labels * self.classes + self.predicted
        return np.bincount(cells, minlength=self.classes**2).reshape(self.classes, self.classes)

    def misclassified(self) -> np.ndarray:
        """Indices of wrong predictions, the most confident first, int64."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    def cell(self, true: int, predicted: int) -> np.ndarray:
        """Indices of the images in one cell of the confusion matrix, int64.

        Wrong predictions come with the most confident first, correct ones with the least
        confident first.
        """
        inside = np.flatnonzero((self.labels == true) & (self.predicted == predicted))
        sign = 1 if true == predicted else -1
        return inside[np.argsort(sign * self.confidence[inside], kind="stable")]

    def by_class(self) -> list[ClassScore]:
        """How well each class is recognized, in the order of the classes."""
        wrong = self.confusion - np.diag(np.diag(self.confusion))
        return [
            ClassScore(
                number=number,
                images=int(row.sum()),
                correct=int(row[number]),
                most_confused=int(others.argmax()) if others.any() else None,
            )
            for number, (row, others) in enumerate(zip(self.confusion, wrong, strict=True))
        ]


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """Accuracy on the images of one class."""

    number: int  # of the class
    images: int
    correct: int
    most_confused: int | None  # most frequent wrong prediction; None: there is none

    @property
    def accuracy(self) -> float:
        """Fraction recognized, 0 to 1; 0 where there is no image."""
        return self.correct / self.images if self.images else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval (Wilson); 0 to 1 where there is no image."""
        return wilson_interval(self.correct, self.images) if self.images else (0.0, 1.0)


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """95 % confidence interval of `correct` among `total` predictions, of which there is one.

    It stays within 0 to 1, and has a width even where all predictions are correct (Wilson
    1927: Probable inference, the law of succession, and statistical inference).
    """
    from scipy.stats import binomtest  # takes a second to import

    interval = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


class Evaluator:
    """Evaluates one model again and again with one compiled function.

    Args:
        model: from images, 0 to 255, to logits.
        batch_size: images at once; None: fewer of larger ones.
    """

    def __init__(self, model: keras.Model, batch_size: int | None = None):
        import tensorflow as tf

        from cnnkit.anatomy.graph import check_model
        from cnnkit.training.pipeline import to_size

        check_model(model)
        self._shape = shape = model.input_shape[1:]
        size = shape[:2] if len(shape) == 3 and None not in shape else None
        self.batch_size = batch_size or min(500, max(16, VALUES // math.prod(filter(None, shape))))
        self._logits = tf.function(
            lambda images: model(to_size(images, size), training=False), reduce_retracing=True
        )

    def __call__(self, images: ImageArray, labels: np.ndarray) -> Predictions:
        """Evaluate on uint8 or float images (images, height, width, channels) of any size.

        Raises:
            IncompatibleError: the images do not fit the model, or the labels the images.
        """
        labels = np.asarray(labels)
        self._check(images, labels)
        parts = [
            self._logits(np.asarray(images[start : start + self.batch_size])).numpy()
            for start in range(0, len(images), self.batch_size)
        ]
        logits = np.concatenate(parts)
        if labels.min() < 0 or labels.max() >= logits.shape[1]:
            raise IncompatibleError(
                f"`labels` must be 0 to {logits.shape[1] - 1}, as the model has {logits.shape[1]} "
                f"classes. Received: {labels.min()} to {labels.max()}."
            )
        return Predictions(logits=logits, labels=labels.astype(np.int64))

    def _check(self, images: ImageArray, labels: np.ndarray) -> None:
        *_, channels = self._shape
        fits = len(images.shape) == 1 + len(self._shape) and channels in (None, images.shape[-1])
        if not fits or not len(images):
            raise IncompatibleError(
                f"The model takes images of {self._shape}, at least one in a batch. "
                f"Received an array of {images.shape}."
            )
        if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
            raise IncompatibleError(
                f"`labels` must be one whole number for each of the {len(images):,} images. "
                f"Received an array of {labels.shape}, {labels.dtype}."
            )


def evaluate(
    model: keras.Model, images: ImageArray, labels: np.ndarray, batch_size: int | None = None
) -> Predictions:
    """Evaluate a model once; see `Evaluator`.

    Args:
        model: from images, 0 to 255, to logits.
        images: uint8 or float32, (images, height, width, channels), 0 to 255; those of another
            height and width are resized.
        labels: integers, (images,).
        batch_size: images at once; None: fewer of larger ones.

    Raises:
        TypeError: `model` is no Keras model.
        IncompatibleError: the images do not fit the model, or the labels the images.
    """
    images = np.asanyarray(images)
    if images.dtype.kind not in "buif":
        raise IncompatibleError(
            f"`images` must be numbers from 0 to 255. Received an array of {images.dtype}."
        )
    # In slices: the images may be a file that is larger than the memory.
    slices = (images[start : start + 1000] for start in range(0, len(images), 1000))
    if images.dtype.kind == "f" and not all(np.isfinite(one).all() for one in slices):
        raise IncompatibleError("`images` must be finite, 0 to 255. Received NaN or infinity.")
    return Evaluator(model, batch_size)(images, labels)
