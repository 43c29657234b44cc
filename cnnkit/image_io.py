"""The one guarded decoder of images that users provide."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cnnkit.errors import InvalidImageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
ORIENTATION = 0x0112  # tag of EXIF
MAX_BYTES = 20 * 2**20
MAX_PIXELS = 50_000_000  # 8000 × 6000, above what phones take
USE = f"Use {', '.join(FORMATS[:-1])} or {FORMATS[-1]}."
TOO_MANY_PIXELS = f"The image has more than {MAX_PIXELS // 1_000_000} million pixels. Shrink it."


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """An image that was read, and what had to be done to it."""

    array: np.ndarray  # uint8 (height, width, channels), 0 to 255
    format: str  # "JPEG", "PNG", …
    notes: tuple[str, ...]  # sentences


def decode_image(data: bytes, *, channels: int = 3, longest_side: int = 2048) -> np.ndarray:
    """The pixels alone of what `read_image` reads."""
    return read_image(data, channels=channels, longest_side=longest_side).array


def read_image(data: bytes, *, channels: int = 3, longest_side: int = 2048) -> DecodedImage:
    """Read an image that somebody uploaded.

    It is turned upright as its EXIF data says, the first frame of several is taken, and
    what is transparent becomes white, as on paper. What is not obvious is noted.

    Args:
        data: the whole file: PNG, JPEG, WebP, BMP, GIF or TIFF, at most 20 MB.
        channels: 3 for RGB, 1 for gray.
        longest_side: pixels; a larger image is made smaller by the least whole number that
            decodes to it (JPEG: 2, 4 or 8, which its decoder does at no cost). Smoother
            filters took longer than decoding and predicting together.

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
    opened = _open(data)
    form = str(opened.format)
    with _guarded():
        upright, notes = _loaded(opened, longest_side)
        image = _on_white(upright).convert("RGB" if channels == 3 else "L")
        times = _times(image, longest_side)
        array = np.asarray(image.reduce(times) if times > 1 else image)
    return DecodedImage(array if channels == 3 else array[..., None], form, notes)


def resized(image: np.ndarray, side: int, least: int = 32) -> np.ndarray:
    """An image whose longer side has so many pixels, and its shorter one some at least.

    Args:
        image: uint8 (height, width, 1 or 3).
        side: pixels.
        least: pixels.
    """
    share = side / max(image.shape[:2])
    height, width = (max(least, round(length * share)) for length in image.shape[:2])
    gray = image.shape[-1] == 1
    flat = Image.fromarray(image[..., 0] if gray else image)
    small = np.asarray(flat.resize((width, height), Image.Resampling.LANCZOS))
    return small[..., None] if gray else small


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    """Say in a sentence what is wrong with a file, whatever its decoder raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata and sizes: judged by us
            yield
    except (InvalidImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise InvalidImageError(TOO_MANY_PIXELS) from error
    # Its readers raise whatever a broken header leads to: TypeError, struct.error, AssertionError.
    except Exception as error:
        raise InvalidImageError(
            f"The image is damaged or incomplete ({error}). Save or take it again."
        ) from error


def _open(data: bytes) -> Image.Image:
    with _guarded():
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError as error:
            what = "text, perhaps a web page, and" if _is_text(data) else "a file that is"
            raise InvalidImageError(f"This is {what} not an image. {USE}") from error
        _check_size(image)
        return image


def _loaded(image: Image.Image, longest_side: int) -> tuple[Image.Image, tuple[str, ...]]:
    if image.format == "JPEG":
        times = 1 << (_times(image, longest_side) - 1).bit_length()
        width, height = image.size
        image.draft(None, (max(1, width // times), max(1, height // times)))
    image.load()
    notes = _notes(image)
    try:
        turned = image.getexif().get(ORIENTATION, 1) != 1
        upright = ImageOps.exif_transpose(image) if turned else image
    except Exception:
        # Its pixels are whole, and a damaged note about them is no reason to refuse them.
        return image, (*notes, "Its EXIF data is damaged, so it was not turned.")
    if turned:
        notes = (*notes, "It was turned upright, as the camera noted.")
    return upright, notes


def _times(image: Image.Image, longest_side: int) -> int:
    return -(-max(image.size) // longest_side)


def _notes(image: Image.Image) -> tuple[str, ...]:
    # Not counted: a TIFF of many pages takes seconds to be read to its end.
    conditions = {
        "It has several frames; the first was taken.": getattr(image, "is_animated", False),
        "What is transparent became white.": image.has_transparency_data,
        "Its values were converted to 8 bits.": image.mode.startswith(("I", "F")),
        "Its printing colors (CMYK) became RGB.": image.mode == "CMYK",
    }
    return tuple(note for note, holds in conditions.items() if holds)


def _is_text(data: bytes) -> bool:
    start = data[:512]
    return start.isascii() and start.decode("ascii").replace("\n", " ").strip().isprintable()


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise InvalidImageError(TOO_MANY_PIXELS)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # 16 or 32 bits for each pixel
        return _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image)
    return image


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.float64)
    # 16-bit files say nothing of what they use of their range; 32-bit ones even less.
    top = 65535.0 if image.mode.startswith("I;16") or values.max() > 255 else 255.0
    if values.max() > top or values.min() < 0 or image.mode == "F":
        low, high = values.min(), values.max()
        values, top = values - low, max(high - low, 1e-12)
    return Image.fromarray(np.uint8(np.rint(values / top * 255)))
