"""Sessions of the visualization worker: their states, and what moves them between these.

A task yields its progress and obeys commands. A `Session` carries one task, owns its
state, and writes it to a folder that anybody may read.

    queued ──► running ──► finished        restart: queued again, from the first step
      ▲         │  │  └──► failed          resume:  queued again, from where it stands
      │  pause  │  │ stop                  go back: paused at an earlier step
      │         ▼  ▼
      └──── paused, cancelled, interrupted (its process has ended)
"""

from __future__ import annotations

import io
import json
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cnnkit.errors import CnnkitError, JobError
from cnnkit.files import write_atomic
from cnnkit.jobs.pace import Pace
from cnnkit.people import Person
from cnnkit.runs import Progress, Status

STATE, FRAME, ORDER = "state.json", "frame.npy", "order.json"
FRAME_SECONDS = 0.2  # between two frames
STATE_SECONDS = 0.1  # between two states of a session that only takes steps


@dataclass(frozen=True, kw_only=True)
class SessionState:
    """A session as it stands."""

    status: Status
    step: int = 0  # steps done
    steps: int = 0  # asked for
    frame_step: int = 0  # step that the frame shows
    ahead: int = 0  # sessions before it in the queue
    starts_in: float | None = None  # seconds until it leaves the queue, about
    seconds_per_step: float | None = None  # wall time, of the last seconds
    updated: float = 0.0  # when the last step ended, seconds since 1970
    reason: str = ""  # why it failed, or why the last command could not be obeyed
    obeyed: int = 0  # number of the last command that it has obeyed
    wish: str = ""  # a command that was sent and is not obeyed yet
    details: Mapping[str, Any] = field(default_factory=dict)  # of the task: plan, curves, notes …

    @property
    def over(self) -> bool:
        """Nothing more happens unless somebody resumes or restarts it."""
        return self.status.over and not self.wish

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1: steps, not time."""
        return min(1.0, self.step / self.steps) if self.steps else 0.0

    def seconds_left(self, now: float | None = None) -> float | None:
        """How long it will take at the pace of the last seconds; None: not known.

        It shrinks while the running step takes no longer than those before, and grows again
        when it does: a step that is late by some seconds is taken to need as many more.
        """
        if self.seconds_per_step is None or self.status is not Status.RUNNING:
            return None
        waited = max(0.0, (time.time() if now is None else now) - self.updated)
        others = max(0, self.steps - self.step - 1) * self.seconds_per_step
        return others + abs(self.seconds_per_step - waited)


class SessionTask(Protocol):
    """What a session does. Made from a spec, its folder and the worker's context."""

    quick: bool  # done at once, without a slot

    def events(self) -> Iterator[Progress]:
        """Take the steps that are left, one a `next`. Asked for again after going back."""
        ...

    def obey(self, command: str, values: Mapping[str, Any]) -> Progress:
        """Change something, and say where the task stands then. "restart" begins anew.

        Raises:
            ValueError, CnnkitError: it cannot be done; says why.
        """
        ...

    def frame(self) -> np.ndarray | None:
        """uint8 (images, height, width, channels) as they are now; None: none yet."""
        ...

    def details(self) -> dict[str, Any]:
        """Plain values. A field of the spec among them holds its value as it is now."""
        ...


