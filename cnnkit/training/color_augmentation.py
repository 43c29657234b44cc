"""Random changes of an image's colors, blanked squares and mixed images.

Pure functions of a seed, as those of `cnnkit.training.augmentation`. Color spaces are
TensorFlow's; only what is drawn at random is drawn here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from cnnkit.training.recipe import Augmentation

# How far the colors of ImageNet's pixels lie apart along the three main directions, of values
# from 0 to 255, and these directions as columns, of red, green and blue: AlexNet published
# neither; these are the figures that Torch's and later ImageNet trainings use.
PCA_SIZES = 255 * np.array([0.2175, 0.0188, 0.0045], np.float32)
PCA_DIRECTIONS = np.array(
    [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]],
    np.float32,
)


def recolor(images, augmentation: Augmentation, seed):
    """Change brightness, contrast, hue and light of each image, then blank a square.

    Args:
        images: float32, (batch, height, width, channels), 0 to 255. Hue and light are of
            colors: gray images keep theirs.
        augmentation: the largest changes.
        seed: int32 or int64, (2,); equal seeds give equal changes.

    Returns:
        float32, as `images`, kept between 0 and 255 where colors changed.

    References:
        Krizhevsky, Sutskever, Hinton 2012: ImageNet Classification with Deep Convolutional
        Neural Networks, section 4.1 (light); DeVries, Taylor 2017: Improved Regularization
        of Convolutional Neural Networks with Cutout.
    """
    draws = tf.random.stateless_uniform([4, _count(images), 1, 1, 1], _fold(seed, 3), -1, 1)
    changed = images
    if augmentation.brightness:
        changed += 255 * augmentation.brightness * draws[0]
    if augmentation.contrast:
        mean = tf.reduce_mean(changed, [1, 2, 3], keepdims=True)
        changed = mean + (changed - mean) * (1 + augmentation.contrast * draws[1])
    if images.shape[-1] == 3:
        changed = _light(changed, augmentation, seed)
        changed = _turned(changed, augmentation.hue * draws[2]) if augmentation.hue else changed
    if changed is not images:
        changed = tf.clip_by_value(changed, 0.0, 255.0)
    return _blanked(changed, augmentation.cutout, seed) if augmentation.cutout else changed


def mix(images, labels, alpha: float, seed):
    """Lay each image and its label over another's of the batch.

    Args:
        images: float, (batch, …): images, or what a network made of them (Verma et al.
            2019: Manifold Mixup).
        labels: float32, (batch, classes), one-hot.
        alpha: of the beta distribution of the weights, above 0.
        seed: int32 or int64, (2,).

    Returns:
        The same shapes, as float32.

    Reference:
        Zhang et al. 2018: mixup: Beyond Empirical Risk Minimization.
    """
    batch = _count(images)
    # The share of one of two gamma variables in their sum is beta distributed.
    gammas = tf.random.stateless_gamma([2, batch], _fold(seed, 5), tf.constant(alpha))
    weights = tf.math.divide_no_nan(gammas[0], gammas[0] + gammas[1])
    partners = tf.random.experimental.stateless_shuffle(tf.range(batch), _fold(seed, 6))  # pyright: ignore[reportAttributeAccessIssue]
    return _mixed(images, weights, partners), _mixed(labels, weights, partners)


def _mixed(values, weights, partners):
    values = tf.cast(values, tf.float32)
    weights = tf.reshape(weights, [-1, *[1] * (len(values.shape) - 1)])
    return weights * values + (1 - weights) * tf.gather(values, partners)


def _light(images, augmentation: Augmentation, seed):
    if not augmentation.pca:
        return images
    noise = tf.random.stateless_normal([_count(images), 3], _fold(seed, 4))
    added = (augmentation.pca * noise * PCA_SIZES) @ PCA_DIRECTIONS.T
    return images + added[:, tf.newaxis, tf.newaxis]


def _turned(images, turns):
    """Each image with its hues turned by a part of the circle, (batch, 1, 1, 1)."""
    hsv: Any = tf.image.rgb_to_hsv(tf.clip_by_value(images, 0.0, 255.0))
    hue = tf.math.floormod(hsv[..., :1] + turns, 1.0)
    return tf.image.hsv_to_rgb(tf.concat([hue, hsv[..., 1:]], axis=-1))


def _blanked(images, part: float, seed):
    """A square of each image in the image's mean color; parts of it may lie outside."""
    _, height, width, _ = images.shape
    middles = tf.random.stateless_uniform([_count(images), 2, 1], _fold(seed, 7))
    inside = [
        tf.abs(tf.range(size, dtype=tf.float32) + 0.5 - middles[:, axis] * size) < part * size / 2
        for axis, size in enumerate((height, width))
    ]
    square = inside[0][:, :, tf.newaxis, tf.newaxis] & inside[1][:, tf.newaxis, :, tf.newaxis]
    return tf.where(square, tf.reduce_mean(images, [1, 2], keepdims=True), images)


def _count(images) -> Any:
    return tf.shape(images)[0]


def _fold(seed, number: int) -> Any:
    """Another seed for each use, so that no two draws are the same numbers."""
    return tf.random.fold_in(seed, number)
