"""Two attempts never write one run."""

import threading
import time

import pytest

from cnnkit.errors import JobError
from cnnkit.jobs import _slot
from cnnkit.jobs._child import start_child
from cnnkit.jobs._controls import Lease, take_lease
from cnnkit.jobs._slot import Pulse, settle
from cnnkit.jobs.worker import work
from cnnkit.runs import Status


def may(run) -> bool:
    return True


def test_each_attempt_has_the_next_number_and_only_the_last_one_holds(store):
    run = store.create("rehearsal", {})
    first = take_lease(store, run.id, may)
    assert first.number == 1 and first.holds(store.get(run.id))
    second = take_lease(store, run.id, may)
    assert second.number == 2 and second.holds(store.get(run.id))
    assert not first.holds(store.get(run.id))
    assert Lease.parse(str(second)) == second
    assert store.get(run.id).status == "running"


def test_a_slot_keeps_the_heart_of_a_busy_process_beating_and_no_other(store, monkeypatch):
    monkeypatch.setattr(_slot, "QUIET_SECONDS", 0.0)
    run = store.create("rehearsal", {})
    take_lease(store, run.id, may)
    pulse, quiet = Pulse(store), store.get(run.id)
    pulse.look(quiet)
    assert store.get(run.id).heartbeat == quiet.heartbeat  # it has only just been seen
    pulse.look(quiet)
    assert store.get(run.id).heartbeat > quiet.heartbeat
    store.update(run.id, status=Status.FINISHED)
    ended = store.get(run.id)
    for _ in range(3):
        pulse.look(ended)
    assert store.get(run.id).heartbeat == ended.heartbeat


def test_of_many_takers_at_once_one_begins(store):
    run = store.create("rehearsal", {})
    taken = []
    takers = [
        threading.Thread(
            target=lambda: taken.append(
                take_lease(store, run.id, lambda run: run.status is Status.QUEUED)
            )
        )
        for _ in range(6)
    ]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    leases = [lease for lease in taken if lease]
    assert len(taken) == 6 and len(leases) == 1
    assert leases[0].holds(store.get(run.id))


def test_nobody_decides_while_another_does(store):
    run = store.create("rehearsal", {})
    deciding, go_on, seen = threading.Event(), threading.Event(), []

    def thinks(run):
        deciding.set()
        return go_on.wait(60)

    def queued(run):
        seen.append(run.status)
        return run.status is Status.QUEUED

    takers = [
        threading.Thread(target=take_lease, args=(store, run.id, may_begin))
        for may_begin in (thinks, queued)
    ]
    takers[0].start()
    assert deciding.wait(60)
    takers[1].start()
    takers[1].join(2)  # time enough to look, if nothing kept it from looking
    assert not seen
    go_on.set()
    for taker in takers:
        taker.join()
    assert seen == [Status.RUNNING] and store.get(run.id).attempt == 1


def test_who_watched_a_superseded_attempt_does_not_end_the_new_one(store):
    run = store.create("rehearsal", {})
    first, second = (take_lease(store, run.id, may) for _ in range(2))
    settle(store, run.id, first, -9)
    assert store.get(run.id).status == "running"
    settle(store, run.id, second, -9)
    ended = store.get(run.id)
    assert ended.status == "interrupted" and "SIGKILL" in ended.reason


@pytest.mark.faults
def test_a_superseded_child_leaves_silently_and_the_new_one_ends_alone(
    settings, store, until, forking
):
    spec = {"epochs": 8, "steps": 10, "seconds": 0.1}
    run = store.create("rehearsal", spec)
    old = start_child(settings, run.id, str(take_lease(store, run.id, may)), shared=False)
    until(run, lambda run: run.progress and run.progress.epoch > 1)
    new = start_child(settings, run.id, str(take_lease(store, run.id, may)), shared=False)
    assert old.wait(60) == 0
    assert new.wait(120) == 0
    ended = store.get(run.id)
    assert (ended.status, ended.attempt, ended.pid) == ("finished", 2, new.pid)
    assert [row["epoch"] for row in store.history(run.id)] == list(range(1, 9))
    plain = store.create("rehearsal", spec | {"seconds": 0.0})
    assert start_child(settings, plain.id, None, shared=False).wait(120) == 0
    assert ended.metrics["value"] == store.get(plain.id).metrics["value"]


def test_a_run_that_is_not_queued_is_not_worked_on(settings, store):
    run = store.create("rehearsal", {})
    store.update(run.id, status=Status.CANCELLED)
    with pytest.raises(JobError, match="cancelled"):
        work(settings, run.id)


def test_a_detached_child_takes_its_own_lease(settings, store, until, forking):
    run = store.create("rehearsal", {"epochs": 1, "steps": 1})
    child = start_child(settings, run.id, None, shared=False)
    until(run, lambda run: run.status is Status.FINISHED)
    deadline = time.monotonic() + 30
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert child.poll() == 0
