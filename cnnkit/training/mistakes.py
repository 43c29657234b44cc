"""What a network got wrong on its test images, from the logits alone. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from cnnkit.datasets import Dataset, load_dataset
from cnnkit.errors import CorruptAssetError
from cnnkit.training.intervals import wilson


def evaluation_dataset(spec: Mapping[str, Any]) -> Dataset:
    """The data set of a stored recipe, with the test set that its network was held out from.

    Another split seed would put training images into the test set, and images that are drawn
    at random are others with another seed. Sizes of training and validation set do not matter.

    Args:
        spec: `to_dict()` of a recipe, of training or of fine-tuning.

    Raises:
        UnknownDatasetError, AssetUnavailableError, CorruptAssetError
    """
    split_seed = int(spec.get("split_seed", 0))
    return load_dataset(
        str(spec["dataset"]),
        seed=split_seed if "phases" in spec else int(spec.get("seed", 0)),  # as `fine_tune` draws
        split_seed=split_seed,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """The logits of every test image, in the order of the data set.

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
            CorruptAssetError: the file is not what it should be; says what is wrong.
        """
        try:
            # NumPy leaves a damaged file open when it is given only the path.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                logits, labels = file["logits"], file["labels"]
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise CorruptAssetError(path, f"holds no predictions ({error})") from error
        if logits.ndim != 2 or labels.shape != logits.shape[:1] or not len(labels):
            raise CorruptAssetError(
                path, f"has logits of shape {logits.shape} for labels of shape {labels.shape}"
            )
        if labels.min() < 0 or labels.max() >= logits.shape[1]:
            raise CorruptAssetError(path, f"has labels outside 0 to {logits.shape[1] - 1}")
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
        exponentials = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the predicted class, float64, (images,)."""
        return self.probabilities.max(axis=1)

    @property
    def error(self) -> float:
        """Fraction of wrong predictions, 0 to 1."""
        return float(np.mean(self.predicted != self.labels))

    @property
    def interval(self) -> tuple[float, float]:
        """What the accuracy on other such images may be, 95 % (Wilson)."""
        return wilson(int(np.sum(self.predicted == self.labels)), len(self.labels))

    @cached_property
    def confusion(self) -> np.ndarray:
        """Images by true class (row) and predicted class, int64, (classes, classes)."""
        cells = self.labels * self.classes + self.predicted
        return np.bincount(cells, minlength=self.classes**2).reshape(self.classes, self.classes)

    def mistakes(self) -> np.ndarray:
        """Indices of wrong predictions, the most confident first, int64."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    def cell(self, true: int, predicted: int) -> np.ndarray:
        """Indices of the images in one cell of the confusion matrix, int64.

        Wrong ones come with the most confident first, right ones with the least
        confident first: the remarkable ones at the top either way.
        """
        inside = np.flatnonzero((self.labels == true) & (self.predicted == predicted))
        sign = 1 if true == predicted else -1
        return inside[np.argsort(sign * self.confidence[inside], kind="stable")]

    def by_class(self) -> list[ClassScore]:
        """How well each class is recognised, in the order of the classes."""
        totals = self.confusion.sum(axis=1)
        scores = []
        for number, row in enumerate(self.confusion):
            others = row.copy()
            others[number] = 0
            scores.append(
                ClassScore(
                    number=number,
                    images=int(totals[number]),
                    right=int(row[number]),
                    most_confused=int(others.argmax()) if others.any() else None,
                )
            )
        return scores


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """One class on the test images."""

    number: int  # of the class
    images: int
    right: int
    most_confused: int | None  # what it was most often taken for; None: never mistaken

    @property
    def accuracy(self) -> float:
        """Fraction recognised, 0 to 1; 0 where there is no image."""
        return self.right / self.images if self.images else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """What it may be on other such images, 95 % (Wilson); all where there is none."""
        return wilson(self.right, self.images) if self.images else (0.0, 1.0)
