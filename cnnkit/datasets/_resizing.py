"""An image of any size becomes the square that data sets keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from cnnkit.errors import InvalidImageError
from cnnkit.image_io import read_each

SIDE = 256  # pixels; networks take 224 of them, and random crops have room


def squares(
    files: Iterable[bytes | InvalidImageError], side: int = SIDE
) -> Iterator[np.ndarray | InvalidImageError]:
    """Decode many images, in their order, in children with limits.

    Few are in memory at once, whatever the number.

    Args:
        files: read one after the other, as they are needed; or why one cannot be read.
        side: pixels of each, both ways.

    Yields:
        uint8 (side, side, 3), RGB, or the reason why one cannot be read.
    """
    calls = ((one, side) if isinstance(one, bytes) else one for one in files)
    return squares_of("cnnkit.image_decoding:decode_square", calls, side)


def squares_of(
    function: str,
    calls: Iterable[Sequence[Any] | InvalidImageError],
    side: int,
    read: Sequence[int] = (),
) -> Iterator[np.ndarray | InvalidImageError]:
    """What a function returns in children, if it is a square of this size: see `read_each`."""
    for square in read_each(function, calls, read=read):
        yield square if isinstance(square, InvalidImageError) else _checked(square, side)


def _checked(square: Any, side: int) -> np.ndarray | InvalidImageError:
    whole = isinstance(square, np.ndarray) and square.dtype == np.uint8
    if whole and square.shape == (side, side, 3):
        return square
    return InvalidImageError("The image is damaged: its decoder failed. Save or take it again.")
