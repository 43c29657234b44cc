"""What is done to the image itself between two steps.

Reference:
    Yosinski, Clune, Nguyen, Fuchs, Lipson 2015, "Understanding Neural Networks Through Deep
    Visualization", section 3: r_θ(x).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import tf
from cnnkit.visualize.components import Component

if TYPE_CHECKING:
    Tensor = Any

# What the papers' programs call zero: the mean colour, which they subtract from images.
GRAY = 127.5
REACH = 4  # of the blur's kernel, in standard deviations
WIDEST = 4.0  # standard deviation, pixels


def decay(share: float = 0.0) -> Component:
    """Draw every value towards the middle gray by a share of its distance, after each step.

    It is what L2 decay does to weights: large values shrink most.
    """
    return Component("decay", {"share": float(share)})


def blur(width: float = 0.0, every: float = 4) -> Component:
    """A Gaussian blur every few steps, against high frequencies.

    Args:
        width: standard deviation in pixels, at most 4; 0: none.
        every: steps.
    """
    return Component("blur", {"width": float(width), "every": float(every)})


def clip_norm(percentile: float = 0.0) -> Component:
    """Make gray the pixels that differ least from it.

    Args:
        percentile: of an image's pixels, 0 to 100.
    """
    return Component("clip_norm", {"percentile": float(percentile)})


def clip_contribution(percentile: float = 0.0) -> Component:
    """Make gray the pixels that matter least: |Σ over colours of (x - gray) · gradient|.

    Args:
        percentile: of an image's pixels, 0 to 100.
    """
    return Component("clip_contribution", {"percentile": float(percentile)})


def operate(
    part: Component, numbers: Mapping[str, Tensor], images: Tensor, gradient: Tensor, number: Tensor
) -> Tensor:
    """The images after it.

    Args:
        part: of this module.
        numbers: like the part's own, as tensors.
        images: float32, (images, height, width, channels).
        gradient: of the activations' terms with respect to the images, before normalising.
        number: of the step, 1-based.
    """
    return _OPERATORS[part.kind](numbers, images, gradient, number)


def _decay(numbers, images, gradient, number):
    return GRAY + (1 - numbers["share"]) * (images - GRAY)


def _blur(numbers, images, gradient, number):
    every = tf.maximum(tf.cast(tf.round(numbers["every"]), tf.int32), 1)
    due = (numbers["width"] > 0) & (number % every == 0)
    return tf.cond(due, lambda: gaussian_blur(images, numbers["width"]), lambda: images)


def gaussian_blur(images: Tensor, width: Tensor) -> Tensor:
    """Blur with the borders mirrored.

    Args:
        images: float32, (images, height, width, channels).
        width: standard deviation in pixels; above 4 it counts as 4.
    """
    _, height, breadth, channels = images.shape
    reach = min(int(REACH * WIDEST), height - 1, breadth - 1)
    places = tf.range(-reach, reach + 1, dtype=tf.float32)
    weights = tf.exp(-0.5 * (places / tf.minimum(width, WIDEST)) ** 2)
    weights = weights / tf.reduce_sum(weights)
    kernel = tf.tile(weights[:, None, None, None], (1, 1, channels, 1))
    around = [(0, 0), (reach, reach), (reach, reach), (0, 0)]
    images = tf.pad(images, around, "REFLECT")
    images = tf.nn.depthwise_conv2d(images, kernel, (1, 1, 1, 1), "VALID")
    return tf.nn.depthwise_conv2d(images, tf.transpose(kernel, (1, 0, 2, 3)), (1,) * 4, "VALID")


def _clip_norm(numbers, images, gradient, number):
    size = tf.norm(images - GRAY, axis=-1, keepdims=True)
    return _clip(images, size, numbers["percentile"])


def _clip_contribution(numbers, images, gradient, number):
    share = tf.abs(tf.reduce_sum((images - GRAY) * gradient, axis=-1, keepdims=True))
    return _clip(images, share, numbers["percentile"])


def _clip(images: Tensor, measure: Tensor, percentile: Tensor) -> Tensor:
    def clipped():
        count = int(np.prod(measure.shape[1:]))
        ordered = tf.sort(tf.reshape(measure, (-1, count)), axis=1)
        place = tf.cast(tf.clip_by_value(percentile / 100, 0, 1) * (count - 1), tf.int32)
        threshold = tf.reshape(ordered[:, place], (-1, 1, 1, 1))
        return tf.where(measure < threshold, GRAY, images)

    return tf.cond(percentile > 0, clipped, lambda: images)


_OPERATORS = {
    "decay": _decay,
    "blur": _blur,
    "clip_norm": _clip_norm,
    "clip_contribution": _clip_contribution,
}
