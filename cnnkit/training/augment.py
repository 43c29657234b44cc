"""Random changes of pictures, as a pure function of a seed.

Keras's own preprocessing layers keep the state of their generators outside the model,
where several threads of the input pipeline change it in no fixed order. A training run
could then not go on exactly where it stopped. Here the same seed gives the same
pictures, whoever asks and in whatever order.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from cnnkit.training.recipe import Augmentation


def augment(images, augmentation: Augmentation, seed):
    """Change each picture by its own random shift, rotation, zoom, shear and distortion.

    All changes are joined into one map of coordinates, so that a picture is resampled
    only once (bilinear, black outside).

    Args:
        images: uint8 or float32, (batch, height, width, channels).
        augmentation: the largest changes.
        seed: int32 or int64, (2,); equal seeds give equal changes.

    Returns:
        float32, (batch, height, width, channels), in the range of the input.

    Reference:
        Simard, Steinkraus, Platt 2003: Best Practices for Convolutional Neural Networks
        (elastic distortion).
    """
    images = tf.cast(images, tf.float32)
    if not augmentation:
        return images
    return sample(images, random_coordinates(tf.shape(images), augmentation, seed))


def random_coordinates(shape, augmentation: Augmentation, seed):
    """Where each output pixel is taken from.

    Args:
        shape: int32, (4,), of the batch of images.
        augmentation: the largest changes.
        seed: int32 or int64, (2,).

    Returns:
        float32, (batch, height, width, 2): row and column in the input, in pixels.
    """
    batch, height, width = shape[0], shape[1], shape[2]
    rows, columns = tf.meshgrid(tf.range(height), tf.range(width), indexing="ij")
    centre = tf.cast(tf.stack([height - 1, width - 1]), tf.float32) / 2
    grid = tf.cast(tf.stack([rows, columns], axis=-1), tf.float32) - centre
    matrix, shift = _random_affine(batch, augmentation, seed)
    coordinates = tf.einsum("hwi,bij->bhwj", grid, matrix) + shift[:, tf.newaxis, tf.newaxis]
    if augmentation.elastic:
        coordinates += _random_displacement(batch, height, width, augmentation, seed)
    return coordinates + centre


def sample(images, coordinates):
    """Read pictures at fractional coordinates: bilinear, zero outside.

    Args:
        images: float32, (batch, height, width, channels).
        coordinates: float32, (batch, height, width, 2): row and column in pixels.

    Returns:
        float32, (batch, height, width, channels).
    """
    # A black border of one pixel makes every neighbour of a clipped coordinate exist.
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    shape = tf.shape(padded)
    batch, height, width, channels = shape[0], shape[1], shape[2], shape[3]
    limit = tf.cast(tf.stack([height, width]), tf.float32) - 1.001
    place = tf.clip_by_value(coordinates + 1, 0.0, limit)
    corner = tf.floor(place)
    part = place - corner
    corner = tf.cast(corner, tf.int32)
    start = corner[..., 0] * width + corner[..., 1]
    pixels = tf.reshape(padded, [batch, height * width, channels])

    def neighbour(offset):
        return tf.gather(pixels, start + offset, batch_dims=1)

    down, right = part[..., 0:1], part[..., 1:2]
    upper = neighbour(0) * (1 - right) + neighbour(1) * right
    lower = neighbour(width) * (1 - right) + neighbour(width + 1) * right
    return upper * (1 - down) + lower * down


def _random_affine(batch, augmentation: Augmentation, seed):
    draws = tf.random.stateless_uniform([5, batch], _fold(seed, 0), -1.0, 1.0)
    angle = draws[0] * math.radians(augmentation.rotation)
    scale = 1 / (1 + draws[1] * augmentation.zoom)
    shear = tf.tan(draws[2] * math.radians(augmentation.shear))
    cosine, sine = tf.cos(angle) * scale, tf.sin(angle) * scale
    matrix = tf.stack([cosine, -sine, sine + shear * cosine, cosine - shear * sine], axis=-1)
    shift = tf.transpose(draws[3:5]) * augmentation.shift
    return tf.reshape(matrix, [batch, 2, 2]), shift


def _random_displacement(batch, height, width, augmentation: Augmentation, seed):
    noise = tf.random.stateless_normal([batch, height, width, 2], _fold(seed, 1))
    sigma = augmentation.elastic_smoothness
    # Blurring as two matrix products: a convolution with so wide a kernel is slower.
    blurred = tf.einsum("bhwc,hi->biwc", noise, _blur_matrix(height, sigma))
    blurred = tf.einsum("biwc,wj->bijc", blurred, _blur_matrix(width, sigma))
    return blurred * augmentation.elastic


def _blur_matrix(size, sigma: float):
    """Gaussian weights, (size, size), that keep the variance of white noise."""
    place = tf.cast(tf.range(size), tf.float32)
    distance = place[:, tf.newaxis] - place[tf.newaxis]
    weights = tf.exp(-0.5 * tf.square(distance / np.float32(sigma)))
    return weights / tf.norm(weights, axis=0, keepdims=True)


def _fold(seed, number: int):
    """Another seed for each use, so that no two draws are the same numbers."""
    return tf.random.experimental.stateless_fold_in(seed, number)
