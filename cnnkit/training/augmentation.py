"""Random changes of images, as a pure function of a seed.

Keras's own preprocessing layers keep the state of their generators outside the model,
where several threads of the input pipeline change it in no fixed order. A training run
could then not go on exactly where it stopped. Here the same seed gives the same
images, whoever asks and in whatever order.
"""

from __future__ import annotations

import math
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
# What puts pixels between pixels; mirroring does not.
_RESAMPLED = ("shift", "rotation", "zoom", "shear", "elastic", "crop")


def augment(images, augmentation: Augmentation, seed):
    """Change each image by itself: first where its pixels are, then what color they have.

    All changes of place are joined into one map of coordinates, so that an image is
    resampled only once (bilinear).

    Args:
        images: uint8 or float32, (batch, height, width, channels), 0 to 255.
        augmentation: the largest changes.
        seed: int32 or int64, (2,); equal seeds give equal changes.

    Returns:
        float32, (batch, height, width, channels), in the range of the input.

    References:
        Simard, Steinkraus, Platt 2003: Best Practices for Convolutional Neural Networks
        (elastic distortion).
        Krizhevsky, Sutskever, Hinton 2012: ImageNet Classification with Deep Convolutional
        Neural Networks, section 4.1 (light).
        DeVries, Taylor 2017: Improved Regularization of Convolutional Neural Networks with
        Cutout.
    """
    moved = _moved(tf.cast(images, tf.float32), augmentation, seed)
    return _recolored(moved, augmentation, seed)


def _moved(images, augmentation: Augmentation, seed):
    _, height, width, _ = images.shape
    batch = tf.shape(images)[0]
    if augmentation.elastic:
        coordinates = random_coordinates(batch, height, width, augmentation, seed)
        return sample(images, coordinates, augmentation.fill)
    if any(getattr(augmentation, name) for name in _RESAMPLED):
        return _transform(images, _weights(batch, height, width, augmentation, seed), augmentation)
    # Whole pixels change places: nothing is resampled.
    flips, _ = _flips_and_crops(batch, augmentation, seed)
    for axis, flip in ((1, augmentation.flip_vertical), (2, augmentation.flip)):
        if flip:
            flipped = flips[:, axis - 1, tf.newaxis, tf.newaxis, tf.newaxis] < 0
            images = tf.where(flipped, tf.reverse(images, [axis]), images)
    return images


def random_coordinates(batch, height: int, width: int, augmentation: Augmentation, seed):
    """Row and column in the input of each output pixel, float32, (batch, 2, height, width).

    An image's map is a sum of fixed maps (down, right, one) with its own random weights:
    one matrix product for the batch, and few random numbers; the elastic one is added.
    """
    maps = _affine_maps(height, width).astype(np.float32)
    weights = _weights(batch, height, width, augmentation, seed)
    flat = tf.reshape(weights, [-1, 3]) @ maps
    center = np.array([height - 1, width - 1], np.float32).reshape(2, 1, 1) / 2
    coordinates = tf.reshape(flat, [-1, 2, height, width]) + center
    if augmentation.elastic:
        field = _random_field(batch, height, width, augmentation.elastic_smoothness, seed)
        coordinates += augmentation.elastic * field
    return coordinates


def sample(images, coordinates, fill: str = "black"):
    """Read images at fractional coordinates: bilinear.

    Args:
        images: float32, (batch, height, width, channels).
        coordinates: float32, (batch, 2, rows, columns): row and column in pixels.
        fill: what is outside: "black", or the "nearest" pixel of the border.

    Returns:
        float32, (batch, rows, columns, channels).
    """
    # A black border of one pixel makes every neighbor of a clipped coordinate exist.
    mode = "CONSTANT" if fill == "black" else "SYMMETRIC"
    padded: Any = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], mode)
    batch = tf.shape(padded)[0]
    height, width, channels = padded.shape[1:]
    row, down = _whole_and_part(coordinates[:, 0], height)
    column, right = _whole_and_part(coordinates[:, 1], width)
    image = tf.range(batch)[:, tf.newaxis, tf.newaxis] * (height * width)
    start = image + row * width + column
    # One long list of pixels: indices into it are found faster than per image.
    pixels = tf.reshape(padded, [-1, channels])
    upper, upper_right, lower, lower_right = (
        tf.gather(pixels, start + offset) for offset in (0, 1, width, width + 1)
    )
    down, right = down[..., tf.newaxis], right[..., tf.newaxis]
    upper += (upper_right - upper) * right
    lower += (lower_right - lower) * right
    return upper + (lower - upper) * down


