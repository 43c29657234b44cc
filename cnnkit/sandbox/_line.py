"""Places that are taken in the order of arrival."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Line:
    """So many at once, and the others wait in a line.

    Args:
        places: how many at once.
    """

    def __init__(self, places: int):
        self._free = places
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    @property
    def length(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place, and hold it for the block."""
        turn = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                turn.set()
            else:
                self._waiting.append(turn)
        turn.wait()
        try:
            yield
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting.popleft().set()  # who waited longest gets this very place
                else:
                    self._free += 1
