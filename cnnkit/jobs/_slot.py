"""What a slot does: a Dask task that starts one child and watches it until it ends."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from cnnkit.errors import RunNotFoundError, StorageError
from cnnkit.files import disk_problem
from cnnkit.jobs._child import Child, last_lines
from cnnkit.jobs._controls import Lease, deciding, take_lease
from cnnkit.jobs._warm_workers import WarmWorkers
from cnnkit.jobs.turns import waiting_runs
from cnnkit.monitoring.metrics import JOBS_ENDED
from cnnkit.runs import Run, RunStore, Status, shared_store
from cnnkit.settings import Settings, get_settings

LOOK_SECONDS = 1.0  # between two checks of the record
GRACE_SECONDS = 1.0  # for a child that was asked to cancel
QUIET_SECONDS = 3.0  # without a heartbeat, until the slot writes one for its child
SILENCE_SECONDS = 10.0  # without a heartbeat, where a process itself cannot be seen

log = logging.getLogger("cnnkit.jobs")


@dataclass(frozen=True)
class Order:
    """What travels to a slot when a run is queued: there is one order for each run that waits.

    A slot that takes an order begins the run whose turn it is then. It need not be the one that
    the order was made for.
    """

    run_id: str
    ticket: int  # number of the queueing; a run that was queued again has a newer one
    settings: Settings  # of the process that queued it
    adopt: bool = False  # only watch the living child of this very run

    @property
    def key(self) -> str:
        """Name of the Dask task: queueing the same thing again changes nothing."""
        return f"cnnkit-{self.run_id}-{self.ticket}"

    @property
    def remote(self) -> bool:
        """Whether the slot may be on another machine."""
        return self.settings.scheduler is not None

    def settings_here(self) -> Settings:
        """Settings of the slot's machine: its own folders, the common record."""
        if not self.remote:
            return self.settings
        return dataclasses.replace(get_settings(), tracking_uri=self.settings.tracking_uri)


def run_in_slot(order: Order) -> None:
    """Start the run's child, unless it is no longer wanted, and watch it to its end."""
    from distributed import get_worker

    worker = get_worker()
    settings = order.settings_here()
    store = shared_store(settings)
    warm_workers = worker.plugins.get(WarmWorkers.name)
    if not isinstance(warm_workers, WarmWorkers):  # a worker elsewhere keeps no warm worker
        warm_workers = WarmWorkers(settings)
    if order.adopt:
        run = store.get(order.run_id)
        living = Child.adopt(run) if _lives_here(run) else None
        if living:
            _watch(store, run.id, Lease.parse(run.lease), living, warm_workers, _leaving(worker))
        return
    begun = _begin_patiently(store, order, _leaving(worker))
    if begun is None:
        return
    run, lease = begun
    try:
        child = warm_workers.start(run.id, str(lease), shared=order.remote)
        store.update(run.id, pid=child.pid, pid_created=child.created)
        log.info("job started", extra=run.facts() | {"pid": child.pid})
        _watch(store, run.id, lease, child, warm_workers, _leaving(worker))
    except RunNotFoundError:
        log.info("job deleted while it began", extra=run.facts())
    except Exception as error:
        # Nobody reads a task's exception: the run has to say it.
        log.exception("job not started", extra=run.facts())
        problem = (isinstance(error, OSError) and disk_problem(error)) or str(error)
        store.update(run.id, status=Status.FAILED, reason=f"Could not be started: {problem}")


def begin_next(store: RunStore, order: Order) -> tuple[Run, Lease] | None:
    """Take the lease of the run whose turn it is; None: none waits any more.

    Dask hands an order to another machine when it has lost the first one: then it is the turn
    of the run that was lost with it.
    """
    while True:
        run = _lost_run(store, order) or next(iter(waiting_runs(store)), None)
        if run is None:
            return None
        with contextlib.suppress(RunNotFoundError):  # deleted just now
            lease = take_lease(store, run.id, partial(_is_unchanged, run), task=order.key)
            if lease:
                return run, lease


def _begin_patiently(
    store: RunStore, order: Order, leaving: Callable[[], bool]
) -> tuple[Run, Lease] | None:
    """`begin_next`, as soon as the record answers: an order that was dropped would be missed."""
    while not leaving():
        try:
            return begin_next(store, order)
        except Exception:
            log.exception("no run can be begun", extra={"run": order.run_id})
            time.sleep(LOOK_SECONDS)
    return None


def _lost_run(store: RunStore, order: Order) -> Run | None:
    if not order.remote:
        return None
    statuses = [Status.RUNNING, Status.INTERRUPTED]
    begun = store.list(statuses=statuses, limit=10_000)
    return next((run for run in begun if run.task == order.key), None)


