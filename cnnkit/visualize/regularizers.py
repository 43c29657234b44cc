"""Regularizers: penalties in the objective, and operations on the image after each step.

Penalties are written so that neither the value nor its gradient overflows or divides by zero
where their mathematical limit is finite: the literal formula of an Lp norm gives NaN gradients
for an image of zeros, and infinity for large p.

Reference:
    Operations on the image: Yosinski, Clune, Nguyen, Fuchs, Lipson 2015, "Understanding Neural
    Networks Through Deep Visualization", section 3: r_θ(x).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import tf
from cnnkit.visualize.registry import Slider, image_regularizer, log_slider, regularizer

if TYPE_CHECKING:
    Tensor = Any

TINY = 1e-12
# What the papers' programs call zero: the mean color, which they subtract from images.
GRAY = 127.5
REACH = 4  # of the blur's kernel, in standard deviations
LARGEST_SIGMA = 4.0  # pixels
WEIGHT = log_slider(1e-4, 1e4)
NORMS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, math.inf)


# Penalties: `image` is float32 (images, height, width, channels), 0 to 255.


@regularizer(
    title="Total variation",
    weight=WEIGHT,
    beta=Slider(0.5, 3, step=0.1, title="TV exponent β"),
)
def total_variation(image, beta=2.0):
    """Σ ((down − center)² + (right − center)²)^(β/2), divided by the count of values.

    As published, the sum leaves out the last row and column as "center", so that the pixel in the
    lower right corner is in no difference and stays free.

    Args:
        image: float32 (images, height, width, channels), 0 to 255.
        beta: exponent β, above 0.

    Reference:
        Mahendran, Vedaldi 2014, "Understanding Deep Image Representations by Inverting Them".
    """
    height, width = (side - 1 for side in image.shape[1:3])
    center, below, beside = (
        _cut(image, *corner, height, width) for corner in ((0, 0), (1, 0), (0, 1))
    )
    squares = (below - center) ** 2 + (beside - center) ** 2

    def powers():
        # Where nothing varies, the slope of a root is infinite: it is made 0.
        some = tf.pow(tf.maximum(squares, TINY), beta / 2)
        return tf.reduce_sum(tf.where(squares > 0, some, 0.0), (1, 2, 3))

    usual = tf.equal(beta, 2.0)  # a power of 1 costs as much as any
    total = tf.cond(usual, lambda: tf.reduce_sum(squares, (1, 2, 3)), powers)
    return total / _count(image)


@regularizer(
    title="Lp norm",
    weight=WEIGHT,
    p=Slider(1, math.inf, options=NORMS, title="Lp exponent p"),
)
def lp_norm(image, p=6.0):
    """(Σ |x|^p)^(1/p) over the image's values, divided by their count.

    Args:
        image: float32 (images, height, width, channels), 0 to 255.
        p: exponent, 1 or more; it may be infinite.

    Reference:
        Simonyan, Vedaldi, Zisserman 2013 (p = 2); Mahendran, Vedaldi 2014 (p = 6).
    """
    size = tf.abs(image)
    largest = tf.reduce_max(size, (1, 2, 3), keepdims=True)

    def powers():
        # Shares of the largest value neither overflow nor vanish all together. That the
        # largest is taken for a constant cancels out in the gradient.
        whole = tf.stop_gradient(tf.maximum(largest, TINY))
        share = size / whole
        # The slope of x^p at 0 is infinite for p < 1 and 0 for p > 1: it is made 0.
        inside = tf.where(share > 0, tf.pow(tf.maximum(share, TINY), p), 0.0)
        total = tf.reduce_sum(inside, (1, 2, 3), keepdims=True)
        root = tf.where(total > 0, tf.pow(tf.maximum(total, TINY), 1 / p), 0.0)
        return tf.reshape(root * whole, (-1,))

    def finite():
        # p = 1: powers would cost five times as much.
        return tf.cond(tf.equal(p, 1.0), lambda: tf.reduce_sum(size, (1, 2, 3)), powers)

    norm = tf.cond(tf.math.is_inf(p), lambda: tf.reshape(largest, (-1,)), finite)
    return norm / _count(image)


@regularizer(title="L2 around gray", weight=WEIGHT)
def l2(image, center=GRAY):
    """The mean of (x − center)².

    Args:
        image: float32 (images, height, width, channels), 0 to 255.
        center: one gray level, or one for each color channel.
    """
    return tf.reduce_mean((image - center) ** 2, (1, 2, 3))


@regularizer(title="Anisotropic total variation", weight=WEIGHT)
def anisotropic_variation(image):
    """Σ |down − here| + |right − here|, divided by the count of values."""
    height, width = image.shape[1:3]
    down, right = (
        tf.abs(_cut(image, *step, *size) - _cut(image, 0, 0, *size))
        for step, size in (((1, 0), (height - 1, width)), ((0, 1), (height, width - 1)))
    )
    return (tf.reduce_sum(down, (1, 2, 3)) + tf.reduce_sum(right, (1, 2, 3))) / _count(image)


# Operations on the image. `gradient` is of the objective's activation terms with respect to the
# images, before it is normalized; `step` is 1-based.


@image_regularizer(title="L2 decay", share=Slider(0, 0.5, step=0.005))
def decay(images, gradient, step, share=0.0):
    """Move every value toward gray by a share of its distance, as L2 decay does to weights."""
    return GRAY + (1 - share) * (images - GRAY)


@image_regularizer(
    title="Blur",
    sigma=Slider(0, LARGEST_SIGMA, step=0.1, title="Blur σ, pixels"),
    every=Slider(1, 32, step=1, title="Blur every n steps"),
)
def blur(images, gradient, step, sigma=0.0, every=4):
    """A Gaussian blur every few steps, against high frequencies.

    Its standard deviation σ is in pixels, at most 4; 0: no blur.
    """
    every = tf.maximum(tf.cast(tf.round(every), tf.int32), 1)
    due = (sigma > 0) & (step % every == 0)
    return tf.cond(due, lambda: gaussian_blur(images, sigma), lambda: images)


@image_regularizer(
    title="Clip small norm", percentile=Slider(0, 99, step=1, title="Clip pixels of small norm, %")
)
def clip_norm(images, gradient, step, percentile=0.0):
    """Make gray the pixels that differ least from it: a percentile of the image's pixels."""
    return _clip(images, tf.norm(images - GRAY, axis=-1, keepdims=True), percentile)


