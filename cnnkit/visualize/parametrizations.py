"""How the image is stored while it is optimized, and how it is shown from that.

The gradient is taken of what is stored. Stored as pixels, a step changes single pixels;
stored as a spectrum, it changes waves of all lengths alike, which is a better-conditioned
way to the same image.

Reference:
    Olah, Mordvintsev, Schubert 2017, "Feature Visualization", section "Preconditioning".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import tf
from cnnkit.visualize.components import Component

if TYPE_CHECKING:
    Tensor = Any

BOUNDS = ("free", "clip", "sigmoid")
LARGEST = 255.0

# Square root of the covariance of ImageNet's colors, as lucid gives it, made to leave no
# color longer than 1.
_COLORS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], np.float32)
COLORS = _COLORS / np.linalg.norm(_COLORS, axis=0).max()
# One unit of what is stored, where it passes through a sigmoid, moves a middle gray by this.
SLOPE = LARGEST / 4
EDGE = 1e-3  # how near to black and white a given image may come: logit(0) is infinite


def pixels(*, bounds: str = "free", decorrelated: bool = False) -> Component:
    """Every value of the image by itself.

    Args:
        bounds: "free": values may leave 0 to 255; "clip": they are cut off there after each
            step; "sigmoid": they come nearer and nearer to it.
        decorrelated: colors are stored as three directions that hardly go together in
            photographs. Gray images have one.
    """
    if bounds == "clip" and decorrelated:
        raise ValueError("`bounds` must be 'free' or 'sigmoid' with decorrelated colors.")
    return Component("pixels", {}, {"bounds": _checked(bounds), "decorrelated": decorrelated})


def fourier(*, decay: float = 1.0, bounds: str = "sigmoid", decorrelated: bool = True) -> Component:
    """A spectrum, in which short waves are made weaker.

    Args:
        decay: power of the frequency by which a wave is divided; 0: all alike.
        bounds: see `pixels`; "clip" is for pixels alone.
        decorrelated: see `pixels`.
    """
    if bounds == "clip":
        raise ValueError("`bounds` of a spectrum must be 'free' or 'sigmoid'. Received: 'clip'.")
    options = {"bounds": _checked(bounds), "decorrelated": decorrelated, "decay": decay}
    return Component("fourier", {}, options)


def render(part: Component, stored: Tensor, size: tuple[int, int]) -> Tensor:
    """The image from what is stored.

    Args:
        part: `pixels` or `fourier`.
        stored: float32, (images, …), see `encode`.
        size: (height, width).

    Returns:
        float32, (images, height, width, channels), 0 to 255 unless free.
    """
    value = _waves_to_values(stored, size, part.options["decay"]) if _waves(part) else stored
    if part.options["decorrelated"] and value.shape[-1] == 3:
        value = tf.einsum("bhwd,cd->bhwc", value, COLORS)
    if part.options["bounds"] == "sigmoid":
        return LARGEST * tf.sigmoid(value)
    return value * SLOPE + LARGEST / 2 if _waves(part) else value


def encode(part: Component, images: Tensor) -> Tensor:
    """What must be stored so that `render` gives these images.

    Args:
        part: `pixels` or `fourier`.
        images: float32, (images, height, width, channels). With a sigmoid, values nearer to
            0 and 255 than a quarter of a gray level are moved away from it.
    """
    value = tf.cast(images, tf.float32)
    if part.options["bounds"] == "sigmoid":
        share = tf.clip_by_value(value / LARGEST, EDGE, 1 - EDGE)
        value = tf.math.log(share) - tf.math.log1p(-share)
    elif _waves(part):
        value = (value - LARGEST / 2) / SLOPE
    if part.options["decorrelated"] and value.shape[-1] == 3:
        value = tf.einsum("bhwc,dc->bhwd", value, np.linalg.inv(COLORS))
    return _values_to_waves(value, part.options["decay"]) if _waves(part) else value


def bounded(part: Component, stored: Tensor) -> Tensor:
    """What is stored after a step, cut off where the parametrization says so."""
    clips = part.options["bounds"] == "clip"
    return tf.clip_by_value(stored, 0.0, LARGEST) if clips else stored


def frequencies(height: int, width: int) -> np.ndarray:
    """Of each wave of a real spectrum, in waves a pixel: (height, width // 2 + 1)."""
    return np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])


def _strengths(height: int, width: int, decay: float) -> np.ndarray:
    # The constant has no length; it counts as the longest wave that fits.
    lowest = 1.0 / max(height, width)
    strength = np.maximum(frequencies(height, width), lowest) ** -decay
    # Noise of the same spread gives images of about the same spread at any size.
    return (strength * math.sqrt(height * width) / 4).astype(np.float32)


def _waves_to_values(stored: Tensor, size: tuple[int, int], decay: float) -> Tensor:
    spectrum = tf.complex(*tf.unstack(stored, axis=1)) * _strengths(*size, decay)
    return tf.transpose(tf.signal.irfft2d(spectrum, size), (0, 2, 3, 1))


def _values_to_waves(value: Tensor, decay: float) -> Tensor:
    height, width = value.shape[1:3]
    spectrum = tf.signal.rfft2d(tf.transpose(value, (0, 3, 1, 2)))
    spectrum = spectrum / _strengths(height, width, decay)
    return tf.stack([tf.math.real(spectrum), tf.math.imag(spectrum)], axis=1)


def _waves(part: Component) -> bool:
    return part.kind == "fourier"


def _checked(bounds: str) -> str:
    if bounds not in BOUNDS:
        raise ValueError(f"`bounds` must be one of {', '.join(BOUNDS)}. Received: {bounds!r}.")
    return bounds
