"""Baselines: what an image is compared with, and what hidden pixels are replaced by."""

from __future__ import annotations

import numpy as np

from cnnkit.errors import IncompatibleError

BASELINES = ("black", "gray", "white", "mean", "blurred", "random")
BLUR = 0.05  # standard deviation of the blur, as a share of the shorter side
_LEVELS = {"black": 0.0, "gray": 127.5, "white": 255.0}


def baseline_images(
    images: np.ndarray, baseline: str | float | np.ndarray = "black", *, seed: int = 0
) -> np.ndarray:
    """A baseline for each image.

    Args:
        images: float32 (images, height, width, channels), 0 to 255.
        baseline: "black", "gray", "white"; "mean": each image's mean color; "blurred": the image
            itself, blurred; "random": uniform noise; a number; or an array that fits the images.
        seed: of the noise.

    Returns:
        float32, shaped as the images.

    Raises:
        IncompatibleError: there is no such baseline, or the array does not fit.
    """
    if isinstance(baseline, str):
        return _named(images, baseline, seed)
    values = np.asarray(baseline, np.float32)
    try:
        return np.broadcast_to(values, images.shape).astype(np.float32)
    except ValueError as error:
        raise IncompatibleError(
            f"`baseline` must fit images of {images.shape}. Received an array of {values.shape}."
        ) from error


def _named(images: np.ndarray, baseline: str, seed: int) -> np.ndarray:
    if baseline in _LEVELS:
        return np.full_like(images, _LEVELS[baseline])
    if baseline == "mean":
        return np.broadcast_to(images.mean((1, 2), keepdims=True), images.shape)
    if baseline == "blurred":
        return blurred(images, BLUR * min(images.shape[1:3]))
    if baseline == "random":
        return np.random.default_rng(seed).uniform(0, 255, images.shape).astype(np.float32)
    raise IncompatibleError(
        f"`baseline` must be one of {', '.join(BASELINES)}, a number or an array. "
        f"Received: {baseline!r}."
    )


def blurred(images: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur along height and width, `sigma` in pixels: float32."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(np.asarray(images, np.float32), (0, sigma, sigma, 0), mode="nearest")
