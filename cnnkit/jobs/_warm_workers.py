"""The warm worker: one child that has learned something tiny and waits for a run.

Importing takes 5 to 8 s on a small machine; a person who presses Train should not wait
for it. The fork server has imported everything once; a child of it begins at once, and the one
that waits has done as well what the first training in a process does beside.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil
from distributed.diagnostics.plugin import WorkerPlugin

from cnnkit.jobs._child import (
    Child,
    Process,
    hand_over,
    start_child,
    start_warm_worker,
    wake_fork_server,
)
from cnnkit.jobs._fork_server import fork_server
from cnnkit.settings import Settings

CGROUP = Path("/sys/fs/cgroup")
GIB = 2**30
NEEDED = 1.5 * GIB  # free memory without which neither fork server nor warm worker is started
LOWEST = 0.4 * GIB  # free memory below which a waiting one is given up, and then the fork server
PAUSE = 8.0  # seconds a new job has to itself before the next warm worker takes its share of CPU
AGAIN = 10 * PAUSE  # what dies while it imports or learns would die again at once


class WarmWorkers(WorkerPlugin):
    """Starts the children of one process, and keeps the next one warm and the fork server awake.

    A plugin, so that a task finds it through its Dask worker and nothing is global.

    Args:
        settings: of this process.
    """

    name = "cnnkit-warm-workers"

    def __init__(self, settings: Settings):
        self.settings = settings
        self.watched: set[str] = set()  # runs that a slot of this process looks after
        # Held for moments only: who starts a job takes the waiting one under it.
        self._lock = threading.Lock()
        self._tending = threading.Lock()
        self._waiting: Process | None = None
        self._not_before = 0.0  # time.monotonic() of the next warm worker
        self._no_wake_before = 0.0  # the same of the next fork server
        self._closed = False

    @property
    def waiting_pid(self) -> int | None:
        """The waiting one's process id."""
        worker = self._waiting
        return worker.pid if worker and worker.poll() is None else None

    def start(self, run_id: str, lease: str, shared: bool) -> Child:
        """A process for a run: the warm worker if there is one, else a new one."""
        worker = self._take()
        if worker and hand_over(worker, run_id, lease, shared):
            return Child(worker.pid, worker)
        process = start_child(self.settings, run_id, lease, shared)
        return Child(process.pid, process)

    def tend(self) -> None:
        """Start what is missing when memory and time allow; give it up when memory runs out.

        Called now and then.
        """
        if not self.settings.warm_workers:
            return
        with self._tending:
            if not self._closed:
                self._tend(available_memory())

    def _tend(self, memory: int) -> None:
        if memory >= NEEDED:
            self._wake_fork_server()
        if self.waiting_pid is not None:
            if memory < LOWEST:
                self._dismiss()
            return
        self._dismiss()
        if memory < LOWEST:
            fork_server.close()
        elif memory >= NEEDED and time.monotonic() >= self._not_before:
            # A fork server that is still importing will soon make one for a fourth of the CPU.
            if fork_server.pid is None or fork_server.ready:
                self._begin_waiting()

    def _begin_waiting(self) -> None:
        self._not_before = time.monotonic() + AGAIN
        worker = start_warm_worker(self.settings)
        with self._lock:
            if not self._closed:
                self._waiting = worker
                return
        _end(worker)

    def _wake_fork_server(self) -> None:
        now = time.monotonic()
        if fork_server.pid is None and now >= self._no_wake_before:
            self._no_wake_before = now + AGAIN
            wake_fork_server(self.settings)

    def close(self) -> None:
        """Let the warm worker go; children that have a run stay."""
        with self._lock:
            self._closed = True
        self._dismiss()

    def _take(self) -> Process | None:
        with self._lock:
            worker, self._waiting = self._waiting, None
            self._not_before = time.monotonic() + PAUSE
            return worker

    def _dismiss(self) -> None:
        with self._lock:
            worker, self._waiting = self._waiting, None
        if worker:
            _end(worker)


def _end(worker: Process) -> None:
    worker.kill()
    worker.wait()
    if worker.stdin:
        worker.stdin.close()


def available_memory(group: Path = CGROUP) -> int:
    """Bytes that can be had without swapping, within a container's limit if there is one."""
    free = psutil.virtual_memory().available
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        # Pages of files are given back when a process needs them.
        reclaimable = int(statistics.get("inactive_file", 0))
    except (OSError, ValueError):  # no container, no limit ("max"), or not Linux
        return free
    return min(free, limit - used + reclaimable)
