"""Whose turn it is: people take turns in the queues of jobs and of sessions."""

from __future__ import annotations

import queue

import pytest

from cnnkit.jobs import JobPool
from cnnkit.jobs._slot import Order, begin_next
from cnnkit.jobs.kinds import SESSION_KINDS
from cnnkit.jobs.session_server import ACTIVE, SessionServer
from cnnkit.jobs.sessions import SessionState, read_state, write_order, write_state
from cnnkit.jobs.turns import next_turn, waiting_runs
from cnnkit.people import Person
from cnnkit.runs import Progress, Status
from tests.jobs.conftest import wait_until

PEOPLE = [Person(f"{number:016x}", f"Person {number}") for number in range(10)]
ANN, BOB, CY = PEOPLE[:3]


class StillPool(JobPool):
    """A pool whose slots are all taken: runs wait."""

    def __init__(self, settings, store):
        self.settings, self.store = settings, store
        self.orders: list[Order] = []

    def _place(self, run, *, adopt=False):
        self.store.update(run.id, offered=run.ticket)
        self.orders.append(Order(run.id, run.ticket, self.settings))

    def press(self, person: Person) -> str:
        return self.submit(self.store.acting_for(person).create("rehearsal", {}).id).id


@pytest.fixture
def still(settings, store) -> StillPool:
    return StillPool(settings, store)


def test_the_first_wish_of_one_waits_for_no_second_of_another(still):
    many = [still.press(ANN) for _ in range(10)]
    one = still.press(BOB)
    assert still.queue_position(many[0]) == 1 and still.queue_position(one) == 2
    assert [still.queue_position(run_id) for run_id in many[1:]] == list(range(3, 12))


def test_ten_who_press_at_once_are_served_as_they_came(still):
    runs = [still.press(person) for person in PEOPLE]
    assert [still.queue_position(run_id) for run_id in runs] == list(range(1, 11))


def test_who_comes_later_takes_turns_with_those_who_wait(still):
    anns = [still.press(ANN) for _ in range(6)]
    for run_id in anns[:2]:
        still.store.update(run_id, status=Status.FINISHED)
    still.store.update(anns[2], status=Status.RUNNING)
    bobs = [still.press(BOB) for _ in range(3)]
    places = {still.queue_position(run_id): run_id for run_id in (*anns[3:], *bobs)}
    owners = [still.store.get(places[place]).owner_name for place in sorted(places)]
    assert owners == [BOB.name, *[ANN.name, BOB.name] * 2, ANN.name]


def test_a_resumed_run_comes_after_those_that_wait_already(still):
    anns, bobs = still.press(ANN), still.press(BOB)
    still.cancel(anns)
    still.resume(anns)
    assert [still.queue_position(run_id) for run_id in (bobs, anns)] == [1, 2]


def test_free_slots_begin_runs_in_the_order_that_people_are_told(still):
    runs = [still.press(person) for person in (ANN, ANN, ANN, BOB, CY, BOB, ANN)]
    expected = sorted(runs, key=still.queue_position)
    again = StillPool(still.settings, still.store)
    again.recover()  # as after a restart of the server
    assert sorted(runs, key=again.queue_position) == expected
    # Dask hands orders out as it likes: the run that begins is the next one all the same.
    begun = [begin_next(again.store, order) for order in reversed(again.orders)]
    assert [run.id for run, _ in begun] == expected
    assert begin_next(again.store, again.orders[0]) is None


def test_only_what_was_offered_to_the_slots_is_begun(still):
    still.store.create("rehearsal", {})  # as the command line does, which begins it itself
    offered = still.press(ANN)
    assert [run.id for run in waiting_runs(still.store)] == [offered]


def test_a_run_that_waits_twice_is_begun_once(still):
    run_id = still.press(ANN)
    still.pause(run_id)
    still.resume(run_id)
    first, second = still.orders
    assert begin_next(still.store, first)[0].id == run_id
    assert begin_next(still.store, second) is None


def test_one_person_alone_is_served_in_the_order_of_the_wishes(still):
    runs = [still.press(ANN) for _ in range(4)]
    assert sorted(runs, key=still.queue_position) == runs
    still.cancel(runs[1])
    still.store.update(runs[2], status=Status.PAUSED)
    assert still.resume(runs[2]).turn > still.store.get(runs[3]).turn


@pytest.mark.parametrize(
    "served, own, turn", (((), (), 0), ((3,), (), 3), ((3,), (3,), 4), ((), (5, 2), 6))
)
def test_a_turn_is_the_served_round_or_the_one_after_the_last_wish(served, own, turn):
    assert next_turn(served, own) == turn


@pytest.mark.endurance
def test_a_real_pool_serves_them_in_turn_also_after_a_restart(settings, store):
    def press(pool, person, seconds=0.01, steps=1):
        spec = {"epochs": 1, "steps": steps, "seconds": seconds}
        return pool.submit(store.acting_for(person).create("rehearsal", spec).id).id

    first = JobPool(settings, store)
    running = press(first, ANN, seconds=0.1, steps=3000)
    wait_until(store, running, lambda run: run.progress)
    anns, bob = [press(first, ANN), press(first, ANN)], press(first, BOB)
    first.close()
    second = JobPool(settings, store)
    try:
        second.recover()
        assert [second.queue_position(run_id) for run_id in (bob, *anns)] == [1, 2, 3]
        second.cancel(running)
        for run_id in (bob, *anns):
            wait_until(store, run_id, lambda run: run.status is Status.FINISHED)
        started = [store.get(run_id).started for run_id in (bob, *anns)]
        assert started == sorted(started)
    finally:
        second.close()


class EndlessTask:
    """Takes steps until it is told to stop."""

    quick = False

    def __init__(self, spec, folder, context):
        pass

    def events(self):
        while True:
            yield Progress(step=1, steps=2)

    def frame(self):
        return None

    def details(self):
        return {}


@pytest.fixture
def server(settings, tmp_path, monkeypatch) -> SessionServer:
    monkeypatch.setitem(SESSION_KINDS, "endless", f"{__name__}:EndlessTask")
    return SessionServer(settings, tmp_path, queue.Queue())


def press_start(server: SessionServer, name: str, person: Person) -> None:
    folder = server.folder / name
    write_order(folder, "endless", {}, person)
    write_state(folder, SessionState(status=Status.QUEUED))
    server.obey({"session": name, "command": "start", "values": {}, "number": 1})


def test_six_who_press_start_at_once_each_see_their_place(server):
    for number, person in enumerate(PEOPLE[:6]):
        press_start(server, f"s{number}", person)
    states = [read_state(server.folder / f"s{number}") for number in range(6)]
    assert [state.status for state in states] == [Status.RUNNING] * ACTIVE + [Status.QUEUED] * 2
    assert [state.ahead for state in states[ACTIVE:]] == [0, 1]


def test_sessions_take_turns_by_person(server):
    for number in range(ACTIVE + 3):
        press_start(server, f"ann{number}", ANN)
    press_start(server, "bob", BOB)
    ahead = {name: read_state(server.folder / name).ahead for name in (f"ann{ACTIVE}", "bob")}
    assert ahead == {"bob": 0, f"ann{ACTIVE}": 1}
    server.obey({"session": "ann0", "command": "stop", "values": {}, "number": 2})
    assert read_state(server.folder / "bob").status is Status.RUNNING
