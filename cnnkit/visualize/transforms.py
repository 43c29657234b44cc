"""Random transforms of the image before the network sees it, drawn again at each step.

What raises the objective after being moved, rotated and scaled is no adversarial pattern of
single pixels. Every function draws from its seed, so that a step can be repeated.

Reference:
    Mordvintsev, Olah, Tyka 2015 (jitter); Olah, Mordvintsev, Schubert 2017, section
    "Transformation robustness".
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnkit._lazy import tf
from cnnkit.visualize.components import Component
from cnnkit.visualize.registry import Slider, definition, transform

if TYPE_CHECKING:
    Tensor = Any

GRAY = 127.5
PRIME = 7_919  # keeps the random draws of a chain's components apart


@transform(title="Jitter", pixels=Slider(0, 32, step=1, title="Jitter, pixels", neutral=0))
def jitter(images, seed, pixels=8):
    """Shift all images by up to so many pixels; what leaves on one side enters on the other.

    Args:
        images: float32 (images, height, width, channels), here and below.
        seed: int32 (2,).
        pixels: whole; drawn uniformly from -pixels to pixels in both directions.
    """
    reach = tf.round(pixels)
    draw = tf.random.stateless_uniform((2,), seed, -reach - 0.5, reach + 0.5)
    moved = tf.cast(tf.round(draw), tf.int32)
    # Copying every image costs; without jitter nothing is copied.
    return tf.cond(reach > 0, lambda: tf.roll(images, moved, (1, 2)), lambda: images)


@transform(
    title="Scale",
    similarity=True,
    low=Slider(0.5, 1, step=0.01, title="Scale, from", neutral=1),
    high=Slider(1, 2, step=0.01, title="Scale, to", neutral=1),
)
def scale(count, seed, low=0.9, high=1.1):
    """Scale each image around its center by a factor of its own, low to high."""
    factor = 1 / tf.random.stateless_uniform((count,), seed, low, high)
    return tf.complex(factor, tf.zeros_like(factor)), (low == 1) & (high == 1)


@transform(
    title="Rotate",
    similarity=True,
    degrees=Slider(0, 45, step=1, title="Rotate, degrees", neutral=0),
)
def rotate(count, seed, degrees=10):
    """Rotate each image around its center by an angle of its own, -degrees to degrees."""
    reach = degrees * (math.pi / 180)
    angle = tf.random.stateless_uniform((count,), seed, -reach, reach)
    return tf.complex(tf.cos(angle), tf.sin(angle)), tf.equal(reach, 0)


@transform(title="Pad", grows=2, fill=("gray", "reflect"))
def pad(images, seed, *, pixels=12, fill="gray"):
    """Add a gray or mirrored border on each side, so that no pattern can rely on the edge."""
    around = [(0, 0), (pixels, pixels), (pixels, pixels), (0, 0)]
    if fill == "reflect":
        return tf.pad(images, around, "REFLECT")
    return tf.pad(images, around, constant_values=GRAY)


@transform(title="Crop", grows=-2)
def crop(images, seed, *, pixels=12):
    """Cut a border away, at a random offset: from opposite sides `2 * pixels` together."""
    lost = 2 * pixels
    _, height, width, channels = images.shape
    offset = tf.random.stateless_uniform((2,), seed, 0, lost + 1, tf.int32)
    begin = tf.concat([[0], offset, [0]], 0)
    cut = tf.slice(images, begin, (_count(images), height - lost, width - lost, channels))
    return tf.ensure_shape(cut, (images.shape[0], height - lost, width - lost, channels))


def compose(parts: Sequence[Component]) -> Callable[..., Tensor]:
    """One function for several parts, applied in their order.

    Returns:
        `transform(images, numbers, seed)`: images float32 (images, height, width, channels);
        numbers for each part a mapping like its own, of tensors; seed (2,) int32.
    """

    def apply(images: Tensor, numbers: Sequence[Mapping[str, Tensor]], seed: Tensor) -> Tensor:
        seeded = [
            (part, values, seed + tf.constant([place * PRIME, 0]))
            for place, (part, values) in enumerate(zip(parts, numbers, strict=True))
        ]
        for similar, group in itertools.groupby(
            seeded, lambda one: definition(one[0].kind).similarity
        ):
            if similar:
                images = _similarity(images, [*group])
                continue
            for part, values, own_seed in group:
                images = definition(part.kind).compute(images, own_seed, **values, **part.options)
        return images

    return apply


def _similarity(images: Tensor, parts: Sequence[tuple[Component, Mapping, Tensor]]) -> Tensor:
    """Several scalings and rotations in a row as one, so that pixels are interpolated once.

    Each reads a pixel from its coordinates times a complex number, so that all of them together
    read it from its coordinates times the product.
    """
    factors, still = zip(
        *(
            definition(part.kind).compute(_count(images), seed, **numbers)
            for part, numbers, seed in parts
        ),
        strict=True,
    )
    product = functools.reduce(tf.multiply, factors)

    def warped() -> Tensor:
        return _warp(images, tf.math.real(product), tf.math.imag(product))

    return tf.cond(functools.reduce(tf.logical_and, still), lambda: images, warped)


def _warp(images: Tensor, across: Tensor, aside: Tensor) -> Tensor:
    """Read each pixel from (across·x - aside·y, aside·x + across·y), around the middle.

    TensorFlow's gradient of it is the image warped back, which for small turns is the
    true one but for the rounding between pixels.
    """
    middle_y, middle_x = (images.shape[1] - 1) / 2, (images.shape[2] - 1) / 2
    zero = tf.zeros_like(across)
    shift_x = middle_x - across * middle_x + aside * middle_y
    shift_y = middle_y - aside * middle_x - across * middle_y
    rows = (across, -aside, shift_x, aside, across, shift_y, zero, zero)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack(rows, axis=1),
        output_shape=images.shape[1:3],
        fill_value=GRAY,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def _count(images: Tensor) -> Any:
    return images.shape[0] or tf.shape(images)[0]
