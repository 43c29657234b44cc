"""Images from arrays: montages of digits, filters and feature maps, without Plotly."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Sequence

import numpy as np
from cachetools import LRUCache, cached
from PIL import Image

# Ends and middle of the diverging scale: negative, zero, positive, with opacity. Zero is
# a breath of gray, so that it reads as "nothing" on a light page and on a dark one.
NEGATIVE = (222, 112, 48, 255)
ZERO = (138, 148, 166, 34)
POSITIVE = (76, 114, 224, 255)
ENCODED_BYTES = 32 * 2**20  # of PNG files that are kept
COMPRESSION = 1  # of PNG: a quarter of the usual level's time for a photo, a sixth more bytes
SMOOTH = 64  # pixels a side from which an image is enlarged smoothly


def montage(
    images: np.ndarray,
    *,
    columns: int,
    scale: int = 4,
    gap: int = 1,
    colors: str = "gray",
    together: bool = True,
) -> np.ndarray:
    """Many small images in one, with transparent gaps so that any page shows through.

    Args:
        images: (images, height, width), any numbers. uint8 is taken as 0 to 255,
            anything else is stretched.
        columns: images in a row.
        scale: pixels on the screen for one of an image, in both directions.
        gap: between images, in pixels of an image.
        colors: "gray", or "diverging" for numbers of both signs: orange, nothing, blue.
        together: stretch all images by the same factor, else each by its own.

    Returns:
        uint8 (height, width, 4), red, green, blue and opacity.
    """
    images = np.asarray(images)
    if images.ndim != 3:
        raise ValueError(f"`images` must be (images, height, width). Received: {images.shape}.")
    tiles = colored(_stretched(images, colors, together), colors)
    count, height, width = images.shape
    rows = -(-count // columns)
    canvas = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4), np.uint8)
    for number, tile in enumerate(tiles):
        top, left = (number // columns) * (height + gap), (number % columns) * (width + gap)
        canvas[top : top + height, left : left + width] = tile
    return enlarged(canvas, scale)


def mosaic(images: np.ndarray, *, columns: int, width: int, gap: int = 4) -> np.ndarray:
    """Images in color or gray as one mosaic of a given width.

    Small ones keep their square pixels; larger ones are enlarged smoothly.

    Args:
        images: uint8 (images, height, width, 1 or 3).
        columns: images in a row.
        width: of the mosaic, in pixels.
        gap: between images, in pixels of the mosaic.

    Returns:
        uint8 (height, width, 4); the gaps are transparent.
    """
    count, height, breadth, channels = images.shape
    across = max(1, (width - gap * (columns - 1)) // columns)
    down = max(1, round(across * height / breadth))
    resampling = Image.Resampling.BICUBIC if breadth >= SMOOTH else Image.Resampling.NEAREST
    rows = -(-count // columns)
    canvas = Image.new("RGBA", (columns * (across + gap) - gap, rows * (down + gap) - gap))
    for number, image in enumerate(images):
        tile = Image.fromarray(image[..., 0] if channels == 1 else image).convert("RGBA")
        place = (number % columns) * (across + gap), (number // columns) * (down + gap)
        canvas.paste(tile.resize((across, down), resampling), place)
    return np.asarray(canvas)


def gif(frames: Sequence[np.ndarray], *, seconds: float = 0.25) -> bytes:
    """An endless GIF of images, the last of which stays a while.

    Args:
        frames: uint8 (height, width, 1, 3 or 4) of one size.
        seconds: each is shown.
    """
    images = [Image.fromarray(f[..., 0] if f.shape[-1] == 1 else f).convert("RGB") for f in frames]
    durations = [int(1000 * seconds)] * len(images)
    durations[-1] *= 6
    file = io.BytesIO()
    first, *others = images
    first.save(
        file, "GIF", save_all=True, append_images=others, duration=durations, loop=0, disposal=1
    )
    return file.getvalue()


def colored(image: np.ndarray, colors: str = "gray") -> np.ndarray:
    """One image, or many, in color.

    Args:
        image: (…, height, width); 0 to 1 for "gray", -1 to 1 for "diverging".
        colors: "gray" or "diverging".

    Returns:
        uint8 (…, height, width, 4); "gray" is opaque, "diverging" lets the page through
        where the numbers are small.
    """
    if colors == "gray":
        shade = np.clip(image, 0, 1)[..., None] * np.array((255.0, 255.0, 255.0, 0.0))
        shade[..., 3] = 255
    elif colors == "diverging":
        strength = np.clip(np.abs(image), 0, 1)[..., None]
        end = np.where(image[..., None] < 0, NEGATIVE, POSITIVE)
        shade = (1 - strength) * np.array(ZERO) + strength * end
        shade[..., :3] = np.where(strength > 0, end[..., :3], ZERO[:3])  # opacity does the rest
    else:
        raise ValueError(f"`colors` must be 'gray' or 'diverging'. Received: {colors!r}.")
    return np.rint(shade).astype(np.uint8)


def enlarged(image: np.ndarray, scale: int) -> np.ndarray:
    """Every pixel repeated `scale` times in both directions; nothing is smoothed."""
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


def boxed(image: np.ndarray, box: tuple[int, int, int, int], *, width: int = 0) -> np.ndarray:
    """An image with a colored frame around what was found in it.

    Args:
        image: uint8 (height, width), or with 1 or 3 channels.
        box: left, top, right and bottom in pixels; right and bottom lie outside.
        width: of the frame in pixels; 0: fitting for the image's size.

    Returns:
        uint8 (height, width, 3).
    """
    height, length = image.shape[:2]
    width = width or max(2, max(height, length) // 120)
    left, top, right, bottom = box
    out = np.array(np.broadcast_to(image.reshape(height, length, -1), (height, length, 3)))
    frame = np.zeros((height, length), bool)
    frame[max(0, top - width) : bottom + width, max(0, left - width) : right + width] = True
    frame[top:bottom, left:right] = False
    out[frame] = POSITIVE[:3]
    return out


def _identity(image: np.ndarray) -> tuple:
    pixels = np.ascontiguousarray(image)
    return image.shape, image.dtype.str, hashlib.sha256(pixels.data).digest()


# A page draws the same images at each click on it, and compressing one takes milliseconds.
@cached(LRUCache(ENCODED_BYTES, getsizeof=len), key=_identity, lock=threading.Lock())
def png(image: np.ndarray) -> bytes:
    """An image as the bytes of a PNG file; the last ones are kept.

    Args:
        image: uint8 (height, width), or with 3 or 4 channels.
    """
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG", compress_level=COMPRESSION)
    return stream.getvalue()


def _stretched(images: np.ndarray, colors: str, together: bool) -> np.ndarray:
    if images.dtype == np.uint8:
        return images / 255.0
    values = images.astype(np.float64)
    axes = None if together else (1, 2)
    if colors == "diverging":
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


def diverging_scale(full: float = 1.0, zero: float = 0.02) -> list[list]:
    """The diverging scale for Plotly, with the opacity of the largest numbers and of zero.

    Opacity and not lightness is the strength, so that light and dark pages show through.
    """
    return [
        [place, f"rgba({red}, {green}, {blue}, {opacity})"]
        for place, (red, green, blue, _), opacity in (
            (0, NEGATIVE, full),
            (0.5, NEGATIVE, zero),
            (0.5, POSITIVE, zero),
            (1, POSITIVE, full),
        )
    ]
