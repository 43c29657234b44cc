"""Cancel and pause, asked for through the run's record by whoever may write it."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

from cnnkit.errors import JobError
from cnnkit.jobs.kinds import TRAINED
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import Settings

CHECKPOINT = "checkpoint.npz"


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
    """Where a run that is resumed goes on, as the end of a sentence that begins with "Resume".

    Args:
        settings: of this process, which say where checkpoints are.
        run: paused, cancelled, interrupted or failed.
    """
    if run.kind not in TRAINED:
        return "goes on from what is finished"
    if run.checkpoint or (settings.jobs / run.id / CHECKPOINT).exists():
        return "goes on from the last finished epoch"
    caches = run.spec.get("phases") and run.spec.get("cached")
    kept = "; computed features are kept" if caches else ""
    return f"begins with the first epoch, as none was finished{kept}"


def requeue(store: RunStore, run_id: str) -> Run:
    """Make a run queued again, to go on from its last checkpoint.

    Raises:
        JobError: the run is queued, running or finished.
    """
    from cnnkit.jobs._lease import deciding

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
    """End the process of a run at once, if it is on this machine, and record the end.

    Args:
        store: the record.
        run: as read now.
    """
    from cnnkit.jobs._child import Child
    from cnnkit.jobs._lease import Lease
    from cnnkit.jobs._slot import settle

    child = Child.adopt(run) if run.host == socket.gethostname() else None
    if child:
        child.kill()
        settle(store, run.id, Lease.parse(run.lease), None)


def _ask(store: RunStore, run_id: str, wish: str, at_once: Status) -> Run:
    # Here, because reading a lease needs the file locks of a job, and importing this does not.
    from cnnkit.jobs._lease import deciding

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
