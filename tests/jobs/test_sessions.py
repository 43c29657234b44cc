"""A session by itself: what it writes and when, and how long it says it will take."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from cnnkit.jobs import sessions
from cnnkit.jobs.pace import WINDOW, Pace
from cnnkit.jobs.sessions import Session, SessionState, read_state, write_frame, write_state
from cnnkit.runs import Progress, Status


class Counting:
    """A task that counts to three."""

    quick = False

    def __init__(self):
        self.step, self.added = 0, 0

    def events(self):
        while self.step < 3:
            self.step += 1
            yield Progress(step=self.step, steps=3)

    def obey(self, command, values):
        if command == "restart":
            self.step = 0
        elif command == "go_back":
            self.step = values["step"]
        elif command == "add":
            self.added += values["number"]
        else:
            raise sessions.refused(command, "Counting")
        return Progress(step=self.step, steps=3)

    def frame(self):
        return np.full((1, 1, 1, 1), self.step, np.uint8)

    def details(self):
        return {"added": self.added}


@pytest.fixture
def session(tmp_path):
    one = Session(tmp_path / "one", Counting(), 3)
    one.begin()
    return one


def test_each_status_is_written_when_it_is_reached(session):
    written = lambda: read_state(session.folder).status  # noqa: E731
    assert written() is Status.RUNNING
    session.obey("pause", {})
    assert written() is Status.PAUSED
    session.obey("resume", {})
    assert written() is Status.QUEUED
    session.begin()
    session.obey("stop", {})
    assert written() is Status.CANCELLED
    session.obey("pause", {})  # nothing to pause
    assert written() is Status.CANCELLED
    session.obey("restart", {})
    assert written() is Status.QUEUED
    for _ in range(4):
        session.advance()
    assert written() is Status.FINISHED
    session.obey("resume", {})  # nothing is left
    assert written() is Status.FINISHED
    session.obey("go_back", {"step": 1})
    assert written() is Status.PAUSED
    session.obey("resume", {})
    session.begin()
    session.advance()
    assert session.progress.step == 2


def test_an_unknown_command_is_refused_and_the_session_goes_on(session):
    session.obey("jump", {}, number=3)
    state = read_state(session.folder)
    assert state.reason == "Counting does not know the command 'jump'." and state.obeyed == 3
    assert state.status is Status.RUNNING
    session.obey("add", {"number": 2})
    assert read_state(session.folder).reason == "" and session.task.added == 2


def test_an_error_fails_the_session_alone_and_it_can_be_restarted(session, monkeypatch):
    def events():
        raise ValueError("No such class.")
        yield

    monkeypatch.setattr(session.task, "events", events)
    session.advance()
    assert (session.status, session.reason) == (Status.FAILED, "No such class.")
    monkeypatch.undo()
    session.obey("restart", {})
    assert (session.status, session.reason) == (Status.QUEUED, "")


def test_the_effect_of_a_command_is_shown_with_the_next_step(session, monkeypatch):
    monkeypatch.setattr(sessions, "FRAME_SECONDS", 1e9)  # no frame is due by itself
    monkeypatch.setattr(sessions, "STATE_SECONDS", 0)
    session.advance()
    session._frame_written = time.monotonic()
    session.advance()
    assert read_state(session.folder).frame_step == 1
    session.obey("add", {"number": 1})
    session.advance()
    assert read_state(session.folder).frame_step == 3


def test_a_state_is_read_whole_or_not_at_all(tmp_path):
    assert read_state(tmp_path) is None
    state = SessionState(status=Status.RUNNING, step=3, steps=12, details={"curves": {}})
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state and state.fraction == 0.25 and not state.over
    write_frame(tmp_path / "frame.npy", np.zeros((1, 4, 4, 3), np.uint8))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["frame.npy", "state.json"]


def test_a_state_with_a_wish_is_not_over():
    assert not SessionState(status=Status.CANCELLED, wish="restart").over
    assert SessionState(status=Status.CANCELLED).over


def test_the_pace_follows_the_last_seconds():
    pace = Pace()
    for step in range(1, 101):
        pace.add(step, now=0.1 * step)  # ten a second for ten seconds
    assert pace.seconds_per_step == pytest.approx(0.1)
    for step in range(101, 121):
        pace.add(step, now=10 + 1.0 * (step - 100))  # then the machine is busy
    assert pace.seconds_per_step == pytest.approx(1.0, rel=1 / WINDOW)
    assert pace.seconds_left(30) == pytest.approx(30, rel=1 / WINDOW)
    pace.reset()
    assert pace.seconds_per_step is None and pace.seconds_left(3) is None


def test_the_time_left_moves_between_two_steps():
    state = SessionState(
        status=Status.RUNNING, step=10, steps=20, seconds_per_step=2.0, updated=100.0
    )
    assert state.seconds_left(now=100.0) == 20.0
    assert state.seconds_left(now=101.0) == 19.0
    assert state.seconds_left(now=102.0) == 18.0
    assert state.seconds_left(now=110.0) == 26.0  # a step that is late may be late still longer
    assert replace(state, status=Status.QUEUED).seconds_left(now=100.0) is None
