"""The stream of training batches, as a function of the seed and the epoch.

Keras's `fit` on arrays repeats one order in every epoch once seeds are set, and keeps
the state of its shuffling where no checkpoint sees it. Here the order of pass p is a
function of (seed, p), and the augmentation of batch b one of (seed, b): a run that goes
on after a stop meets exactly the batches it would have met.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from cnnkit.training.augmentation import augment
from cnnkit.training.recipe import Recipe


def batches_per_pass(pictures: int, recipe: Recipe) -> int:
    """Batches in one pass over the training pictures, at least one."""
    if recipe.drop_remainder:
        return max(1, pictures // recipe.batch_size)
    return -(-pictures // recipe.batch_size)


class Batches:
    """Batches of one epoch after another.

    Args:
        images: uint8, (pictures, height, width, channels), 0 to 255.
        labels: int64, (pictures,).
        recipe: batch size, order, augmentation and seed.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, recipe: Recipe):
        """Put the pictures where TensorFlow finds them."""
        self.recipe = recipe
        self.per_pass = batches_per_pass(len(images), recipe)
        self.per_epoch = recipe.steps_per_epoch or self.per_pass
        # The stream is made by the CPU, wherever the network is.
        with tf.device("CPU:0"):
            self._images = tf.constant(images)
            self._labels = tf.constant(labels)
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
        """Indices of all pictures in the order of a pass (0-based)."""
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
        images = tf.gather(self._images, indices)
        if self.recipe.augmentation:
            seed = tf.stack([np.int64(self.recipe.seed), number])
            images = augment(images, self.recipe.augmentation, seed)
        return images, tf.gather(self._labels, indices)
