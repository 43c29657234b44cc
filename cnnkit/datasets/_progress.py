"""How readers of many images say how far they are."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], object]  # images so far, images in all


def nothing(done: int, total: int) -> None:
    """Tell nobody."""
