"""The end of an optimisation, where nothing in between is wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def last_of(steps: Iterable[T]) -> T:
    """The last step, without holding all the images before it in memory.

    Args:
        steps: of `maximize` or `dream`, at least one.
    """
    return deque(steps, maxlen=1).pop()
