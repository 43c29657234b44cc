"""Trainings that take turns epoch by epoch: a slow second on the machine slows them all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

Ended = Callable[[], None]  # a training calls it at the end of each of its epochs


class Training:
    """A training on a thread of its own, which stands still between two epochs.

    Args:
        train: runs until it is stopped; called once, with what it calls after each epoch.
    """

    def __init__(self, train: Callable[[Ended], object]):
        """Start nothing: the first call of `epoch` does."""
        self._train = train
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._over = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def epoch(self) -> float:
        """Seconds of its next epoch, from the end of the last one to its own."""
        if not self._thread.ident:
            self._thread.start()
        began = time.perf_counter()
        self._go.release()
        self._done.acquire()
        if self._error:
            raise self._error
        return time.perf_counter() - began

    def stop(self) -> None:
        """End it where it stands, and give its memory back."""
        self._over = True
        self._go.release()
        if self._thread.ident:
            self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        try:
            self._train(self._wait)
        except _Over:
            return
        except BaseException as error:
            self._error = error
        self._done.release()

    def _wait(self) -> None:
        self._done.release()
        self._go.acquire()
        if self._over:
            raise _Over


class _Over(Exception):
    """Nobody asks for another epoch."""