def _whole_and_part(coordinate, size: int):
    """Index in the padded image, int32, and the way to the next one, 0 to 1."""
    place = tf.clip_by_value(coordinate + 1, 0.0, size - 1.001)
    whole = tf.floor(place)
    return tf.cast(whole, tf.int32), place - whole


def _transform(images, weights, augmentation: Augmentation):
    """`sample` for maps without bends, by TensorFlow's own operation, several times as fast."""
    _, height, width, _ = images.shape
    down, right = (height - 1) / 2, (width - 1) / 2
    # The operation counts from the first pixel, not the middle, and columns come first.
    row, column = (
        tf.stack([w[:, 1], w[:, 0], w[:, 2] + middle - w[:, 0] * down - w[:, 1] * right], axis=1)
        for w, middle in ((weights[:, 0], down), (weights[:, 1], right))
    )
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.concat([column, row, tf.zeros_like(row[:, :2])], axis=1),
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT" if augmentation.fill == "black" else "NEAREST",
    )


def _weights(batch, height: int, width: int, augmentation: Augmentation, seed):
    """Of the affine maps in row and column, (batch, 2, 3), in pixels from the middle."""
    weights = _random_affine(batch, augmentation, seed)
    if not (augmentation.flip or augmentation.flip_vertical or augmentation.crop):
        return weights
    return _cut_out(weights, height, width, *_flips_and_crops(batch, augmentation, seed))


def _affine_maps(height: int, width: int) -> np.ndarray:
    """Rows and columns from the center, and one: (3, height × width)."""
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


def _flips_and_crops(batch, augmentation: Augmentation, seed):
    """What is seen of an image: (batch, 2), the sign along rows and columns; (batch, 3).

    The latter are the part of each side that is left, 0 to 1, and its middle along rows and
    columns, as a fraction of the side, from the image's. All are float32.
    """
    draws = tf.random.stateless_uniform([batch, 5], _fold(seed, 2))
    allowed = np.array([augmentation.flip_vertical, augmentation.flip])
    signs = tf.where((draws[:, :2] < 0.5) & allowed, -1.0, 1.0)
    left = 1 - augmentation.crop * draws[:, 2:3]
    middle = (draws[:, 3:] - 0.5) * (1 - left)
    return signs, tf.concat([left, middle], axis=1)


def _cut_out(weights, height: int, width: int, signs, crops):
    """The weights of maps (batch, 2, 3) that first mirror and cut, then do as before."""
    left = crops[:, :1] * signs  # (batch, 2): what one pixel to the right or down becomes
    offset = crops[:, 1:] * np.array([height, width], np.float32)
    linear = weights[..., :2] * left[:, tf.newaxis]
    constant = weights[..., 2] + tf.linalg.matvec(weights[..., :2], offset)
    return tf.concat([linear, constant[..., tf.newaxis]], axis=2)


def _random_field(batch, height: int, width: int, sigma: float, seed):
    """A smooth random field of variance one along rows and columns, (batch, 2, height, width).

    Gaussian bumps around the nodes of a grid, weighted by white noise, add up to a field as
    smooth as one blurred pixel by pixel, from a tenth of the random numbers.
    """
    down, right = (_bumps_along(size, sigma).astype(np.float32) for size in (height, width))
    noise = tf.random.stateless_normal([batch, 2, len(right), len(down)], _fold(seed, 1))
    # First along the columns, then along the rows: each is one product of two matrices.
    tall = tf.transpose(tf.tensordot(noise, down, 1), [0, 1, 3, 2])
    return tf.tensordot(tall, right, 1)


def _bumps_along(size: int, sigma: float) -> np.ndarray:
    """Bumps along one axis, (nodes, size); two nodes stand outside at each end."""
    spacing = max(1.0, sigma)
    nodes = spacing * (np.arange(math.ceil(size / spacing) + 4) - 2)
    heights = np.exp(-0.5 * ((nodes[:, np.newaxis] - np.arange(size)) / sigma) ** 2)
    return heights / np.linalg.norm(heights, axis=0)


def _recolored(images, augmentation: Augmentation, seed):
    """Change brightness, contrast, hue and light of each image, then blank a square.

    Hue and light are of colors: gray images keep theirs.
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
    """Lay each image and its label over another's of the batch, float32 and of the same shapes.

    Args:
        images: float, (batch, …): images, or what a network made of them (Verma et al.
            2019: Manifold Mixup).
        labels: float32, (batch, classes), one-hot.
        alpha: of the beta distribution of the weights, above 0.
        seed: int32 or int64, (2,).

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
