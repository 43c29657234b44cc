"""Many files in one go: decoded while the network works, bad ones named, memory bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from cnnkit.errors import CnnkitError
from cnnkit.image_io import read_image
from cnnkit.models.predictor import Predictor
from cnnkit.predict.preparing import prepare

BATCH = 16  # images: as fast as larger ones on a CPU, and progress moves more often
READERS = 2  # threads that decode; Pillow works outside Python's lock
THUMBNAIL = 96  # pixels, longest side


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """What became of one file: logits, or an error."""

    name: str  # of the file
    logits: np.ndarray | None = None  # float32 (classes,)
    seen: np.ndarray | None = None  # uint8, exactly what the network was given
    notes: tuple[str, ...] = ()  # what had to be done to the image
    error: str | None = None


def predict_files(
    files: Iterable[tuple[str, Callable[[], bytes]]],
    network: Predictor,
    *,
    fit: str = "crop",
    batch: int = BATCH,
) -> Iterator[Prediction]:
    """Ask a network about many files; a file that cannot be read stops none of the others.

    Args:
        files: (name, function that returns its bytes), read only when its turn comes.
        network: to ask.
        fit: key of `cnnkit.predict.FITS`.
        batch: images that the network gets at once.

    Yields:
        One prediction a file, in their order.
    """
    files = iter(files)
    with ThreadPoolExecutor(READERS, thread_name_prefix="cnnkit-decode") as readers:

        def ahead(count: int) -> list[Future[Prediction]]:
            shape = network.card.input_shape
            return [readers.submit(_read, *file, shape, fit) for file in islice(files, count)]

        # Two batches are under way: one before the network, one being decoded.
        waiting = deque(ahead(2 * batch))
        while waiting:
            taken = [waiting.popleft() for _ in range(min(batch, len(waiting)))]
            yield from _answered([future.result() for future in taken], network)
            waiting.extend(ahead(batch))


def _read(name: str, load: Callable[[], bytes], shape: tuple[int, int, int], fit: str):
    try:
        image = read_image(load())  # as a single one is read: it must get the same answer
        return Prediction(name=name, seen=prepare(image.array, shape, fit), notes=image.notes)
    except (CnnkitError, OSError) as error:
        return Prediction(name=name, error=str(error))


def _answered(read: list[Prediction], network: Predictor) -> Iterator[Prediction]:
    good = [one.seen for one in read if one.seen is not None]
    logits = iter(network.logits(np.stack(good)) if good else ())
    for one in read:
        if one.seen is None:
            yield one
        else:
            yield Prediction(name=one.name, logits=next(logits), seen=one.seen, notes=one.notes)