class Session:
    """One task, and the only owner of its state.

    Args:
        folder: its state and its frame go there.
        task: what it does.
        steps: how many it begins with.
        owner: id of the person whose session it is.
    """

    def __init__(self, folder: Path, task: SessionTask, steps: int = 0, owner: str = ""):
        self.folder = folder
        self.task = task
        self.owner = owner
        self.turn = 0  # in which round of the queue it is served
        self.status = Status.QUEUED
        self.progress = Progress(steps=steps)
        self.ahead = 0
        self.starts_in: float | None = None
        self.reason = ""
        self.obeyed = 0
        self.pace = Pace()
        self._events: Iterator[Progress] | None = None
        self._written = self._frame_written = -np.inf  # time.monotonic()
        self._frame_step = 0

    @property
    def name(self) -> str:
        """By which pages know it."""
        return self.folder.name

    # What moves it

    def begin(self) -> None:
        """Take a slot."""
        self.status, self.ahead, self.starts_in = Status.RUNNING, 0, None
        self.write()

    def advance(self) -> None:
        """One step of the task, or its end."""
        try:
            if self._events is None:
                self._events = self.task.events()
            self.progress = next(self._events)
        except StopIteration:
            self._end(Status.FINISHED)
        except Exception as error:
            # One visitor's trouble is told to that visitor, and the others go on.
            expected = isinstance(error, CnnkitError | ValueError)
            if not expected:
                traceback.print_exc()
            self._end(Status.FAILED, str(error) if expected else f"{type(error).__name__}: {error}")
        else:
            if self.progress.step:
                self.pace.add(self.progress.step)
            self._write_if_due()

    def obey(self, command: str, values: Mapping[str, Any], number: int = 0) -> None:
        """Do what is asked, or say in `reason` why not.

        Args:
            command: "pause", "resume", "stop", "restart", "go_back", or one of the task's own.
            values: of the command.
            number: of the command; 0: the task's own doing, nobody waits for it.
        """
        self.obeyed = max(self.obeyed, number)
        try:
            self._obey(command, values)
        except Exception as error:
            if not isinstance(error, CnnkitError | ValueError):
                traceback.print_exc()
            self.reason = str(error)
        self.write(frame=self.status.over)

    def _obey(self, command: str, values: Mapping[str, Any]) -> None:
        live = self.status in (Status.QUEUED, Status.RUNNING)
        if command == "pause":
            if live:
                self._settle(Status.PAUSED)
        elif command == "stop":
            if live or self.status is Status.PAUSED:
                self._settle(Status.CANCELLED)
        elif command == "resume":
            if self.status.resumable:
                self._settle(Status.QUEUED)
        else:
            self.progress = self.task.obey(command, values)
            self._written = (
                self._frame_written
            ) = -np.inf  # its effect is to be seen with the next step
            if command in ("restart", "go_back"):
                self._events = None
                self._settle(Status.QUEUED if command == "restart" else Status.PAUSED)
            elif self.status is Status.FINISHED and self.progress.step < self.progress.steps:
                self._settle(Status.PAUSED)
            elif live:
                self.reason = ""

    def _settle(self, status: Status) -> None:
        self.status, self.reason, self.ahead, self.starts_in = status, "", 0, None
        self.pace.reset()

    def _end(self, status: Status, reason: str = "") -> None:
        self._settle(status)
        self._events, self.reason = None, reason
        self.write(frame=True)

    # What it writes

    def state(self) -> SessionState:
        """How it stands."""
        return SessionState(
            status=self.status,
            step=self.progress.step,
            steps=self.progress.steps,
            frame_step=self._frame_step,
            ahead=self.ahead,
            starts_in=self.starts_in,
            seconds_per_step=self.pace.seconds_per_step,
            updated=self.pace.updated,
            reason=self.reason,
            obeyed=self.obeyed,
            details=self.task.details(),
        )

    def seconds_left(self) -> float | None:
        """How long it will take at the pace of the last seconds; None: not known yet."""
        return self.pace.seconds_left(self.progress.steps - self.progress.step)

    def write(self, *, frame: bool = False) -> None:
        """Write the state to its folder, and the frame if asked."""
        if frame:
            images = self.task.frame()
            if images is not None:
                write_frame(self.folder / FRAME, images)
                self._frame_written, self._frame_step = time.monotonic(), self.progress.step
        self._written = time.monotonic()
        write_state(self.folder, self.state())

    def _write_if_due(self) -> None:
        now = time.monotonic()
        if now - self._frame_written >= FRAME_SECONDS:
            self.write(frame=True)
        elif now - self._written >= STATE_SECONDS:
            self.write()


def write_order(folder: Path, kind: str, spec: Mapping[str, Any], person: Person) -> None:
    """Write down what a session shall do, and for whom."""
    order = {"kind": kind, "spec": dict(spec), "owner": person.id, "owner_name": person.name}
    write_atomic(folder / ORDER, json.dumps(order))


def read_order(folder: Path) -> tuple[str, dict[str, Any], Person]:
    """What `write_order` wrote.

    Raises:
        FileNotFoundError: there is no such session (any more).
    """
    order = json.loads((folder / ORDER).read_bytes())
    return order["kind"], order["spec"], Person(order["owner"], order["owner_name"])


def refused(command: str, what: str) -> JobError:
    """The error of a task that does not know a command."""
    return JobError(f"{what} does not know the command {command!r}.")


def write_state(folder: Path, state: SessionState) -> None:
    """Replace what a folder says."""
    # Its fields are plain already: `asdict` would copy every point of every curve.
    write_atomic(folder / STATE, json.dumps(vars(state)))


def read_state(folder: Path) -> SessionState | None:
    """What a folder says; None while it says nothing."""
    try:
        values = json.loads((folder / STATE).read_bytes())
    except FileNotFoundError:
        return None
    return SessionState(**values | {"status": Status(values["status"])})


def write_frame(path: Path, images: np.ndarray) -> None:
    """Replace an array in a file."""
    file = io.BytesIO()
    np.save(file, images, allow_pickle=False)
    write_atomic(path, file.getvalue())


def read_frame(path: Path) -> np.ndarray | None:
    """An array, or None while there is none."""
    try:
        return np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except FileNotFoundError:
        return None
