"""A picture of any size becomes exactly what a network sees."""

from __future__ import annotations

import numpy as np
from PIL import Image

# Way to fit -> what it does, shown to people.
FITS = {
    "crop": "the middle, as large as it goes: nothing is distorted, the edges are lost",
    "stretch": "everything, squeezed into the square: shapes are distorted",
    "pad": "everything, with gray beside it: nothing is lost, all is smaller",
}
GRAY = (124, 116, 104)  # the mean colour of ImageNet, which a network takes for nothing


def prepare(image: np.ndarray, input_shape: tuple[int, int, int], fit: str = "crop") -> np.ndarray:
    """Fit a picture to a network's input.

    Args:
        image: uint8 (height, width, 1 or 3), 0 to 255.
        input_shape: (height, width, channels) of the network.
        fit: key of `FITS`.

    Returns:
        uint8, of `input_shape`: the exact pixels that the network is given.
    """
    if fit not in FITS:
        raise ValueError(f"`fit` must be one of {', '.join(FITS)}. Received: {fit!r}.")
    height, width, channels = input_shape
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    picture = picture.convert("RGB" if channels == 3 else "L")
    if fit == "pad":
        picture = _padded(picture, width, height)
    else:
        box = _middle(picture.size, width / height) if fit == "crop" else None
        picture = _resized(picture, (width, height), box)
    array = np.asarray(picture)
    return array if channels == 3 else array[..., None]


def _middle(size: tuple[int, int], ratio: float) -> tuple[float, float, float, float]:
    """The largest box of a ratio (width / height) in the middle: (left, top, right, bottom)."""
    width, height = size
    wide, high = min(width, height * ratio), min(height, width / ratio)
    left, top = (width - wide) / 2, (height - high) / 2
    return left, top, left + wide, top + high


def _resized(picture: Image.Image, size: tuple[int, int], box=None) -> Image.Image:
    # The gap lets Pillow shrink by whole numbers first: as good to the eye, several times faster.
    return picture.resize(size, Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)


def _padded(picture: Image.Image, width: int, height: int) -> Image.Image:
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    gray = GRAY if picture.mode == "RGB" else round(sum(GRAY) / 3)
    square = Image.new(picture.mode, (width, height), gray)
    square.paste(_resized(picture, size), ((width - size[0]) // 2, (height - size[1]) // 2))
    return square
