"""scikit-learn's t-SNE, which reports its iterations on the way and can be stopped.

`sklearn.manifold.TSNE` takes no callback, but prints a line after every fifty iterations. It runs
on a thread here whose lines are read.
"""

from __future__ import annotations

import contextlib
import io
import queue
import re
import sys
import threading
from collections.abc import Generator

import numpy as np

ITERATIONS = 750  # on 5,000 images of MNIST, 1,000 lower the divergence by some percent
ANGLE = 0.8  # of Barnes-Hut: a quarter less time than scikit-learn's 0.5, and no worse a result
THREADS = 2  # sums over more threads depend on which of them ends first
JITTER = 0.01  # of the initial positions, relative to their spread
_LINE = re.compile(r"\[t-SNE\] Iteration (\d+):")


class _Stopped(Exception):
    """Nobody waits for the result any more."""


def run(
    features: np.ndarray, *, perplexity: float, seed: int, iterations: int = ITERATIONS
) -> Generator[tuple[int, int], None, tuple[np.ndarray, float]]:
    """Place images by t-SNE, from their first two features plus a little noise.

    A generator that is closed ends the computation at its next line.

    Args:
        features: float32 (images, features), of decreasing variance.
        perplexity: about how many neighbors count; less than the number of images.
        seed: of the noise.
        iterations: at most; scikit-learn ends earlier where nothing moves any more.

    Yields:
        (iterations done, iterations in all).

    Returns:
        float32 (images, 2), and the Kullback-Leibler divergence at the end.
    """
    lines: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    stop = threading.Event()
    result: list[tuple[np.ndarray, float]] = []
    errors: list[Exception] = []

    def compute() -> None:
        try:
            with contextlib.redirect_stdout(_Lines(lines, stop, sys.stdout)):
                result.append(_fit(features, perplexity, seed, iterations))
        except _Stopped:
            return
        except Exception as error:
            # Whatever it is, the caller's thread is the one that must meet it.
            errors.append(error)
        finally:
            lines.put(None)

    thread = threading.Thread(target=compute, name="t-SNE", daemon=True)
    thread.start()
    try:
        yield 0, iterations
        while (iteration := lines.get()) is not None:
            yield iteration, iterations
    finally:
        stop.set()
        thread.join()
    if errors:
        raise errors[0]
    return result[0]


def _fit(
    features: np.ndarray, perplexity: float, seed: int, iterations: int
) -> tuple[np.ndarray, float]:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    with threadpool_limits(THREADS):
        tsne = TSNE(
            perplexity=perplexity,
            learning_rate="auto",
            init=_initial(features, seed),  # pyright: ignore[reportArgumentType]
            angle=ANGLE,
            max_iter=iterations,
            random_state=seed,
            verbose=2,
        )
        coordinates = tsne.fit_transform(features)
    return coordinates.astype(np.float32), float(tsne.kl_divergence_)


def _initial(features: np.ndarray, seed: int) -> np.ndarray:
    """The first two features, as small as scikit-learn makes them, with noise of the seed."""
    first = features[:, :2] / np.std(features[:, 0])
    noise = np.random.default_rng(seed).normal(0, JITTER, first.shape)
    return np.asarray(1e-4 * (first + noise), np.float32)


class _Lines(io.TextIOBase):
    """Takes what is printed: the numbers of iterations from t-SNE, all else is printed."""

    def __init__(self, lines: queue.SimpleQueue, stop: threading.Event, printed):
        self._lines, self._stop, self._printed = lines, stop, printed
        self._mine = threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() != self._mine:  # standard output is the whole process's
            return self._printed.write(text)
        if self._stop.is_set():
            raise _Stopped
        found = _LINE.match(text)
        if found:
            self._lines.put(int(found[1]))
        return len(text)
