"""Jobs from submission to every ending, with real child processes that learn nothing."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

from cnnkit.errors import JobError, StorageError, UnknownNameError
from cnnkit.jobs import JobPool, child_environment, requeue, resume_in_words
from cnnkit.jobs.kinds.rehearsal import MODULUS
from cnnkit.jobs.worker import work
from cnnkit.runs import IMPATIENT, Status

LONG = {"epochs": 400, "steps": 10, "seconds": 0.02}
SHORT = {"epochs": 4, "steps": 5, "seconds": 0.02}


def over(run):
    return run.status.over


def in_epoch(number):
    return lambda run: run.progress is not None and run.progress.epoch >= number


def counted(spec) -> float:
    """What an uninterrupted rehearsal ends with."""
    value = 1
    for _ in range(spec["epochs"]):
        for step in range(1, spec["steps"] + 1):
            value = (value * 31 + step) % MODULUS
    return value


def test_a_job_runs_in_a_process_of_its_own_to_its_end(pool, store, until):
    run = pool.submit(kind="rehearsal", spec=SHORT, name="count")
    assert run.status == "queued"
    run = until(run, over)
    assert (run.status, run.reason, run.attempt) == ("finished", "", 1)
    assert run.pid != os.getpid()
    assert run.progress.fraction == 1
    assert run.metrics["value"] == counted(SHORT)
    assert run.created <= run.started <= run.ended
    assert [row["epoch"] for row in store.history(run.id)] == [1, 2, 3, 4]
    assert pool.queue_position(run.id) is None


def test_waiting_runs_know_their_place_and_start_in_order(pool, until):
    first = until(pool.submit(kind="rehearsal", spec=LONG), in_epoch(1))
    second = pool.submit(kind="rehearsal", spec=SHORT)
    third = pool.submit(kind="rehearsal", spec=SHORT)
    assert [pool.queue_position(run.id) for run in (first, second, third)] == [None, 1, 2]
    assert pool.cancel(second.id).status == "cancelled"
    assert pool.queue_position(third.id) == 1
    pool.cancel(first.id)
    assert until(third, over).status == "finished"
    assert until(second, over).attempt == 0


def test_a_resumed_run_waits_behind_those_that_waited_before(pool, until):
    first = until(pool.submit(kind="rehearsal", spec=LONG), in_epoch(1))
    second, third = (pool.submit(kind="rehearsal", spec=SHORT) for _ in range(2))
    pool.pause(second.id)
    pool.resume(second.id)
    assert [pool.queue_position(run.id) for run in (second, third)] == [2, 1]
    pool.cancel(first.id)
    done = [until(run, over) for run in (third, second)]
    assert [run.status for run in done] == ["finished", "finished"]
    assert done[0].started < done[1].started


def test_a_wish_that_came_too_late_does_not_end_the_resumed_run(store):
    run = store.create("rehearsal", SHORT)
    store.update(run.id, status=Status.PAUSED)
    store.update(run.id, wish="cancel")
    assert store.get(run.id).wish is None
    assert requeue(store, run.id).wish is None


@pytest.fixture
def stranger():
    """A process that is no job's."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield psutil.Process(process.pid)
    process.kill()
    process.wait()
    process.stdin.close()


def test_a_stranger_with_the_jobs_process_id_is_not_taken_for_it(pool, store, stranger):
    run = store.create("rehearsal", LONG)
    store.update(
        run.id,
        status=Status.RUNNING,
        lease="1:x",
        attempt=1,
        host=socket.gethostname(),
        pid=stranger.pid,
        pid_created=stranger.create_time() - 3600,  # the job's began earlier, and has ended
    )
    pool.recover()
    assert store.get(run.id).status == "interrupted"
    assert stranger.is_running()


