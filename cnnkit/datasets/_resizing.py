"""An image of any size becomes the square that data sets keep."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from PIL import Image

from cnnkit.errors import InvalidImageError
from cnnkit.image_io import read_image

SIDE = 256  # pixels; networks take 224 of them, and random crops have room
WORKERS = 2  # images of up to 50 million pixels are in memory at once, two for each


def read_square(data: bytes, side: int = SIDE) -> np.ndarray:
    """Decode an image, shrink or enlarge its short side, and cut out the middle.

    Args:
        data: the whole file.
        side: pixels, both ways.

    Returns:
        uint8 (side, side, 3), RGB.

    Raises:
        InvalidImageError: it cannot be read; says why.
    """
    image = Image.fromarray(read_image(data).array)
    short = min(image.size)
    left, top = ((length - short) / 2 for length in image.size)
    box = (left, top, left + short, top + short)
    # The gap lets Pillow shrink by whole numbers first, which Lanczos's last step hides.
    resampling = Image.Resampling.LANCZOS
    return np.asarray(image.resize((side, side), resampling, box=box, reducing_gap=3.0))


def squares(
    files: Iterable[bytes | InvalidImageError], side: int = SIDE, workers: int = WORKERS
) -> Iterator[np.ndarray | InvalidImageError]:
    """Decode many images, in their order, on a few threads.

    Few are in memory at once, whatever the number.

    Args:
        files: read one after the other, as they are needed; or why one cannot be read.
        side: pixels of each, both ways.
        workers: threads; Pillow works outside of Python's lock.

    Yields:
        What `read_square` returns, or the reason why one cannot be read.
    """
    waiting: deque[Future] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="cnnkit-decode") as pool:
        try:
            for data in files:
                waiting.append(pool.submit(_tried, data, side))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def _tried(data: bytes | InvalidImageError, side: int) -> np.ndarray | InvalidImageError:
    if isinstance(data, InvalidImageError):
        return data
    try:
        return read_square(data, side)
    except InvalidImageError as error:
        return error
