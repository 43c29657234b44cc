"""How fast steps have come lately, and so how long the rest will take."""

from __future__ import annotations

import time
from collections import deque

WINDOW = 8.0  # seconds whose steps count


class Pace:
    """Wall time per step over the last seconds, whatever else the machine did meanwhile.

    The first step after `reset` begins the count and is not in it: it compiles.
    """

    def __init__(self) -> None:
        self._ends: deque[tuple[float, float]] = deque()  # (seconds since 1970, steps done)

    def add(self, step: float, now: float | None = None) -> None:
        """Note that so many steps are done in all, at a time in seconds since 1970."""
        now = time.time() if now is None else now
        self._ends.append((now, step))
        while len(self._ends) > 2 and self._ends[1][0] < now - WINDOW:
            self._ends.popleft()

    def reset(self) -> None:
        """Forget all of it, after a pause or on going back."""
        self._ends.clear()

    @property
    def updated(self) -> float:
        """When the last step ended, seconds since 1970; 0: none has."""
        return self._ends[-1][0] if self._ends else 0.0

    @property
    def seconds_per_step(self) -> float | None:
        """Mean of the last steps; None while two of them are not done."""
        if len(self._ends) < 2:
            return None
        (began, first), (ended, last) = self._ends[0], self._ends[-1]
        return (ended - began) / (last - first) if last > first else None

    def seconds_left(self, steps: float) -> float | None:
        """How long so many steps more will take; None: not known yet."""
        per_step = self.seconds_per_step
        return None if per_step is None else steps * per_step