def test_a_cancelled_job_ends_and_its_process_with_it(pool, until):
    run = until(pool.submit(kind="rehearsal", spec=LONG), in_epoch(1))
    pool.cancel(run.id)
    run = until(run, over)
    assert (run.status, run.reason, run.wish) == ("cancelled", "", None)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(run.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(run.pid)
    with pytest.raises(JobError, match="nothing to cancel"):
        pool.cancel(run.id)


def test_a_job_that_does_not_listen_is_killed(pool, until):
    deaf = {"epochs": 1, "steps": 2, "seconds": 300}
    run = until(pool.submit(kind="rehearsal", spec=deaf), lambda run: run.progress or run.pid)
    pool.cancel(run.id)
    assert until(run, over).status == "cancelled"


def test_a_paused_job_frees_its_slot_and_resumes_to_the_same_result(pool, until):
    slow = SHORT | {"seconds": 0.3}
    run = until(pool.submit(kind="rehearsal", spec=slow), in_epoch(2))
    assert pool.pause(run.id).wish == "pause"
    paused = until(run, over)
    assert paused.status == "paused" and paused.progress.epoch < 4
    between = pool.submit(kind="rehearsal", spec=SHORT)
    assert until(between, over).status == "finished"
    pool.resume(run.id)
    resumed = until(run, lambda run: run.status is Status.FINISHED)
    assert (resumed.attempt, resumed.metrics["value"]) == (2, counted(SHORT))


def test_a_killed_job_is_interrupted_and_resumes_to_the_same_result(pool, store, until):
    slow = SHORT | {"seconds": 0.3}
    run = until(pool.submit(kind="rehearsal", spec=slow), in_epoch(2))
    os.kill(run.pid, signal.SIGKILL)
    killed = until(run, over)
    assert killed.status == "interrupted" and "SIGKILL" in killed.reason
    pool.resume(run.id)
    resumed = until(run, lambda run: run.status is Status.FINISHED)
    assert (resumed.attempt, resumed.metrics["value"]) == (2, counted(SHORT))
    assert [row["epoch"] for row in store.history(run.id)] == [1, 2, 3, 4]


def test_a_failed_job_says_why_in_one_sentence(pool, until):
    known = until(pool.submit(kind="rehearsal", spec={"fail": "error"}), over)
    assert (known.status, known.reason) == ("failed", "This rehearsal was told to fail.")
    unknown = until(pool.submit(kind="rehearsal", spec={"fail": "crash"}), over)
    assert unknown.status == "failed"
    first, *rest = unknown.reason.splitlines()
    assert first == "ZeroDivisionError: This rehearsal was told to crash."
    assert any("rehearsal.py" in line for line in rest)


def test_a_running_job_cannot_be_deleted_and_a_queued_one_may_be_paused(pool, store, until):
    running = until(pool.submit(kind="rehearsal", spec=LONG), in_epoch(1))
    with pytest.raises(StorageError, match="Cancel it"):
        store.delete(running.id)
    waiting = pool.submit(kind="rehearsal", spec=SHORT)
    assert pool.pause(waiting.id).status == "paused"
    pool.cancel(running.id)
    until(running, over)
    pool.resume(waiting.id)
    assert until(waiting, lambda run: run.status is Status.FINISHED).attempt == 1


def test_what_is_not_possible_is_refused(pool, store):
    finished = store.create("rehearsal", {})
    store.update(finished.id, status=Status.FINISHED)
    with pytest.raises(JobError, match="cannot be resumed"):
        pool.resume(finished.id)
    with pytest.raises(JobError, match="only a queued one"):
        pool.submit(finished.id)
    with pytest.raises(UnknownNameError, match="rehearsal, train"):
        pool.submit(kind="nonsense")


def test_dask_listens_on_this_machine_only(pool):
    pool.recover()
    pool._open()
    listening = [
        connection.laddr.ip
        for connection in psutil.Process().net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening and set(listening) == {"127.0.0.1"}


def test_a_closed_pool_leaves_its_jobs_running_and_the_next_one_takes_them_over(
    settings, store, until
):
    first = JobPool(settings, store)
    running = until(first.submit(kind="rehearsal", spec=LONG), in_epoch(1))
    waiting = first.submit(kind="rehearsal", spec=SHORT)
    first.close()
    assert psutil.pid_exists(running.pid)
    second = JobPool(settings, store)
    try:
        second.recover()
        # The living child has the only slot.
        until(running, in_epoch(running.progress.epoch + 3))
        assert second.queue_position(waiting.id) == 1
        second.cancel(running.id)
        assert until(running, over).status == "cancelled"
        assert until(waiting, over).status == "finished"
    finally:
        second.close()


def test_jobs_have_more_patience_with_a_server_than_those_who_wait_for_a_page(
    settings, monkeypatch
):
    for name, value in IMPATIENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    environment = child_environment(settings)
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in environment
    assert environment["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"


@pytest.mark.parametrize("fate", ["gone", "damaged"])
def test_a_resume_without_its_checkpoint_says_that_progress_was_lost(settings, store, fate):
    run = store.create("rehearsal", SHORT | {"fail": "error"})
    assert work(settings, run.id) is Status.FAILED
    checkpoint = settings.jobs / run.id / "checkpoint.npz"
    if fate == "gone":
        checkpoint.unlink()
        assert "its checkpoint is gone" in resume_in_words(
            settings, dataclasses.replace(store.get(run.id), kind="train")
        )
    else:
        checkpoint.write_bytes(os.urandom(200))
    requeue(store, run.id)
    work(settings, run.id)
    assert store.get(run.id).note == (
        f"The checkpoint of epoch 1 is {fate}: attempt 2 began again with the first epoch."
    )
    requeue(store, run.id)
    work(settings, run.id)
    assert "attempt 2" in store.get(run.id).note
