"""One thing that is wrong in a home, what to do about it, and how to repair it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong.

    Args:
        what: one sentence.
        advice: what to do, one sentence.
        repair: does it, where cnnkit can; nothing that nobody can make again is removed.
    """

    what: str
    advice: str
    repair: Callable[[], object] | None = field(default=None, compare=False)
