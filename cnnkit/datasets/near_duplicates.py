"""Near-duplicates: images of the test set that the training set almost contains.

Copies, other sizes of the same photo, and shots of the same second make the test accuracy
too high, because the network has seen the image.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from cnnkit.datasets._types import Dataset

SIDE = 16  # pixels of the thumbnails that are compared
# Correlation of two thumbnails. Of the 17 flowers, the copies reach 1.00, two shots of one
# flower .96, and any other pair of training and test image .88 at most.
MIN_CORRELATION = 0.95
ROWS = 1024  # test images that are compared at once


def near_duplicates(dataset: Dataset) -> np.ndarray:
    """Pairs of images on different sides of the split that look almost the same.

    Args:
        dataset: of photos; every image of its three parts is read once.

    Returns:
        int64, (pairs, 2): numbers of an image of the training or validation set, and of one
        of the test set; the most similar pairs first.
    """
    seen = np.concatenate([dataset.indices("train"), dataset.indices("validation")])
    test = dataset.indices("test")
    if not len(seen) or not len(test):
        return np.empty((0, 2), np.int64)
    thumbnails = _thumbnails(dataset, seen)
    pairs, correlations = [], []
    for first in range(0, len(test), ROWS):
        some = test[first : first + ROWS]
        correlation = thumbnails @ _thumbnails(dataset, some).T
        rows, columns = np.nonzero(correlation >= MIN_CORRELATION)
        pairs.append(np.stack([seen[rows], some[columns]], axis=1))
        correlations.append(correlation[rows, columns])
    order = np.argsort(-np.concatenate(correlations), kind="stable")
    return np.concatenate(pairs)[order]


def _thumbnails(dataset: Dataset, numbers: np.ndarray) -> np.ndarray:
    """Gray thumbnails of mean 0 and length 1, float32 (images, pixels); 0 where all is one gray."""
    rows = np.stack([_thumbnail(dataset.images[number]) for number in numbers])
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1)


def _thumbnail(image: np.ndarray) -> np.ndarray:
    small = Image.fromarray(image).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.float32).ravel()
