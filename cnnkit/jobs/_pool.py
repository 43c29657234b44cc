"""`JobPool`: the submitting side of jobs, one for each web server or program."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cnnkit.errors import CnnkitError, JobError
from cnnkit.jobs._controls import Lease, ask_cancel, ask_pause, requeue
from cnnkit.jobs.kinds import check_kind
from cnnkit.jobs.turns import next_turn, place_in_queue, position_in_queue
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import Settings

if TYPE_CHECKING:
    from distributed import Client, Security

    from cnnkit.jobs._warm_workers import WarmWorkers

CONNECT_SECONDS = 10.0
TEND_SECONDS = 1.0  # between two checks of the warm worker
SWEEP_SECONDS = 4.0  # between two looks for runs whose child has died unseen

# Our tasks only wait for processes: nothing here needs watching, sampling or spilling.
_CONFIGURATION: dict[str, Any] = {
    "distributed.scheduler.worker-ttl": None,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.diagnostics.nvml": False,
}

log = logging.getLogger("cnnkit.jobs")


class JobPool:
    """Queues runs, watches their children, and keeps one warm worker.

    Making one starts a thread that opens Dask and the warm worker; it blocks nothing.

    Args:
        settings: slots, scheduler, warm workers.
        store: the record of runs.
    """

    def __init__(self, settings: Settings, store: RunStore):
        self.settings = settings
        self.store = store
        self._opening = threading.Lock()
        self._opened: tuple[Client, WarmWorkers] | None = None
        self._closing = threading.Event()
        self._seen: dict[str, tuple[datetime | None, float]] = {}
        self._keeper = threading.Thread(target=self._keep, name="cnnkit-jobs", daemon=True)
        self._keeper.start()

    def submit(
        self,
        run_id: str | None = None,
        *,
        kind: str = "train",
        spec: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> Run:
        """Queue a run that was created, or create one of a kind and spec and queue it.

        Returns:
            The run; it begins as soon as a slot is free and it is its owner's turn.

        Raises:
            JobError: the run is not queued, or the scheduler does not answer.
            UnknownNameError: there is no such kind of job.
        """
        if run_id is None:
            check_kind(kind)
            run_id = self.store.create(kind, spec or {}, name).id
        run = self.store.get(run_id)
        if run.status is not Status.QUEUED:
            raise JobError(f"Run {run.name!r} is {run.status}; only a queued one can be submitted.")
        turn = self._turn(run)
        self.store.update(run_id, turn=turn)
        run = dataclasses.replace(run, turn=turn)
        log.info("job queued", extra=run.facts())
        self._place(run)
        return run

    def cancel(self, run_id: str) -> Run:
        """End a run: it is asked first and killed a second later. See `ask_cancel`."""
        return ask_cancel(self.store, run_id)

    def pause(self, run_id: str) -> Run:
        """Stop a run after its running epoch, and free its slot. See `ask_pause`."""
        return ask_pause(self.store, run_id)

    def resume(self, run_id: str) -> Run:
        """Queue a run again, to go on from its last checkpoint. See `requeue`."""
        requeue(self.store, run_id)
        return self.submit(run_id)

    def queue_position(self, run_id: str) -> int | None:
        """Position in the queue, 1 being next; None: it is not queued."""
        return position_in_queue(run_id, self._queued())

    def recover(self) -> None:
        """Take over what another server has left behind.

        Queued runs are queued here, living children are watched again (each holds a
        slot), and runs whose child has died become interrupted.
        """
        for run in self.store.list(statuses=[Status.RUNNING], limit=10_000):
            # A scheduler elsewhere has kept its tasks, and they watch their children.
            if not self._settle_if_dead(run) and self.settings.scheduler is None:
                self._place(run, adopt=True)
        for run in self._queued():
            self._place(run)

    def check(self) -> str:
        """How its scheduler stands, in a word.

        Raises:
            JobError: it does not answer, or the pool is closed.
        """
        if self._opened is None:
            if self._closing.is_set():
                raise JobError("This pool of jobs is closed.")
            return "starting"
        status = self._opened[0].status
        if status != "running":
            raise JobError(f"The connection to the Dask scheduler is {status}.")
        return status

    def close(self) -> None:
        """Stop watching. Children that work go on; the warm worker ends."""
        self._closing.set()
        with self._opening:
            opened, self._opened = self._opened, None
            if opened:
                client, warm_workers = opened
                warm_workers.close()
                _disconnect(client)
        if threading.current_thread() is not self._keeper:
            self._keeper.join(timeout=5)

    def _place(self, run: Run, *, adopt: bool = False) -> None:
        # First of all: opening is locked, and two threads that import Dask at once may each
        # find a half-imported module.
        client, _ = self._open()
        from cnnkit.jobs import _sharing

        if _sharing.is_shared(self.settings) and _sharing.inputs(run.spec):
            # Many images take minutes to upload, and whoever pressed Train should not wait.
            arguments = (client, run, adopt)
            threading.Thread(target=self._share_and_queue, args=arguments, daemon=True).start()
        else:
            self._queue(client, run, adopt)

    def _share_and_queue(self, client: Client, run: Run, adopt: bool) -> None:
        from cnnkit.jobs._sharing import share_inputs

        try:
            share_inputs(self.store, run.spec)
            self._queue(client, run, adopt)
        except Exception as error:
            # Nobody reads what a thread raises: the run has to say it.
            log.exception("sharing what run %s needs", run.id)
            reason = f"What it needs could not be shared: {error}"
            self.store.update(run.id, status=Status.FAILED, reason=reason)

    def _queue(self, client: Client, run: Run, adopt: bool) -> None:
        from distributed import fire_and_forget

        from cnnkit.jobs._slot import Order, run_in_slot

        if not adopt:
            self.store.update(run.id, offered=run.ticket)
        order = Order(run.id, run.ticket, self.settings, adopt)
        # Living children have their slots already: they come first. Which of those that wait
        # comes next is decided when a slot is free.
        future = client.submit(
            run_in_slot, order, key=order.key, priority=int(adopt), pure=False, retries=0
        )
        # A scheduler forgets what no client asks for any more, and this client may go.
        fire_and_forget(future)

    def _open(self) -> tuple[Client, WarmWorkers]:
        with self._opening:
            if self._closing.is_set():
                raise JobError("This pool of jobs is closed.")
            if self._opened is None:
                from cnnkit.jobs._warm_workers import WarmWorkers

                warm_workers = WarmWorkers(self.settings)
                self._opened = _connect(self.settings, warm_workers), warm_workers
            return self._opened

    def _keep(self) -> None:
        swept = time.monotonic()
        while not self._closing.wait(TEND_SECONDS):
            try:
                warm_workers = self._open()[1]
                if self.settings.scheduler is None:
                    warm_workers.tend()
                if time.monotonic() - swept > SWEEP_SECONDS:
                    swept = time.monotonic()
                    self._sweep(warm_workers)
            except CnnkitError as error:
                log.warning("jobs not kept: %s", error)
            except Exception:
                # This thread is the only one that notices a job that died unseen.
                log.exception("jobs not kept")

    def _sweep(self, warm_workers: WarmWorkers) -> None:
        running = self.store.list(statuses=[Status.RUNNING], limit=10_000)
        for run in running:
            if run.id not in warm_workers.watched:
                self._settle_if_dead(run)
        alive = {run.id for run in running}
        self._seen = {key: value for key, value in self._seen.items() if key in alive}

    def _settle_if_dead(self, run: Run) -> bool:
        from cnnkit.jobs._slot import is_dead, settle

        # Clocks of two machines differ: what counts is when a heartbeat was seen to change.
        now = time.monotonic()
        heartbeat, since = self._seen.setdefault(run.id, (run.heartbeat, now))
        if heartbeat != run.heartbeat:
            self._seen[run.id] = (run.heartbeat, now)
            since = now
        if not is_dead(run, now - since):
            return False
        settle(self.store, run.id, Lease.parse(run.lease), None)
        return True

    def _queued(self) -> list[Run]:
        queued = self.store.list(statuses=[Status.QUEUED], limit=10_000)
        return sorted(queued, key=place_in_queue)

    def _turn(self, run: Run) -> int:
        others = self.store.list(statuses=[Status.QUEUED, Status.RUNNING], limit=10_000)
        others = [other for other in others if other.id != run.id]
        return next_turn(
            served=(other.turn for other in others if other.status is Status.RUNNING),
            own=(other.turn for other in others if other.owner == run.owner),
        )


def _connect(settings: Settings, warm_workers: WarmWorkers) -> Client:
    """A client of the scheduler that the settings name.

    Raises:
        JobError: the scheduler does not answer.
    """
    from distributed import Client

    if settings.scheduler is None:
        return _start_here(settings, warm_workers)
    try:
        return Client(
            settings.scheduler,
            security=_security(settings),
            timeout=CONNECT_SECONDS,
            set_as_default=False,
        )
    except OSError as error:
        raise JobError(
            f"The Dask scheduler at {settings.scheduler} does not answer ({error}). "
            "Start it, or unset CNNKIT_SCHEDULER to run jobs on this machine."
        ) from error


def _security(settings: Settings) -> Security | None:
    """What proves to a scheduler that this machine belongs to its cluster, and the reverse."""
    from distributed import Security

    if settings.tls_ca is None:
        return None
    return Security(
        require_encryption=not settings.trusted_network,
        tls_ca_file=str(settings.tls_ca),
        tls_client_cert=str(settings.tls_cert),
        tls_client_key=str(settings.tls_key),
    )


def _disconnect(client: Client) -> None:
    """Close a client and, where it is ours, its scheduler; slots stop watching."""
    cluster = client.cluster
    client.close(timeout=5)
    if cluster is not None:
        cluster.close(timeout=5)


def _start_here(settings: Settings, warm_workers: WarmWorkers) -> Client:
    import dask.config
    from distributed import Client, LocalCluster

    with dask.config.set(_CONFIGURATION):
        cluster = LocalCluster(
            processes=False,
            n_workers=1,
            threads_per_worker=settings.slots,
            memory_limit=0,
            # Left to itself, Dask listens on every interface.
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            local_directory=str(settings.home / "cache" / "dask"),
            plugins=[warm_workers],
            silence_logs=logging.ERROR,
        )
        return Client(cluster, set_as_default=False)
