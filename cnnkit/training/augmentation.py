"""Random changes of pictures, as a pure function of a seed.

Keras's own preprocessing layers keep the state of their generators outside the model,
where several threads of the input pipeline change it in no fixed order. A training run
could then not go on exactly where it stopped. Here the same seed gives the same
pictures, whoever asks and in whatever order.
"""

from __future__ import annotations

import math
from typing import Any

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
    _, height, width, _ = images.shape
    batch = tf.shape(images)[0]
    return sample(images, random_coordinates(batch, height, width, augmentation, seed))


def random_coordinates(batch, height: int, width: int, augmentation: Augmentation, seed):
    """Where each output pixel is taken from.

    A picture's map is a sum of fixed maps (down, right, one, and a bump around each node
    of a coarse grid) with its own random weights: one matrix product for the batch, and
    few random numbers.

    Args:
        batch: pictures.
        height: pixels.
        width: pixels.
        augmentation: the largest changes.
        seed: int32 or int64, (2,).

    Returns:
        float32, (batch, 2, height, width): row and column in the input, in pixels.
    """
    maps = [_affine_maps(height, width)]
    weights = [_random_affine(batch, augmentation, seed)]
    if augmentation.elastic:
        maps.append(_bumps(height, width, augmentation.elastic_smoothness))
        noise = tf.random.stateless_normal([batch, 2, len(maps[-1])], _fold(seed, 1))
        weights.append(noise * augmentation.elastic)
    # (batch × 2, maps) times (maps, pixels): one product of two matrices, not of many.
    joined = np.concatenate(maps).astype(np.float32)
    flat = tf.reshape(tf.concat(weights, axis=2), [-1, len(joined)]) @ joined
    centre = np.array([height - 1, width - 1], np.float32).reshape(2, 1, 1) / 2
    return tf.reshape(flat, [-1, 2, height, width]) + centre


def sample(images, coordinates):
    """Read pictures at fractional coordinates: bilinear, zero outside.

    Args:
        images: float32, (batch, height, width, channels).
        coordinates: float32, (batch, 2, rows, columns): row and column in pixels.

    Returns:
        float32, (batch, rows, columns, channels).
    """
    # A black border of one pixel makes every neighbour of a clipped coordinate exist.
    padded: Any = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    batch = tf.shape(padded)[0]
    height, width, channels = padded.shape[1:]
    row, down = _whole_and_part(coordinates[:, 0], height)
    column, right = _whole_and_part(coordinates[:, 1], width)
    picture = tf.range(batch)[:, tf.newaxis, tf.newaxis] * (height * width)
    start = picture + row * width + column
    # One long list of pixels: indices into it are found faster than per picture.
    pixels = tf.reshape(padded, [-1, channels])
    upper, upper_right, lower, lower_right = (
        tf.gather(pixels, start + offset) for offset in (0, 1, width, width + 1)
    )
    down, right = down[..., tf.newaxis], right[..., tf.newaxis]
    upper += (upper_right - upper) * right
    lower += (lower_right - lower) * right
    return upper + (lower - upper) * down


def _whole_and_part(coordinate, size: int):
    """Index in the padded picture, int32, and the way to the next one, 0 to 1."""
    place = tf.clip_by_value(coordinate + 1, 0.0, size - 1.001)
    whole = tf.floor(place)
    return tf.cast(whole, tf.int32), place - whole


def _affine_maps(height: int, width: int) -> np.ndarray:
    """Rows and columns from the centre, and one: (3, height × width)."""
    rows, columns = np.mgrid[:height, :width]
    rows, columns = rows - (height - 1) / 2, columns - (width - 1) / 2
    return np.stack([rows, columns, np.ones_like(rows)]).reshape(3, -1)


def _random_affine(batch, augmentation: Augmentation, seed):
    """Weights of the affine maps in row and column, (batch, 2, 3)."""
    draws = tf.random.stateless_uniform([5, batch], _fold(seed, 0), -1.0, 1.0)
    angle = draws[0] * math.radians(augmentation.rotation)
    scale = 1 / (1 + draws[1] * augmentation.zoom)
    shear = tf.tan(draws[2] * math.radians(augmentation.shear))
    cosine, sine = tf.cos(angle) * scale, tf.sin(angle) * scale
    shift = draws[3:] * augmentation.shift
    row = tf.stack([cosine, sine + shear * cosine, shift[0]], axis=-1)
    column = tf.stack([-sine, cosine - shear * sine, shift[1]], axis=-1)
    return tf.stack([row, column], axis=1)


def _bumps(height: int, width: int, sigma: float) -> np.ndarray:
    """Gaussian bumps around the nodes of a grid, (nodes, height × width).

    Weighted by white noise they add up to a field as smooth as one blurred pixel by
    pixel, of variance one everywhere, from a tenth of the random numbers.
    """
    down, right = _bumps_along(height, sigma), _bumps_along(width, sigma)
    return np.einsum("ih,jw->ijhw", down, right).reshape(-1, height * width)


def _bumps_along(size: int, sigma: float) -> np.ndarray:
    """The same in one dimension, (nodes, size); two nodes stand outside at each end."""
    spacing = max(1.0, sigma)
    nodes = spacing * (np.arange(math.ceil(size / spacing) + 4) - 2)
    heights = np.exp(-0.5 * ((nodes[:, np.newaxis] - np.arange(size)) / sigma) ** 2)
    return heights / np.linalg.norm(heights, axis=0)


def _fold(seed, number: int) -> Any:
    """Another seed for each use, so that no two draws are the same numbers."""
    return tf.random.fold_in(seed, number)
