"""The same jobs on a Dask scheduler and workers that run elsewhere."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from cnnkit.errors import JobError
from cnnkit.jobs import JobPool
from cnnkit.runs import Status
from cnnkit.settings import get_settings

CLUSTER = """
import time
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    )
    print(cluster.scheduler_address, flush=True)
    while True:
        time.sleep(1)
"""


@pytest.fixture
def cluster(settings, monkeypatch, tmp_path):
    """Scheduler and one worker in processes of their own, and settings that name them."""
    (tmp_path / "cluster.py").write_text(CLUSTER)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "cluster.py")], stdout=subprocess.PIPE, text=True
    )
    address = process.stdout.readline().strip()
    monkeypatch.setenv("CNNKIT_SCHEDULER", address)
    get_settings.cache_clear()
    yield process
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def remote(cluster, store) -> JobPool:
    store.settings = get_settings()
    pool = JobPool(get_settings(), store)
    yield pool
    pool.close()


@pytest.mark.endurance
@pytest.mark.faults
def test_a_queued_run_outlives_its_client_and_a_lost_machine(cluster, remote, store, until):
    slow = {"epochs": 12, "steps": 10, "seconds": 0.1}
    run = remote.submit(kind="rehearsal", spec=slow)
    waiting = remote.submit(kind="rehearsal", spec={"epochs": 1, "steps": 1})
    remote.close()
    run = until(run, lambda run: run.checkpoint)
    assert run.attempt == 1
    lose_the_machine(cluster, store, run)
    again = until(run, lambda run: run.attempt == 2 and run.status is Status.FINISHED)
    plain = {row["epoch"]: row["loss"] for row in store.history(again.id)}
    assert sorted(plain) == list(range(1, 13))
    assert again.checkpoint == ""
    assert until(waiting, lambda run: run.status.over).status == "finished"


def lose_the_machine(cluster, store, run):
    """Kill Dask's worker and the child, and take the local files away."""
    nannies = psutil.Process(cluster.pid).children()
    workers = [
        child
        for child in psutil.Process(cluster.pid).children(recursive=True)
        if "spawn_main" in " ".join(child.cmdline())
    ]
    assert nannies and workers
    for worker in workers:
        worker.kill()
    os.kill(run.pid, signal.SIGKILL)
    for path in (store.settings.jobs / run.id).glob("checkpoint*"):
        path.unlink()
    time.sleep(0.1)


def test_a_scheduler_that_does_not_answer_is_named(settings, store, monkeypatch):
    from cnnkit.jobs import _pool

    monkeypatch.setattr(_pool, "CONNECT_SECONDS", 1.0)
    monkeypatch.setenv("CNNKIT_SCHEDULER", "tcp://127.0.0.1:9")
    get_settings.cache_clear()
    pool = JobPool(get_settings(), store)
    try:
        with pytest.raises(JobError, match="tcp://127.0.0.1:9"):
            pool.submit(kind="rehearsal")
    finally:
        pool.close()
