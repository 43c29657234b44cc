"""The one decoder of images that users provide. It runs in a child: see `cnnkit.sandbox`.

`cnnkit.image_io` is the door to it.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cnnkit.errors import InvalidImageError, NotAnImageError
from cnnkit.image_formats import format_of

FORMATS = ("PNG", "JPEG", "WEBP", "HEIF", "AVIF", "BMP", "GIF", "TIFF")
VIDEO = ("HEIF", "AVIF")  # whose codecs load with their modules; encoding takes much memory
TITLES = {"WEBP": "WebP", "HEIF": "HEIC"}  # as people know them
ORIENTATION = 0x0112  # tag of EXIF
MAX_BYTES = 20 * 2**20
MAX_PIXELS = 50_000_000  # 8000 × 6000, above what phones take
_TITLES = [TITLES.get(form, form) for form in FORMATS]
READ = f"{', '.join(_TITLES[:-1])} or {_TITLES[-1]}"
USE = f"Use {READ}."
ROWS = 256  # that are numbers of 64 bits at the same time
TOO_MANY_PIXELS = f"The image has more than {MAX_PIXELS // 1_000_000} million pixels. Shrink it."


def decode(data: bytes, channels: int = 3, longest_side: int = 2048) -> dict[str, Any]:
    """Decode an image: see `cnnkit.image_io.read_image`.

    Returns:
        "array", uint8 (height, width, channels); "format", such as "JPEG"; "notes", sentences.

    Raises:
        InvalidImageError: it cannot be read; says why and what would work.
    """
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 or 3. Received: {channels!r}.")
    check_bytes(data)
    opened = _open(data)
    with _guarded():
        image, notes = _loaded(opened, longest_side)
        image = _on_white(_smaller(image, longest_side))
        image = _smaller(image, longest_side)  # those of 16 bits, now of 8
        array = np.asarray(image.convert("RGB" if channels == 3 else "L"))
    array = array if channels == 3 else array[..., None]
    return {"array": array, "format": str(opened.format), "notes": notes}


def decode_square(data: bytes, side: int) -> np.ndarray:
    """Decode an image, shrink or enlarge its short side, and cut out the middle.

    Args:
        data: the whole file.
        side: pixels, both ways.

    Returns:
        uint8 (side, side, 3), RGB.

    Raises:
        InvalidImageError: it cannot be read; says why.
    """
    image = Image.fromarray(decode(data)["array"])
    short = min(image.size)
    left, top = ((length - short) / 2 for length in image.size)
    box = (left, top, left + short, top + short)
    # The gap lets Pillow shrink by whole numbers first, which Lanczos's last step hides.
    resampling = Image.Resampling.LANCZOS
    return np.asarray(image.resize((side, side), resampling, box=box, reducing_gap=3.0))


def warm_up() -> None:
    """Load what decoding needs, for a process whose children may open no files any more."""
    Image.init()
    _register()
    for form in (form for form in FORMATS if form not in VIDEO):
        stream = io.BytesIO()
        Image.new("RGBA" if form == "PNG" else "RGB", (8, 8)).save(stream, form)
        decode(stream.getvalue(), 3, 4)


def check_bytes(data: bytes) -> None:
    """Refuse an empty file, and one that is too large.

    Raises:
        InvalidImageError: see there.
    """
    if not data:
        raise InvalidImageError("The file is empty.")
    if len(data) > MAX_BYTES:
        raise InvalidImageError(
            f"The file has {len(data) / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} can be read."
        )


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
        why = " ".join(str(error).split())[:200]
        raise InvalidImageError(
            f"The image is damaged or incomplete ({why}). Save or take it again."
        ) from error


def _open(data: bytes) -> Image.Image:
    _register()
    with _guarded():
        _refuse_unread(data)
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError as error:
            what = "text, perhaps a web page, and" if _is_text(data) else "a file that is"
            raise NotAnImageError(f"This is {what} not an image. {USE}") from error
        _check_size(image)
        return image


@lru_cache(maxsize=1)
def _register() -> None:
    """Have Pillow read HEIC too, and both formats of video codecs on as few threads as they can.

    Children whose images are of no such format may start none. That of HEIC starts one always.
    """
    import pillow_heif
    from PIL import AvifImagePlugin

    pillow_heif.register_heif_opener(thumbnails=False, decode_threads=0)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def _refuse_unread(data: bytes) -> None:
    """Call a format by its name that is known and not read.

    Before Pillow looks at it: raw photos are TIFF files, of which it would read the thumbnail.
    """
    known = format_of(data)
    if known:
        raise NotAnImageError(f"This is {known}, which is not read here. Save it as JPEG or PNG.")


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


def _smaller(image: Image.Image, longest_side: int) -> Image.Image:
    """Shrink by a whole number, before anything needs a second image of full size."""
    times = _times(image, longest_side)
    if times == 1 or image.mode.startswith(("I", "F")):
        return image
    if image.has_transparency_data:  # colors count as far as they can be seen
        return image.convert("RGBA").convert("RGBa").reduce(times).convert("RGBA")
    if image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    return image.reduce(times)


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
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    # 16-bit files say nothing of what they use of their range; 32-bit ones even less.
    top = 65535.0 if image.mode.startswith("I;16") or high > 255 else 255.0
    if high > top or low < 0 or image.mode == "F":
        top = max(high - low, 1e-12)
    else:
        low = 0.0
    eight = np.empty(values.shape, np.uint8)
    for row in range(0, len(values), ROWS):
        strip = values[row : row + ROWS].astype(np.float64)
        eight[row : row + ROWS] = np.rint((strip - low) / top * 255)
    return Image.fromarray(eight)
