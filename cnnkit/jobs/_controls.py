"""Who may begin a run and write it, and what others may ask of it: cancel, pause, resume.

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

from cnnkit.errors import JobError
from cnnkit.jobs.kinds import TRAINED
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import Settings

CHECKPOINT = "checkpoint.npz"
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


def take_lease(
    store: RunStore, run_id: str, may_begin: Callable[[Run], bool], task: str = ""
) -> Lease | None:
    """Begin the next attempt at a run; None where `may_begin`, asked now, forbids it.

    Args:
        store: the record.
        run_id: of the run.
        may_begin: asked with the run as it is now.
        task: name of the slot's task that begins it.
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
            task=task,
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
    from filelock import FileLock  # takes as long to import as all of `cnnkit.jobs`

    folder = settings.jobs / run_id
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lease.lock", timeout=LOCK_SECONDS):
        yield


def ask_cancel(store: RunStore, run_id: str) -> Run:
    """Have a run end at once; a queued or paused one is cancelled here and now.

    The child stops by itself when it reads this; whoever watches it kills it a second
    later. The checkpoint of the last finished epoch stays, so the run can be resumed.

    Raises:
        JobError: the run is over.
    """
    return _ask(store, run_id, "cancel", Status.CANCELLED)


def ask_pause(store: RunStore, run_id: str) -> Run:
    """Have a run stop after the running epoch and give its slot to the next one.

    Raises:
        JobError: the run is over.
    """
    return _ask(store, run_id, "pause", Status.PAUSED)


def resume_in_words(settings: Settings, run: Run) -> str:
    """Where a run that is resumed goes on, as the end of a sentence that begins with "Resume"."""
    if run.kind not in TRAINED:
        return "goes on from what is finished"
    if run.checkpoint or (settings.jobs / run.id / CHECKPOINT).exists():
        return "goes on from the last finished epoch"
    if "loss" in run.metrics:  # which each finished epoch writes
        return "begins again with the first epoch, as its checkpoint is gone"
    caches = run.spec.get("phases") and run.spec.get("cached")
    features = "; computed features are kept" if caches else ""
    return f"begins with the first epoch, as none was finished{features}"


def requeue(store: RunStore, run_id: str) -> Run:
    """Make a run queued again, to go on from its last checkpoint.

    Raises:
        JobError: the run is queued, running or finished.
    """
    store.get(run_id)
    with deciding(store.settings, run_id):
        run = store.get(run_id)
        if not run.status.resumable:
            raise JobError(f"Run {run.name!r} is {run.status}; it cannot be resumed.")
        store.update(
            run_id,
            status=Status.QUEUED,
            ticket=run.ticket + 1,
            queued=datetime.now(UTC),
            ended=None,
            wish=None,
            reason="",
        )
    return store.get(run_id)


def kill(store: RunStore, run: Run) -> None:
    """End the process of a run at once, if it is on this machine, and record the end."""
    from cnnkit.jobs._child import Child
    from cnnkit.jobs._slot import settle

    child = Child.adopt(run) if run.host == socket.gethostname() else None
    if child:
        child.kill()
        settle(store, run.id, Lease.parse(run.lease), None)


def _ask(store: RunStore, run_id: str, wish: str, at_once: Status) -> Run:
    store.get(run_id)
    with deciding(store.settings, run_id):
        run = store.get(run_id)
        if run.status is Status.QUEUED or (run.status is Status.PAUSED and wish == "cancel"):
            store.update(run_id, status=at_once, ended=datetime.now(UTC), wish=None)
        elif run.status is Status.RUNNING:
            store.update(run_id, wish=wish)
        else:
            raise JobError(f"Run {run.name!r} is {run.status}; there is nothing to {wish}.")
    return store.get(run_id)
