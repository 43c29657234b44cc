"""Pictures from arrays: montages of digits, filters and feature maps. NumPy and Pillow only."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

# Ends and middle of the diverging scale: negative, zero, positive, with opacity. Zero is
# a breath of grey, so that it reads as "nothing" on a light page and on a dark one.
NEGATIVE = (222, 112, 48, 255)
ZERO = (138, 148, 166, 34)
POSITIVE = (76, 114, 224, 255)


def montage(
    images: np.ndarray,
    *,
    columns: int,
    scale: int = 4,
    gap: int = 1,
    colours: str = "gray",
    together: bool = True,
) -> np.ndarray:
    """Many small pictures in one, with transparent gaps so that any page shows through.

    Args:
        images: (pictures, height, width), any numbers. uint8 is taken as 0 to 255,
            anything else is stretched.
        columns: pictures in a row.
        scale: pixels on the screen for one of a picture, in both directions.
        gap: between pictures, in pixels of a picture.
        colours: "gray", or "diverging" for numbers of both signs: orange, nothing, blue.
        together: stretch all pictures by the same factor, else each by its own.

    Returns:
        uint8 (height, width, 4), red, green, blue and opacity.
    """
    images = np.asarray(images)
    if images.ndim != 3:
        raise ValueError(f"`images` must be (pictures, height, width). Received: {images.shape}.")
    tiles = np.stack([coloured(i, colours) for i in _stretched(images, colours, together)])
    count, height, width = images.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4), np.uint8)
    for number, tile in enumerate(tiles):
        top, left = (number // columns) * (height + gap), (number % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    return enlarged(sheet, scale)


def coloured(image: np.ndarray, colours: str = "gray") -> np.ndarray:
    """One picture in colour.

    Args:
        image: (height, width); 0 to 1 for "gray", -1 to 1 for "diverging".
        colours: "gray" or "diverging".

    Returns:
        uint8 (height, width, 4); "gray" is opaque, "diverging" lets the page through
        where the numbers are small.
    """
    if colours == "gray":
        shade = np.clip(image, 0, 1)[..., None] * np.array((255.0, 255.0, 255.0, 0.0))
        shade[..., 3] = 255
    elif colours == "diverging":
        strength = np.clip(np.abs(image), 0, 1)[..., None]
        end = np.where(image[..., None] < 0, NEGATIVE, POSITIVE)
        shade = (1 - strength) * np.array(ZERO) + strength * end
        shade[..., :3] = np.where(strength > 0, end[..., :3], ZERO[:3])  # opacity does the rest
    else:
        raise ValueError(f"`colours` must be 'gray' or 'diverging'. Received: {colours!r}.")
    return np.rint(shade).astype(np.uint8)


def enlarged(image: np.ndarray, scale: int) -> np.ndarray:
    """Every pixel repeated `scale` times in both directions; nothing is smoothed."""
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


def boxed(image: np.ndarray, box: tuple[int, int, int, int], *, width: int = 0) -> np.ndarray:
    """A gray picture with a coloured frame around what was found in it.

    Args:
        image: uint8 (height, width).
        box: left, top, right and bottom in pixels; right and bottom lie outside.
        width: of the frame in pixels; 0: fitting for the picture's size.

    Returns:
        uint8 (height, width, 3).
    """
    height, length = image.shape
    width = width or max(2, max(height, length) // 120)
    left, top, right, bottom = box
    out = np.repeat(image[..., None], 3, axis=2)
    frame = np.zeros(image.shape, bool)
    frame[max(0, top - width) : bottom + width, max(0, left - width) : right + width] = True
    frame[top:bottom, left:right] = False
    out[frame] = POSITIVE[:3]
    return out


def png(image: np.ndarray) -> bytes:
    """A picture as the bytes of a PNG file.

    Args:
        image: uint8 (height, width), or with 3 or 4 channels.
    """
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def _stretched(images: np.ndarray, colours: str, together: bool) -> np.ndarray:
    if images.dtype == np.uint8:
        return images / 255.0
    values = images.astype(np.float64)
    axes = None if together else (1, 2)
    if colours == "diverging":
        largest = np.abs(values).max(axis=axes, keepdims=True)
        return values / np.where(largest > 0, largest, 1)
    low, high = values.min(axis=axes, keepdims=True), values.max(axis=axes, keepdims=True)
    return (values - low) / np.where(high > low, high - low, 1)


def resized(image: np.ndarray, width: int) -> np.ndarray:
    """A photo with another width and the same proportions.

    Args:
        image: uint8 (height, width) or (height, width, 3).
        width: pixels.
    """
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))
