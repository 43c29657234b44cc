"""The stream of training batches, as a function of the seed and the epoch.

Keras's `fit` on arrays repeats one order in every epoch once seeds are set, and keeps
the state of its shuffling where no checkpoint sees it. Here the order of pass p is a
function of (seed, p), and the augmentation of batch b one of (seed, b): a run that goes
on after a stop meets exactly the batches it would have met.

What lies in a file is read batch by batch, so that 100,000 images need no more memory
than a hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from cnnkit.datasets import Dataset
from cnnkit.training.augmentation import augment, mix
from cnnkit.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class StoredRows:
    """Some rows of an array on disk, or of several arrays with variants of the same rows.

    Args:
        variants: memory-mapped arrays of one shape, (rows, …); the first is the one to
            validate and test on.
        rows: which ones, int64, in their order.
        seed: of the choice of variants.
    """

    variants: Sequence[np.ndarray]
    rows: np.ndarray
    seed: int = 0

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, …)."""
        return (len(self.rows), *self.variants[0].shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """Of every variant."""
        return self.variants[0].dtype

    def __getitem__(self, where: slice | np.ndarray) -> np.ndarray:
        """Rows of the first variant, read into memory."""
        return np.asarray(self.variants[0][self.rows[where]])

    def read(self, indices: np.ndarray, batch: int) -> np.ndarray:
        """Rows at some indices, each of a variant that follows from (seed, number of batch)."""
        if len(self.variants) == 1:
            return self[indices]
        generator = np.random.default_rng((self.seed, int(batch)))
        chosen = generator.integers(len(self.variants), size=len(indices))
        values = np.empty((len(indices), *self.shape[1:]), self.dtype)
        for number, variant in enumerate(self.variants):
            mask = chosen == number
            values[mask] = variant[self.rows[indices[mask]]]
        return values


ImageArray = np.ndarray | StoredRows


def read_split(dataset: Dataset, name: str) -> tuple[ImageArray, np.ndarray]:
    """Images and labels of a split, without reading those that lie in a file."""
    if not isinstance(dataset.images, np.memmap):
        return dataset.part(name)
    rows = dataset.indices(name)
    return StoredRows((dataset.images,), rows), dataset.labels[rows]


def batches_per_pass(images: int, recipe: Recipe) -> int:
    """Batches in one pass over the training images, at least one."""
    if recipe.drop_remainder:
        return max(1, images // recipe.batch_size)
    return -(-images // recipe.batch_size)


def to_size(images, size: Sequence[int] | None):
    """Images (batch, height, width, channels) resized to (height, width); None: as they are.

    Each pixel of a smaller image is the mean of what it covers.
    """
    if size is None or tuple(images.shape[1:3]) == tuple(size):
        return images
    return tf.image.resize(images, size, antialias=True)


class BatchStream:
    """Batches of one epoch after another.

    Args:
        images: uint8, (images, height, width, channels), 0 to 255; or float, what a
            network made of images.
        labels: int64, (images,).
        recipe: batch size, order, augmentation and seed.
        size: (height, width) that images are resized to; None: as they are.
        classes: of the labels; needed to mix them.
        weights: float32, (classes,): how much an image of each class counts; None: one.
    """

    def __init__(
        self,
        images: ImageArray,
        labels: np.ndarray,
        recipe: Recipe,
        *,
        size: Sequence[int] | None = None,
        classes: int = 0,
        weights: np.ndarray | None = None,
    ):
        self.recipe, self.size, self.classes = recipe, size, classes
        self.images = len(images)
        self.per_pass = batches_per_pass(len(images), recipe)
        self.per_epoch = recipe.steps_per_epoch or self.per_pass
        # The stream is made by the CPU, wherever the network is.
        with tf.device("CPU:0"):
            self._read = _reader(images)
            self._labels = tf.constant(labels)
            self._weights = None if weights is None else tf.constant(weights, tf.float32)
            # `fit` reads the data set anew each epoch, and the data set reads these.
            self._first = tf.Variable(tf.constant(0, tf.int64), trainable=False)
            self._orders = tf.Variable(
                tf.zeros([0, len(labels)], tf.int32), trainable=False, shape=[None, len(labels)]
            )

    def begin(self, epoch: int) -> None:
        """Point the data set at an epoch (0-based)."""
        first = epoch * self.per_epoch
        passes = range(first // self.per_pass, (first + self.per_epoch - 1) // self.per_pass + 1)
        self._first.assign(first)
        self._orders.assign(tf.stack([self._order(number) for number in passes]))

    def dataset(self) -> tf.data.Dataset:
        """(images float32 or uint8, labels) of the epoch that was begun last."""
        # One thread per core would take the cores from the training step itself.
        batches = tf.data.Dataset.range(self.per_epoch).map(
            self._batch, num_parallel_calls=2, deterministic=True
        )
        # Rewriting so short a pipeline anew in each epoch costs more than it saves.
        options = tf.data.Options()
        options.experimental_optimization.apply_default_optimizations = False
        # There is nothing to tune, and the tuner's thread sleeps in ever longer naps that the
        # next epoch's first batch was measured to wait for: 1 to 20 s, with the cores idle.
        options.autotune.enabled = False
        return batches.prefetch(4).with_options(options)

    def _order(self, number: int) -> tf.Tensor:
        """Indices of all images in the order of a pass (0-based)."""
        order = tf.range(len(self._labels))
        if not self.recipe.shuffle:
            return order
        seed = np.array([self.recipe.seed, number], np.int64)
        return tf.random.experimental.stateless_shuffle(order, seed)  # pyright: ignore[reportAttributeAccessIssue]

    def _batch(self, step):
        number, size = self._first + step, self.recipe.batch_size
        row = number // self.per_pass - self._first // self.per_pass
        start = number % self.per_pass * size
        indices = self._orders[row, start : start + size]
        seed = tf.stack([np.int64(self.recipe.seed), number])
        images = to_size(self._read(indices, number), self.size)
        labels = tf.gather(self._labels, indices)
        weights = () if self._weights is None else (tf.gather(self._weights, labels),)
        augmentation = self.recipe.augmentation
        if augmentation.of_images:
            images = augment(images, augmentation, seed)
        if augmentation.mixup:
            one_hot = tf.one_hot(labels, self.classes)
            images, labels = mix(images, one_hot, augmentation.mixup, seed)
        return images, labels, *weights


def _reader(images: ImageArray) -> Callable[[Any, Any], Any]:
    """From indices, and the number of their batch, to images."""
    if not isinstance(images, StoredRows):
        constant = tf.constant(images)
        return lambda indices, number: tf.gather(constant, indices)

    def read(indices, number):
        values = tf.numpy_function(images.read, [indices, number], images.dtype, stateful=False)
        return tf.ensure_shape(values, (None, *images.shape[1:]))

    return read