def _is_unchanged(before: Run, now: Run) -> bool:
    def decisive(run: Run) -> tuple[Status, int, str]:
        return run.status, run.ticket, run.task

    return decisive(now) == decisive(before)


def settle(store: RunStore, run_id: str, lease: Lease, returncode: int | None) -> None:
    """Write down how a child ended that could not do so itself."""
    with deciding(store.settings, run_id):
        run = store.get(run_id)
        if not lease.holds(run) or run.status is not Status.RUNNING:
            return
        if run.wish == "cancel":
            status, reason = Status.CANCELLED, ""
        elif returncode is not None and returncode > 0:
            status = Status.FAILED
            reason = f"The job's process ended with code {returncode}."
        else:
            status, reason = Status.INTERRUPTED, _death(returncode)
        if status is not Status.CANCELLED:
            reason = f"{reason}\n{last_lines(store.settings, run_id)}".strip()
        store.update(run_id, status=status, reason=reason, ended=datetime.now(UTC), wish=None)


def is_dead(run: Run, silent_for: float) -> bool:
    """Whether nobody works on a run that calls itself running.

    `silent_for` are the seconds since its heartbeat was last seen to change.
    """
    if _lives_here(run) and run.pid is not None:
        return Child.adopt(run) is None
    return silent_for > SILENCE_SECONDS


def _watch(
    store: RunStore,
    run_id: str,
    lease: Lease,
    child: Child,
    warm_workers: WarmWorkers,
    leaving: Callable[[], bool],
) -> None:
    warm_workers.watched.add(run_id)
    try:
        if _until_ended(store, run_id, lease, child, leaving):
            settle(store, run_id, lease, child.returncode)
            _record_end(store.get(run_id))
    finally:
        warm_workers.watched.discard(run_id)


def _record_end(run: Run) -> None:
    JOBS_ENDED.labels(status=str(run.status)).inc()
    seconds = run.metrics.get("seconds")
    facts = run.facts() | {"status": str(run.status), "attempt": run.attempt}
    log.info("job ended", extra=facts | ({} if seconds is None else {"seconds": seconds}))


def _until_ended(
    store: RunStore, run_id: str, lease: Lease, child: Child, leaving: Callable[[], bool]
) -> bool:
    """Whether the child has ended; False when the slot is closed before."""
    last_look = asked_at = 0.0
    pulse = Pulse(store)
    while child.alive():
        if leaving():
            return False
        child.wait(GRACE_SECONDS / 10 if asked_at else LOOK_SECONDS / 2)
        now = time.monotonic()
        if asked_at and now - asked_at > GRACE_SECONDS:
            child.kill()
        if now - last_look < LOOK_SECONDS:
            continue
        last_look = now
        wish = _wish(store, run_id, lease, pulse)
        if wish == "gone":
            child.kill()
        elif wish == "cancel":
            asked_at = asked_at or now
    return True


class Pulse:
    """Keeps the heartbeat of a run going whose process lives, but is too busy to do so itself.

    While it imports TensorFlow or compiles, no thread of a process may run for many seconds, and
    other machines take silence for death.
    """

    def __init__(self, store: RunStore):
        """Nothing was seen yet."""
        self._store = store
        self._seen: datetime | None = None
        self._since = time.monotonic()

    def look(self, run: Run) -> None:
        """See a run as it stands, and write its heartbeat if nobody has for a while."""
        now = time.monotonic()
        if run.heartbeat != self._seen:
            self._seen, self._since = run.heartbeat, now
        elif now - self._since > QUIET_SECONDS and run.status is Status.RUNNING:
            self._store.update(run.id, heartbeat=datetime.now(UTC))


def _wish(store: RunStore, run_id: str, lease: Lease, pulse: Pulse) -> str | None:
    try:
        run = store.get(run_id)
        if lease.holds(run):
            pulse.look(run)
    except RunNotFoundError:
        return "gone"
    except StorageError as error:  # the disk is full, the record is away for a moment
        log.warning("run not read: %s", error, extra={"run": run_id})
        return None
    except Exception:
        # A tracking server that is away for a moment must not end the watch.
        log.warning("run not read", extra={"run": run_id}, exc_info=True)
        return None
    return run.wish if lease.holds(run) else None


def _lives_here(run: Run) -> bool:
    return run.status is Status.RUNNING and run.host == socket.gethostname()


def _death(returncode: int | None) -> str:
    if returncode is None:
        return "The job's process is gone."
    if returncode == 0:
        return "The job's process ended without a word."
    name = str(-returncode)
    with contextlib.suppress(ValueError):
        name = signal.Signals(-returncode).name
    return f"The job's process was ended by {name}."


def _leaving(worker) -> Callable[[], bool]:
    return lambda: worker.status.name != "running"
