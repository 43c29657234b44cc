"""From logits to top-k predictions, of one image or of many files in one go."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from cnnkit.errors import CnnkitError, InvalidImageError
from cnnkit.image_io import read_each
from cnnkit.models.predictor import Predictor


@dataclass(frozen=True)
class Prediction:
    """A class and its predicted probability."""

    index: int  # of the logit
    name: str
    probability: float  # 0 to 1


def softmax(logits: np.ndarray) -> np.ndarray:
    """Predicted probabilities from logits: float64, of the same shape.

    Args:
        logits: (…, classes).
    """
    from scipy import special  # Home must not wait for its import

    return special.softmax(np.float64(logits), axis=-1)


def no_answer(values: np.ndarray) -> str:
    """Why logits or probabilities answer nothing, in a sentence; "": they do."""
    if np.isfinite(values).all():
        return ""
    return (
        "There is no prediction: the network's answer is not a number (NaN). Its weights are not "
        "finite, or become too large on the way to it."
    )


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

    Raises:
        IncompatibleError: the network has no classes.
    """
    network.card.check_classes()
    files = iter(files)
    names: deque[str] = deque()

    shape = network.card.input_shape

    def calls() -> Iterator[Sequence[Any] | CnnkitError]:
        for name, load in files:
            names.append(name)
            data = _loaded(load)
            yield data if isinstance(data, CnnkitError) else (data, shape, fit)

    decoded = read_each("cnnkit.predict.images:decode_prepared", calls())
    with closing(decoded):
        while results := list(islice(decoded, batch)):
            read = [_prepared(names.popleft(), result, shape) for result in results]
            yield from _classified(read, network)


def _loaded(load: Callable[[], bytes]) -> bytes | CnnkitError:
    try:
        return load()
    except CnnkitError as error:
        return error
    except OSError as error:
        return InvalidImageError(f"The file cannot be read: {error.strerror}.")


def _prepared(name: str, result: Any, shape: tuple[int, int, int]) -> FilePrediction:
    """What a child returned for a file, if it is an input of the network."""
    if isinstance(result, CnnkitError):
        return FilePrediction(name=name, error=str(result))
    seen = result.get("seen") if isinstance(result, dict) else None
    if not isinstance(seen, np.ndarray) or seen.shape != shape or seen.dtype != np.uint8:
        return FilePrediction(name=name, error="The image is damaged: its decoder failed.")
    return FilePrediction(name=name, seen=seen, notes=tuple(map(str, result.get("notes", ()))))


def _classified(read: list[FilePrediction], network: Predictor) -> Iterator[FilePrediction]:
    good = [one.seen for one in read if one.seen is not None]
    logits = iter(network.logits(np.stack(good)) if good else ())
    for one in read:
        if one.seen is None:
            yield one
        else:
            yield FilePrediction(name=one.name, logits=next(logits), seen=one.seen, notes=one.notes)
