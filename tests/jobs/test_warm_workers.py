"""The spare child: warm, bounded, and never left behind."""

import os
import time

import psutil
import pytest

from cnnkit.jobs import JobPool, _memory, _warm_workers
from cnnkit.jobs._warm_workers import Nursery
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
def with_spare(monkeypatch):
    monkeypatch.setenv("CNNKIT_SPARE", "1")
    monkeypatch.setenv("CNNKIT_SLOTS", "1")
    get_settings.cache_clear()
    return get_settings()


def test_a_spare_takes_the_run_outlives_its_pool_and_the_next_spare_does_not(
    with_spare, store, until
):
    store.settings = with_spare
    pool = JobPool(with_spare, store)
    nursery = pool._open()[1]
    pid = eventually(lambda: nursery.spare_pid)
    assert os.getsid(pid) == os.getsid(0), "while it waits, it belongs to its parent's session"
    run = pool.submit(kind="rehearsal", spec={"epochs": 40, "steps": 10, "seconds": 0.02})
    run = until(run, lambda run: run.progress)
    assert run.pid == pid
    assert os.getsid(pid) == pid, "with a run, it has a session of its own"
    following = eventually(lambda: nursery.spare_pid)
    assert following != pid
    pool.close()
    assert dead(following)
    run = until(run, lambda run: run.status.over)
    assert run.status == "finished"
    assert "=== attempt 1" in (with_spare.jobs / run.id / "log.txt").read_text()


def test_a_spare_dies_with_its_parent(with_spare):
    import subprocess
    import sys

    program = (
        "import time\n"
        "from cnnkit.jobs._child import start_spare\n"
        "from cnnkit.settings import get_settings\n"
        "print(start_spare(get_settings()).pid, flush=True)\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    spare = int(parent.stdout.readline())
    assert not dead(spare)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: dead(spare))


def test_no_spare_is_started_when_memory_is_short(with_spare, monkeypatch):
    nursery = Nursery(with_spare)
    monkeypatch.setattr(_warm_workers, "available_memory", lambda: _warm_workers.NEEDED - 1)
    nursery.tend()
    assert nursery.spare_pid is None


def test_a_waiting_spare_is_given_up_when_memory_runs_out(with_spare, monkeypatch):
    nursery = Nursery(with_spare)
    monkeypatch.setattr(_warm_workers, "available_memory", lambda: 2 * _warm_workers.NEEDED)
    nursery.tend()
    pid = nursery.spare_pid
    assert pid is not None
    nursery.tend()
    assert nursery.spare_pid == pid, "one is enough"
    monkeypatch.setattr(_warm_workers, "available_memory", lambda: _warm_workers.LOWEST - 1)
    nursery.tend()
    assert nursery.spare_pid is None and dead(pid)
    nursery.close()


def test_a_job_that_took_the_spare_has_the_machine_to_itself_for_a_while(with_spare, store):
    nursery = Nursery(with_spare)
    nursery.tend()
    run = store.create("rehearsal", {})
    child = nursery.start(run.id, "1:none", shared=False)
    try:
        nursery.tend()
        assert nursery.spare_pid is None
    finally:
        child.kill()
        child.wait(10)
        nursery.close()


def test_a_containers_limit_counts(tmp_path):
    free = psutil.virtual_memory().available
    (tmp_path / "memory.max").write_text("max\n")
    assert _memory.available_memory(tmp_path) == pytest.approx(free, rel=0.2)
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("900000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 50000\n")
    assert _memory.available_memory(tmp_path) == 150_000