@image_regularizer(
    title="Clip small contribution",
    percentile=Slider(0, 99, step=1, title="Clip pixels of small contribution, %"),
)
def clip_contribution(images, gradient, step, percentile=0.0):
    """Make gray the pixels that matter least: |Σ over channels of (x - gray) · gradient|."""
    share = tf.abs(tf.reduce_sum((images - GRAY) * gradient, axis=-1, keepdims=True))
    return _clip(images, share, percentile)


def gaussian_blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur float32 (images, height, width, channels), with the borders mirrored."""
    _, height, width, channels = images.shape
    reach = min(int(REACH * LARGEST_SIGMA), height - 1, width - 1)
    places = tf.range(-reach, reach + 1, dtype=tf.float32)
    weights = tf.exp(-0.5 * (places / tf.minimum(sigma, LARGEST_SIGMA)) ** 2)
    weights = weights / tf.reduce_sum(weights)
    kernel = tf.tile(weights[:, None, None, None], (1, 1, channels, 1))
    around = [(0, 0), (reach, reach), (reach, reach), (0, 0)]
    images = tf.pad(images, around, "REFLECT")
    images = tf.nn.depthwise_conv2d(images, kernel, (1, 1, 1, 1), "VALID")
    return tf.nn.depthwise_conv2d(images, tf.transpose(kernel, (1, 0, 2, 3)), (1,) * 4, "VALID")


def _clip(images: Tensor, measure: Tensor, percentile: Tensor) -> Tensor:
    def clipped():
        count = int(np.prod(measure.shape[1:]))
        ordered = tf.sort(tf.reshape(measure, (-1, count)), axis=1)
        place = tf.cast(tf.clip_by_value(percentile / 100, 0, 1) * (count - 1), tf.int32)
        threshold = tf.reshape(ordered[:, place], (-1, 1, 1, 1))
        return tf.where(measure < threshold, GRAY, images)

    return tf.cond(percentile > 0, clipped, lambda: images)


def _cut(image: Tensor, row: int, column: int, height: int, width: int) -> Tensor:
    """A part of each image; of a slice without a size the gradient is slow."""
    return tf.slice(image, (0, row, column, 0), (-1, height, width, -1))


def _count(image: Tensor) -> float:
    height, width, channels = image.shape[1:]
    return float(height * width * channels)
