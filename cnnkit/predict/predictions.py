"""From logits to top-k predictions, of one image or of many files in one go."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from cnnkit.errors import CnnkitError
from cnnkit.image_io import read_image
from cnnkit.models.predictor import Predictor
from cnnkit.predict.images import prepare


@dataclass(frozen=True)
class Prediction:
    """A class and its predicted probability."""

    index: int  # of the logit
    name: str
    probability: float  # 0 to 1


def softmax(logits: np.ndarray) -> np.ndarray:
    """Predicted probabilities from logits along the last axis, in float64."""
    from scipy import special  # Home must not wait for its import

    return special.softmax(np.float64(logits), axis=-1)


def top_k(logits: np.ndarray, class_names: Sequence[str], k: int = 5) -> list[Prediction]:
    """The k most probable classes of one image, the most probable first.

    Args:
        logits: (classes,).
        class_names: (classes,).
        k: how many; fewer where there are fewer classes.
    """
    probabilities = softmax(logits)
    best = np.argsort(-probabilities, kind="stable")[:k]
    return [Prediction(i, class_names[i], float(probabilities[i])) for i in map(int, best)]


BATCH = 16  # images: as fast as larger ones on a CPU, and progress moves more often
READERS = 2  # threads that decode; Pillow works outside Python's lock
THUMBNAIL = 96  # pixels, longest side


@dataclass(frozen=True, kw_only=True, eq=False)
class FilePrediction:
    """The logits of one image file, or why it could not be read."""

    name: str  # of the file
    logits: np.ndarray | None = None  # float32 (classes,)
    seen: np.ndarray | None = None  # uint8, exactly what the network classified
    notes: tuple[str, ...] = ()  # how the image was converted
    error: str | None = None


def predict_files(
    files: Iterable[tuple[str, Callable[[], bytes]]],
    network: Predictor,
    *,
    fit: str = "crop",
    batch: int = BATCH,
) -> Iterator[FilePrediction]:
    """Classify many image files; a file that cannot be read stops none of the others.

    Args:
        files: (name, function that returns its bytes), read only when its turn comes.
        network: the classifier.
        fit: key of `cnnkit.predict.FITS`.
        batch: images that the network gets at once.

    Yields:
        One prediction a file, in their order.
    """
    files = iter(files)
    with ThreadPoolExecutor(READERS, thread_name_prefix="cnnkit-decode") as readers:

        def ahead(count: int) -> list[Future[FilePrediction]]:
            shape = network.card.input_shape
            return [readers.submit(_read, *file, shape, fit) for file in islice(files, count)]

        # Two batches are under way: one before the network, one being decoded.
        waiting = deque(ahead(2 * batch))
        while waiting:
            taken = [waiting.popleft() for _ in range(min(batch, len(waiting)))]
            yield from _classified([future.result() for future in taken], network)
            waiting.extend(ahead(batch))


def _read(name: str, load: Callable[[], bytes], shape: tuple[int, int, int], fit: str):
    try:
        image = read_image(load())  # as a single one is read: it must get the same answer
        return FilePrediction(name=name, seen=prepare(image.array, shape, fit), notes=image.notes)
    except (CnnkitError, OSError) as error:
        return FilePrediction(name=name, error=str(error))


def _classified(read: list[FilePrediction], network: Predictor) -> Iterator[FilePrediction]:
    good = [one.seen for one in read if one.seen is not None]
    logits = iter(network.logits(np.stack(good)) if good else ())
    for one in read:
        if one.seen is None:
            yield one
        else:
            yield FilePrediction(name=one.name, logits=next(logits), seen=one.seen, notes=one.notes)
