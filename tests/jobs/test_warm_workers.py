"""The warm worker: warm, bounded, and never left behind."""

import os
import signal
import sys
import threading
import time

import psutil
import pytest

from cnnkit.jobs import JobPool, _child, _warm_workers
from cnnkit.jobs._fork_server import ForkServer, fork_server
from cnnkit.jobs._warm_workers import WarmWorkers
from cnnkit.settings import get_settings

PATIENCE = 240


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("Waited in vain.")


def dead(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def with_warm_worker(monkeypatch, forking):
    monkeypatch.setenv("CNNKIT_WARM_WORKERS", "1")
    monkeypatch.setenv("CNNKIT_SLOTS", "1")
    get_settings.cache_clear()
    return get_settings()


def test_a_warm_worker_takes_the_run_outlives_its_pool_and_the_next_one_does_not(
    with_warm_worker, store, until
):
    store.settings = with_warm_worker
    pool = JobPool(with_warm_worker, store)
    warm_workers = pool._open()[1]
    pid = eventually(lambda: warm_workers.waiting_pid)
    assert psutil.Process(pid).ppid() == fork_server.pid
    assert os.getsid(pid) == os.getsid(0), "while it waits, it belongs to its parent's session"
    run = pool.submit(kind="rehearsal", spec={"epochs": 40, "steps": 10, "seconds": 0.02})
    run = until(run, lambda run: run.progress)
    assert run.pid == pid
    assert os.getsid(pid) == pid, "with a run, it has a session of its own"
    following = eventually(lambda: warm_workers.waiting_pid)
    assert following != pid
    pool.close()
    assert dead(following)
    run = until(run, lambda run: run.status.over)
    assert run.status == "finished"
    assert "=== attempt 1" in (with_warm_worker.jobs / run.id / "log.txt").read_text()


@pytest.mark.endurance  # imports all there is twice; a forked one is seen in test_fork_server.py
def test_a_warm_worker_dies_with_its_parent(with_warm_worker):
    import subprocess
    import sys

    program = (
        "import time\n"
        "from cnnkit.jobs._child import start_warm_worker\n"
        "from cnnkit.settings import get_settings\n"
        "print(start_warm_worker(get_settings()).pid, flush=True)\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    waiting = int(parent.stdout.readline())
    assert not dead(waiting)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: dead(waiting))


def test_no_warm_worker_is_started_when_memory_is_short(with_warm_worker, monkeypatch):
    warm_workers = WarmWorkers(with_warm_worker)
    monkeypatch.setattr(_warm_workers, "available_memory", lambda: _warm_workers.NEEDED - 1)
    warm_workers.tend()
    assert warm_workers.waiting_pid is None


def test_a_waiting_worker_is_given_up_when_memory_runs_out(with_warm_worker, monkeypatch):
    warm_workers = WarmWorkers(with_warm_worker)
    monkeypatch.setattr(_warm_workers, "available_memory", lambda: 2 * _warm_workers.NEEDED)
    warm_workers.tend()
    pid = warm_workers.waiting_pid
    assert pid is not None
    warm_workers.tend()
    assert warm_workers.waiting_pid == pid, "one is enough"
    monkeypatch.setattr(_warm_workers, "available_memory", lambda: _warm_workers.LOWEST - 1)
    warm_workers.tend()
    assert warm_workers.waiting_pid is None and dead(pid)
    warm_workers.close()


def test_the_fork_server_is_awaited_and_given_up_last(with_warm_worker, monkeypatch):
    server = ForkServer([sys.executable, "-c", "import time; time.sleep(600)"])  # it imports
    memory = [2 * _warm_workers.NEEDED]
    for module in (_child, _warm_workers):
        monkeypatch.setattr(module, "fork_server", server)
    monkeypatch.setattr(_warm_workers, "available_memory", lambda: memory[0])
    warm_workers = WarmWorkers(with_warm_worker)
    warm_workers.tend()
    assert server.pid and warm_workers.waiting_pid is None
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: server.pid is None)
    warm_workers.tend()
    assert server.pid is None, "it would die again"
    assert warm_workers.waiting_pid, "an interpreter of its own"
    _child.wake_fork_server(with_warm_worker)
    memory[0] = _warm_workers.LOWEST - 1
    warm_workers.tend()
    assert server.pid and warm_workers.waiting_pid is None
    warm_workers.tend()
    assert server.pid is None
    warm_workers.close()


def test_a_job_that_took_the_warm_worker_has_the_machine_to_itself_for_a_while(
    with_warm_worker, store
):
    warm_workers = WarmWorkers(with_warm_worker)
    warm_workers.tend()
    run = store.create("rehearsal", {})
    child = warm_workers.start(run.id, "1:none", shared=False)
    try:
        warm_workers.tend()
        assert warm_workers.waiting_pid is None
    finally:
        child.kill()
        child.wait(10)
        warm_workers.close()


def test_a_job_does_not_wait_for_a_warm_worker_that_is_being_started(
    with_warm_worker, store, monkeypatch
):
    begun, go_on = threading.Event(), threading.Event()

    def start_slowly(settings):
        begun.set()
        assert go_on.wait(PATIENCE)
        return _child.start_warm_worker(settings)

    monkeypatch.setattr(_warm_workers, "start_warm_worker", start_slowly)
    warm_workers = WarmWorkers(with_warm_worker)
    tending = threading.Thread(target=warm_workers.tend)
    tending.start()
    assert begun.wait(PATIENCE)
    run = store.create("rehearsal", {})
    child = warm_workers.start(run.id, "1:none", shared=False)  # would never come back
    child.kill()
    child.wait(10)
    warm_workers.close()
    go_on.set()
    tending.join()
    assert warm_workers.waiting_pid is None, "started for nobody: it must not be left behind"


def test_a_containers_limit_counts(tmp_path):
    free = psutil.virtual_memory().available
    (tmp_path / "memory.max").write_text("max\n")
    assert _warm_workers.available_memory(tmp_path) == pytest.approx(free, rel=0.2)
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("900000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 50000\n")
    assert _warm_workers.available_memory(tmp_path) == 150_000
