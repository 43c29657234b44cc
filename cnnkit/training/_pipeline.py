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
        # `fit` reads the data set anew each epoch, and the data set reads this.
        self.epoch = tf.Variable(tf.constant(0, tf.int64), trainable=False)
        self._images = tf.constant(images)
        self._labels = tf.constant(labels)

    def dataset(self) -> tf.data.Dataset:
        """(images float32 or uint8, labels) of the epoch that `self.epoch` says."""
        indices = tf.data.Dataset.from_tensors(0).flat_map(lambda _: self._epoch_indices())
        # One thread per core would take the cores from the training step itself.
        batches = indices.map(self._batch, num_parallel_calls=2, deterministic=True)
        return batches.prefetch(4).apply(tf.data.experimental.assert_cardinality(self.per_epoch))

    def _epoch_indices(self) -> tf.data.Dataset:
        first = self.epoch * self.per_epoch
        first_pass = first // self.per_pass
        last_pass = (first + self.per_epoch - 1) // self.per_pass
        numbered = tf.data.Dataset.range(first_pass, last_pass + 1).flat_map(self._pass_indices)
        return numbered.skip(first - first_pass * self.per_pass).take(self.per_epoch)

    def _pass_indices(self, number) -> tf.data.Dataset:
        count = tf.shape(self._labels, out_type=tf.int64)[0]
        order = tf.range(count)
        if self.recipe.shuffle:
            order = tf.random.experimental.stateless_shuffle(  # pyright: ignore[reportAttributeAccessIssue]
                order, tf.stack([np.int64(self.recipe.seed), number])
            )
        size = self.recipe.batch_size
        return tf.data.Dataset.range(self.per_pass).map(
            lambda i: (number * self.per_pass + i, order[i * size : (i + 1) * size])
        )

    def _batch(self, number, indices):
        images = tf.gather(self._images, indices)
        if self.recipe.augmentation:
            seed = tf.stack([np.int64(self.recipe.seed), number])
            images = augment(images, self.recipe.augmentation, seed)
        return images, tf.gather(self._labels, indices)
