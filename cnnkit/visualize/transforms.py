"""What an image is put through before the network sees it, anew at each step.

What still excites the network when moved, turned and resized is no trick of single pixels.
Every function draws from a seed of its own, so that a step can be repeated.

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

if TYPE_CHECKING:
    Tensor = Any

FILLS = ("reflect", "gray")
GRAY = 127.5
PRIME = 7_919  # keeps the draws of the parts of a chain apart


def jitter(pixels: float = 8) -> Component:
    """Move all images by up to so many pixels; what leaves on one side comes in on the other.

    Args:
        pixels: whole; drawn evenly from -pixels to pixels in both directions.
    """
    return Component("jitter", {"pixels": float(pixels)})


def scale(low: float = 0.9, high: float = 1.1) -> Component:
    """Enlarge each image around its middle by a factor of its own, low to high."""
    return Component("scale", {"low": float(low), "high": float(high)})


def rotate(degrees: float = 10) -> Component:
    """Turn each image around its middle by an angle of its own, -degrees to degrees."""
    return Component("rotate", {"degrees": float(degrees)})


def pad(pixels: int = 12, fill: str = "gray") -> Component:
    """Put a border around, so that nothing can cling to the edge.

    Args:
        pixels: on each side.
        fill: "gray" or "reflect".
    """
    if fill not in FILLS:
        raise ValueError(f"`fill` must be one of {', '.join(FILLS)}. Received: {fill!r}.")
    return Component("pad", {}, {"pixels": int(pixels), "fill": fill})


def crop(pixels: int = 12) -> Component:
    """Cut a border away, unevenly: from each two opposite sides `2 * pixels` together."""
    return Component("crop", {}, {"pixels": int(pixels)})


def compose(parts: Sequence[Component]) -> Callable[..., Tensor]:
    """One function for several parts, applied in their order.

    Returns:
        `transform(images, numbers, seed)`: images float32 (images, height, width, channels);
        numbers for each part a mapping like its own, of tensors; seed (2,) int32.
    """

    def transform(images: Tensor, numbers: Sequence[Mapping[str, Tensor]], seed: Tensor) -> Tensor:
        drawn = [
            (part, given, seed + tf.constant([place * PRIME, 0]))
            for place, (part, given) in enumerate(zip(parts, numbers, strict=True))
        ]
        for turns, group in itertools.groupby(drawn, lambda one: one[0].kind in _TURNS):
            if turns:
                images = _turn(images, [(part.kind, given, own) for part, given, own in group])
                continue
            for part, given, own in group:
                images = _TRANSFORMS[part.kind](images, given, part.options, own)
        return images

    return transform


def _jitter(images: Tensor, numbers: Mapping, options: Mapping, seed: Tensor) -> Tensor:
    reach = tf.round(numbers["pixels"])
    draw = tf.random.stateless_uniform((2,), seed, -reach - 0.5, reach + 0.5)
    moved = tf.cast(tf.round(draw), tf.int32)
    # Copying every image costs; without jitter nothing is copied.
    return tf.cond(reach > 0, lambda: tf.roll(images, moved, (1, 2)), lambda: images)


def _turn(images: Tensor, wanted: Sequence[tuple[str, Mapping, Tensor]]) -> Tensor:
    """Several enlargements and turns in a row, as one: pixels are read between pixels once.

    Each reads a pixel from its place times a complex number, so that all of them together
    read it from its place times their product.
    """
    moves = [_TURNS[kind](numbers, seed, _count(images)) for kind, numbers, seed in wanted]
    still = functools.reduce(tf.logical_and, [still for _, still in moves])
    product = functools.reduce(tf.multiply, [factor for factor, _ in moves])

    def warped() -> Tensor:
        return _warp(images, tf.math.real(product), tf.math.imag(product))

    return tf.cond(still, lambda: images, warped)


def _scaling(numbers: Mapping, seed: Tensor, count: Any) -> tuple[Tensor, Tensor]:
    low, high = numbers["low"], numbers["high"]
    factor = 1 / tf.random.stateless_uniform((count,), seed, low, high)
    return tf.complex(factor, tf.zeros_like(factor)), (low == 1) & (high == 1)


def _turning(numbers: Mapping, seed: Tensor, count: Any) -> tuple[Tensor, Tensor]:
    reach = numbers["degrees"] * (math.pi / 180)
    angle = tf.random.stateless_uniform((count,), seed, -reach, reach)
    return tf.complex(tf.cos(angle), tf.sin(angle)), tf.equal(reach, 0)


def _pad(images: Tensor, numbers: Mapping, options: Mapping, seed: Tensor) -> Tensor:
    border = options["pixels"]
    around = [(0, 0), (border, border), (border, border), (0, 0)]
    if options["fill"] == "reflect":
        return tf.pad(images, around, "REFLECT")
    return tf.pad(images, around, constant_values=GRAY)


def _crop(images: Tensor, numbers: Mapping, options: Mapping, seed: Tensor) -> Tensor:
    lost = 2 * options["pixels"]
    _, height, width, channels = images.shape
    offset = tf.random.stateless_uniform((2,), seed, 0, lost + 1, tf.int32)
    begin = tf.concat([[0], offset, [0]], 0)
    cut = tf.slice(images, begin, (_count(images), height - lost, width - lost, channels))
    return tf.ensure_shape(cut, (images.shape[0], height - lost, width - lost, channels))


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


_TURNS = {"scale": _scaling, "rotate": _turning}
_TRANSFORMS = {
    "jitter": _jitter,
    "pad": _pad,
    "crop": _crop,
}
