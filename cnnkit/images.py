"""The one guarded door for pictures that people bring."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cnnkit.errors import InvalidImageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MAX_BYTES = 20 * 2**20
MAX_PIXELS = 50_000_000  # 8000 × 6000, above what phones take
TOO_MANY_PIXELS = f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels. Shrink it."


def decode_image(data: bytes, *, channels: int = 3, longest_side: int = 2048) -> np.ndarray:
    """Read a picture that somebody uploaded.

    It is turned upright as its EXIF data says, the first frame of several is taken, and
    what is transparent becomes white, as on paper.

    Args:
        data: the whole file: PNG, JPEG, WebP, BMP, GIF or TIFF, at most 20 MB.
        channels: 3 for RGB, 1 for gray.
        longest_side: pixels; a larger picture is made smaller.

    Returns:
        uint8 (height, width, channels), 0 to 255.

    Raises:
        InvalidImageError: it cannot be read; says why and what would work.
    """
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 or 3. Received: {channels!r}.")
    if not data:
        raise InvalidImageError("The file is empty.")
    if len(data) > MAX_BYTES:
        raise InvalidImageError(
            f"The file has {len(data) / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} can be read."
        )
    picture = _upright(data, longest_side)
    picture = _on_white(picture).convert("RGB" if channels == 3 else "L")
    picture.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    array = np.asarray(picture)
    return array if channels == 3 else array[..., None]


def _upright(data: bytes, longest_side: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata and sizes: judged below, by us
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            _check_size(picture)
            if picture.format == "JPEG":
                picture.draft(None, (longest_side, longest_side))  # decodes at 1/2, 1/4 or 1/8
            picture.load()
            return ImageOps.exif_transpose(picture)
    except UnidentifiedImageError as error:
        raise InvalidImageError(
            "This is not a picture that can be read. Use PNG, JPEG, WebP, BMP, GIF or TIFF."
        ) from error
    except Image.DecompressionBombError as error:
        raise InvalidImageError(TOO_MANY_PIXELS) from error
    except InvalidImageError:
        raise
    # Pillow's decoders raise whatever their C code or a broken header leads to.
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InvalidImageError(
            f"The picture is damaged or incomplete ({error}). Save or take it again."
        ) from error


def _check_size(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise InvalidImageError(TOO_MANY_PIXELS)


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):  # 16 or 32 bits for each pixel
        return _eight_bits(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(paper, picture)
    return picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture).astype(np.float64)
    # 16-bit files say nothing of what they use of their range; 32-bit ones even less.
    top = 65535.0 if picture.mode.startswith("I;16") or values.max() > 255 else 255.0
    if values.max() > top or values.min() < 0 or picture.mode == "F":
        low, high = values.min(), values.max()
        values, top = values - low, max(high - low, 1e-12)
    return Image.fromarray(np.uint8(np.rint(values / top * 255)))
