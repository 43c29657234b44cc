"""What many visitors ask for again and again, read once for all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from cachetools import TLRUCache

LEAST = 1.0  # seconds that an answer counts
SHARE = 0.05  # of the time may go into reading one thing: what is slow is read more seldom
KEPT = 256  # answers


@dataclass(frozen=True)
class _Answer:
    value: Any
    seconds: float  # that reading it took


class SharedReads:
    """Answers that count for a second, longer where reading them takes long.

    Nobody waits for what another visitor reads, except where it is the same thing.
    """

    def __init__(self):
        self._answers = TLRUCache(KEPT, ttu=_expires, timer=time.monotonic)
        self._reading: set[Hashable] = set()
        self._read = threading.Condition()

    def get(self, what: Hashable, read: Callable[[], Any]) -> Any:
        """The answer that counts, or a new one.

        Args:
            what: equal for equal answers.
            read: called where none counts; what it raises is raised, and not kept.
        """
        with self._read:
            self._read.wait_for(lambda: what not in self._reading)
            try:
                # Asked whether it is there, it could be so, and have expired a moment later.
                return self._answers[what].value
            except KeyError:
                self._reading.add(what)
        began = time.monotonic()
        try:
            value = read()
            with self._read:
                self._answers[what] = _Answer(value, time.monotonic() - began)
            return value
        finally:
            with self._read:
                self._reading.remove(what)
                self._read.notify_all()


def _expires(what: Hashable, answer: _Answer, now: float) -> float:
    return now + max(LEAST, answer.seconds / SHARE)
