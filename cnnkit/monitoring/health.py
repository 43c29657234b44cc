"""Whether a server can serve: what a load balancer asks every few seconds.

Each part of a server has a check, a function that returns a word for its state, such as "idle",
and raises where the part does not work. A check that takes longer than `PATIENCE` has failed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from cnnkit.errors import CnnkitError

PATIENCE = 5.0  # seconds
FRESH = 1.0  # seconds that an answer is given again: whoever asks often costs nothing

log = logging.getLogger("cnnkit.health")


@dataclass(frozen=True)
class Report:
    """How all parts stand.

    Args:
        states: of each part, by name.
        failed: names of those that do not work.
    """

    states: Mapping[str, str]
    failed: frozenset[str] = field(default_factory=frozenset)

    @property
    def status_code(self) -> int:
        """Of HTTP: 200, or 503 while the server should get no visitors."""
        return 503 if self.failed else 200

    def to_dict(self) -> dict[str, str]:
        """As JSON; says nothing of paths, addresses or people, for anyone may ask."""
        return {"status": "failing" if self.failed else "ok", **self.states}


class Health:
    """Asks the checks, each on a thread of its own, so that one that hangs holds up nobody.

    Args:
        checks: by name.
    """

    def __init__(self, checks: Mapping[str, Callable[[], str]]):
        """Ask nothing yet."""
        self.checks = checks
        self._threads = ThreadPoolExecutor(len(checks), thread_name_prefix="cnnkit-health")
        self._asked: dict[str, Future[str]] = {}
        self._last: tuple[float, Report] | None = None

    def report(self) -> Report:
        """How all parts stand now, or stood within the last second."""
        now = time.monotonic()
        if self._last and now - self._last[0] < FRESH:
            return self._last[1]
        states, failed = {}, set()
        for name in self.checks:
            if name not in self._asked or self._asked[name].done():
                self._asked[name] = self._threads.submit(self.checks[name])
        for name, asked in list(self._asked.items()):
            try:
                states[name] = asked.result(max(0.0, now + PATIENCE - time.monotonic()))
            except TimeoutError:
                states[name] = f"no answer within {PATIENCE:g} s"
                failed.add(name)
            except Exception as error:
                expected = isinstance(error, CnnkitError)
                log.warning("health check failed", extra={"part": name}, exc_info=not expected)
                states[name] = type(error).__name__
                failed.add(name)
        self._last = time.monotonic(), Report(states, frozenset(failed))
        return self._last[1]

    def close(self) -> None:
        """Wait for nothing that still hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)
