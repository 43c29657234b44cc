"""The process of the visualization worker: it takes a step of each running session in turn.

Commands come in as lines of JSON: {"session", "command", "values", "number"}. A session is
made from the order in its folder by the first command that names it.
"""

from __future__ import annotations

import importlib
import json
import queue
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from cnnkit.garbage import Collector
from cnnkit.jobs.kinds import SESSION_KINDS
from cnnkit.jobs.kinds.optimize import OptimizeTask
from cnnkit.jobs.sessions import (
    FRAME,
    Session,
    SessionState,
    read_frame,
    read_order,
    read_state,
    write_state,
)
from cnnkit.jobs.turns import next_turn
from cnnkit.models import ModelCache, Predictor
from cnnkit.runs import Status
from cnnkit.settings import Settings
from cnnkit.visualize.results import ResultCache
from cnnkit.visualize.step import CompiledSteps

ACTIVE = 4  # sessions that take steps at the same time
REMEMBERED = 24  # sessions whose tasks stay in memory
QUEUE_SECONDS = 1.0  # between two estimates of when a queued session will start

Command = dict[str, Any]


def serve(settings: Settings, folder: Path) -> None:
    """Do what standard input says until it ends, which it does with the parent."""
    commands: queue.Queue[Command | None] = queue.Queue()
    threading.Thread(target=_read, args=(commands,), daemon=True).start()
    # Compiled functions that nothing uses any more hold megabytes each, in cycles.
    Collector(threading.Event()).start()
    SessionServer(settings, folder, commands).run()


def _read(commands: queue.Queue) -> None:
    for line in sys.stdin:
        commands.put(json.loads(line))
    commands.put(None)


class WorkerContext:
    """What the tasks of one process share.

    Args:
        settings: where things are, and how much memory networks may take.
        post: takes a command to a session, from any thread.
        images: of a session as they are, by its id; None where it has none.
    """

    def __init__(
        self,
        settings: Settings,
        post: Callable[[Command], None],
        images: Callable[[str], np.ndarray | None],
    ):
        self.settings = settings
        self.networks = ModelCache(settings.model_memory)
        self.results = ResultCache(settings.results, settings.results_memory)
        self.images = images
        self._post = post
        # Compiled steps live as long as their network stays in memory.
        self._engines: WeakKeyDictionary[Predictor, CompiledSteps] = WeakKeyDictionary()

    def engines(self, opened: Predictor) -> CompiledSteps:
        """The compiled steps of a network."""
        if opened not in self._engines:
            self._engines[opened] = CompiledSteps(opened.model)
        return self._engines[opened]

    def later(self, session: str, command: str, work: Callable[[], dict[str, Any]]) -> None:
        """Do work in a thread, and hand what it returns to a session as a command's values.

        The work must touch nothing of the session.
        """

        def act() -> None:
            self._post({"session": session, "command": command, "values": work(), "number": 0})

        threading.Thread(target=act, daemon=True).start()


class SessionServer:
    """All sessions of one process, in a folder; None among the commands ends it."""

    def __init__(self, settings: Settings, folder: Path, commands: queue.Queue):
        self.folder = folder
        self.commands = commands
        self.context = WorkerContext(settings, commands.put, self._images)
        self.sessions: OrderedDict[str, Session] = OrderedDict()
        self._estimated = 0.0  # time.monotonic()

    def run(self) -> None:
        """Commands first, then a step of each session that runs, and so on."""
        while self._obey_all(wait=all(s.status.over for s in self.sessions.values())):
            self.turn()

    def _obey_all(self, *, wait: bool) -> bool:
        """Obey the commands that have come.

        Args:
            wait: for the first of them.

        Returns:
            Whether to go on.
        """
        while True:
            try:
                command = self.commands.get(block=wait)
            except queue.Empty:
                return True
            if command is None:
                self.commands.put(None)  # for whoever asks next
                return False
            self.obey(command)
            wait = False

    def obey(self, command: Command) -> None:
        """Pass a command to its session, which is made first where it is not in memory."""
        session = self.sessions.get(command["session"])
        if session is None and command["number"]:
            session = self._make(command)
        if session is None:
            return
        was = session.status
        if command["command"] == "start":
            session.obeyed = command["number"]
            session.write()
            self._queue(session)
        else:
            session.obey(command["command"], command["values"], command["number"])
            if session.status is Status.QUEUED and was is not Status.QUEUED:
                self._queue(session)
        if session.task.quick and session.status is Status.QUEUED:
            session.begin()
            while not session.status.over:
                session.advance()
        self._assign_slots()

    def turn(self) -> None:
        """One step of each session that runs; commands come between two of them."""
        for session in [s for s in self.sessions.values() if s.status is Status.RUNNING]:
            # A step of an explanation may take seconds: a Stop must not wait for all.
            if not self._obey_all(wait=False):
                return
            if session.status is Status.RUNNING:
                session.advance()
        self._assign_slots()

    def _queue(self, session: Session) -> None:
        """Put a session at the end of the round that it belongs to."""
        self.sessions.move_to_end(session.name)
        others = [s for s in self.sessions.values() if s is not session and not s.status.over]
        session.turn = next_turn(
            served=(other.turn for other in others if other.status is Status.RUNNING),
            own=(other.turn for other in others if other.owner == session.owner),
        )

    def _assign_slots(self) -> None:
        """Give free slots to those that are queued, and tell the others how many are ahead."""
        running = [s for s in self.sessions.values() if s.status is Status.RUNNING]
        queued = [s for s in self.sessions.values() if s.status is Status.QUEUED]
        queued.sort(key=lambda session: session.turn)
        free = max(0, ACTIVE - len(running))
        for session in queued[:free]:
            session.begin()
        due = time.monotonic() - self._estimated > QUEUE_SECONDS
        ends = sorted(left for s in running if (left := s.seconds_left()) is not None)
        for ahead, session in enumerate(queued[free:]):
            if due or session.ahead != ahead:
                self._estimated = time.monotonic()
                session.ahead = ahead
                session.starts_in = ends[ahead] if ahead < len(ends) else None
                session.write()

    def _images(self, name: str) -> np.ndarray | None:
        session = self.sessions.get(name)
        if session and isinstance(session.task, OptimizeTask) and session.task.begun:
            return session.task.images()
        return read_frame(self.folder / name / FRAME)

    def _make(self, command: Command) -> Session | None:
        """A session from its order; one that was in memory before begins from its first step."""
        folder = self.folder / command["session"]
        before = read_state(folder)
        try:
            kind, spec, owner = read_order(folder)
            now = before.details if before else {}
            spec |= {name: now[name] for name in spec if name in now}
            module, _, name = SESSION_KINDS[kind].partition(":")
            task = getattr(importlib.import_module(module), name)(spec, folder, self.context)
        except FileNotFoundError:
            return None  # evicted meanwhile
        except Exception as error:
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
            write_state(
                folder,
                SessionState(status=Status.FAILED, reason=reason, obeyed=command["number"]),
            )
            return None
        session = Session(folder, task, before.steps if before else 0, owner.id)
        if before and command["command"] != "start":
            session.status, session.reason = before.status, before.reason
        over = [n for n, s in self.sessions.items() if s.status.over]
        for old in over[: max(0, len(self.sessions) + 1 - REMEMBERED)]:
            del self.sessions[old]
        self.sessions[session.name] = session
        return session
