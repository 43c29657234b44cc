"""The server dies, with and without warning, while a child works and a run waits."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from cnnkit.jobs import JobPool
from cnnkit.runs import Status

SERVER = """
import signal, sys, time
# What a shell starts in the background ignores it, and hands that on.
signal.signal(signal.SIGINT, signal.default_int_handler)
from cnnkit.jobs import JobPool
from cnnkit.runs import RunStore
from cnnkit.settings import get_settings
pool = JobPool(get_settings(), RunStore(get_settings()))
pool.recover()
for run_id in sys.argv[1:]:
    pool.submit(run_id)
print("ready", flush=True)
while True:
    time.sleep(1)
"""


@pytest.fixture
def server():
    started = []

    def start(*run_ids, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, *run_ids],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def gone(pid: int, seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.endurance
@pytest.mark.faults
def test_a_job_outlives_its_server_and_the_next_server_adopts_it(server, settings, store, until):
    spec = {"epochs": 60, "steps": 10, "seconds": 0.03}
    running, waiting = (store.create("rehearsal", spec | {"epochs": n}) for n in (60, 2))
    first = server(running.id, waiting.id)
    before = until(running, lambda run: run.progress)
    first.send_signal(signal.SIGINT)
    first.wait(60)
    assert not gone(before.pid, 1)
    until(running, lambda run: run.progress.step > before.progress.step)
    assert store.get(waiting.id).status == "queued"

    pool = JobPool(settings, store)
    try:
        pool.recover()
        adopted = until(running, lambda run: run.status.over)
        assert (adopted.status, adopted.attempt, adopted.pid) == ("finished", 1, before.pid)
        assert until(waiting, lambda run: run.status.over).status == "finished"
    finally:
        pool.close()


@pytest.mark.faults
def test_an_adopted_job_that_is_killed_is_interrupted_at_once(server, settings, store, until):
    run = store.create("rehearsal", {"epochs": 900})
    first = server(run.id)
    until(run, lambda run: run.progress)
    first.kill()
    first.wait()
    pool = JobPool(settings, store)
    try:
        pool.recover()
        time.sleep(1)
        os.kill(store.get(run.id).pid, signal.SIGKILL)
        dead = time.monotonic()
        assert until(run, lambda run: run.status.over).status == "interrupted"
        assert time.monotonic() - dead < 15
    finally:
        pool.close()


@pytest.mark.faults
def test_a_job_that_died_with_its_server_is_found_interrupted(server, settings, store, until):
    run = store.create("rehearsal", {"epochs": 900})
    first = server(run.id)
    pid = until(run, lambda run: run.progress).pid
    first.kill()
    first.wait()
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    assert store.get(run.id).status == "running"
    pool = JobPool(settings, store)
    try:
        pool.recover()
        assert store.get(run.id).status == "interrupted"
        pool.resume(run.id)
        pool.cancel(run.id)
        assert until(run, lambda run: run.status.over).status is Status.CANCELLED
    finally:
        pool.close()
