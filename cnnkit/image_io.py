"""The door for images that users provide: they are decoded in a child, see `cnnkit.sandbox`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from cnnkit import sandbox
from cnnkit.errors import CnnkitError, InvalidImageError
from cnnkit.image_decoding import FORMATS, MAX_BYTES, check_bytes
from cnnkit.sandbox import MIB, BreachError, Limits

__all__ = ["MAX_BYTES", "DecodedImage", "decode_image", "read_each", "read_image", "resized"]

LIMITS = Limits()
BOXES = b"ftyp"  # of HEIC, whose decoder always starts a thread, and its kin
MOST_BREACHES = 20  # of one import
TOO_MANY_BREACHES = (
    f"It was not read: {MOST_BREACHES} files before it took too long or too much memory."
)
DECODE = "cnnkit.image_decoding:decode"


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
        data: the whole file: PNG, JPEG, WebP, HEIC, AVIF, BMP, GIF or TIFF, at most 20 MB.
        channels: 3 for RGB, 1 for gray.
        longest_side: pixels; a larger image is made smaller by the least whole number that
            decodes to it (JPEG: 2, 4 or 8, which its decoder does at no cost). Smoother
            filters took longer than decoding and predicting together.

    Raises:
        InvalidImageError: it cannot be read; says why and what would work.
    """
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 or 3. Received: {channels!r}.")
    check_bytes(data)
    try:
        limits = replace(LIMITS, threads=data[4:8] == BOXES)
        decoded = sandbox.files.call(DECODE, data, channels, longest_side, limits=limits)
    except BreachError as breach:
        raise _refusal(breach) from breach
    return _checked(decoded, channels, longest_side)


def read_each(
    function: str, calls: Iterable[Sequence[Any] | CnnkitError], *, read: Sequence[int] = ()
) -> Generator[Any]:
    """Read the many images of one person, in their order; one that fails stops no other.

    After some that took too long or too much memory, the rest is refused unread: each costs
    seconds, and an archive may hold thousands.

    Args:
        function: "module:name", called in a child for each image.
        calls: its arguments, taken one after the other, as they are needed; or why an image
            cannot be read.
        read: descriptors of files that the children may read.

    Yields:
        What the function returns, or the `CnnkitError` that says why there is nothing.
    """
    breaches = 0

    def bounded() -> Iterator[Sequence[Any] | CnnkitError]:
        for one in calls:
            yield one if breaches < MOST_BREACHES else InvalidImageError(TOO_MANY_BREACHES)

    limits = replace(LIMITS, threads=True)  # any of them may be a HEIC
    for result in sandbox.files.map(function, bounded(), limits=limits, read=read):
        if isinstance(result, BreachError):
            breaches += 1
            result = _refusal(result)
        yield result


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


def _refusal(breach: BreachError) -> InvalidImageError:
    sentences = {
        "time": f"The image takes more than {LIMITS.seconds:g} s to decode, far more than images "
        "of its size do. Save it again as a PNG or JPEG.",
        "memory": f"The image takes more than {LIMITS.memory // MIB} MB of memory to decode. "
        "Shrink it, or save it as a JPEG.",
        "crash": "The image is damaged: its decoder failed. Save or take it again.",
    }
    return InvalidImageError(sentences[breach.what])


def _checked(decoded: Any, channels: int, longest_side: int) -> DecodedImage:
    """What came from a child, whose file may have made it answer anything."""
    try:
        array, form, notes = decoded["array"], decoded["format"], decoded["notes"]
        whole = isinstance(array, np.ndarray) and array.dtype == np.uint8 and array.ndim == 3
        if whole and array.shape[2] == channels and 0 < max(array.shape[:2]) <= longest_side:
            form = form if form in FORMATS else "an image"
            return DecodedImage(array, form, tuple(str(note)[:200] for note in notes))
    except (TypeError, KeyError, ValueError):
        pass
    raise _refusal(BreachError("crash", "an answer of another form"))
