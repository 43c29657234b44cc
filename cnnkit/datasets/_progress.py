"""How readers of many pictures say how far they are."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], object]  # pictures so far, pictures in all


def nothing(done: int, total: int) -> None:
    """Tell nobody."""
