"""Leases: who may begin a run, and who may write it.

Dask may run a task twice when it loses sight of a worker. Each attempt takes a lease
with the next number; an attempt that finds another lease on its run leaves silently.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from filelock import FileLock

from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import Settings

LOCK_SECONDS = 30.0


@dataclass(frozen=True)
class Lease:
    """The right to write one run, until the next lease is taken."""

    number: int  # 1-based
    token: str  # tells two takers of the same number apart

    def __str__(self) -> str:
        """As written into the run and given to the child."""
        return f"{self.number}:{self.token}"

    @classmethod
    def parse(cls, text: str) -> Lease:
        """The inverse of `str`."""
        number, _, token = text.partition(":")
        return cls(int(number), token)

    def holds(self, run: Run) -> bool:
        """Whether this is still the run's lease."""
        return run.lease == str(self)


def take_lease(store: RunStore, run_id: str, may_begin: Callable[[Run], bool]) -> Lease | None:
    """Begin the next attempt at a run, unless it must not be begun (any more).

    Args:
        store: the record.
        run_id: which run.
        may_begin: looks at the run as it stands now.
    """
    with deciding(store.settings, run_id):
        run = store.get(run_id)
        if not may_begin(run):
            return None
        lease = Lease(run.attempt + 1, uuid.uuid4().hex[:8])
        now = datetime.now(UTC)
        store.update(
            run_id,
            status=Status.RUNNING,
            attempt=lease.number,
            lease=lease,
            started=run.started or now,
            ended=None,
            heartbeat=now,
            reason="",
            host=socket.gethostname(),
            pid=None,
            pid_created=None,
        )
    # Where no file lock is shared, the last writer has it and the others step back.
    return lease if lease.holds(store.get(run_id)) else None


@contextmanager
def deciding(settings: Settings, run_id: str) -> Iterator[None]:
    """Only one process of this machine at a time decides whether a run begins."""
    folder = settings.jobs / run_id
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lease.lock", timeout=LOCK_SECONDS):
        yield
