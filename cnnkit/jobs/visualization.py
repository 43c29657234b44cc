"""The visualization worker: sessions in a process of their own.

    worker = VisualizationWorker(get_settings())
    session = worker.optimize(network, plan)
    worker.command(session, "steer", numbers={...})
    state = worker.state(session)

One child process keeps the networks and the compiled steps between starts, and takes a
step of each running session in turn, so that nobody's image waits for the end of another's.

Importing this loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from cnnkit.jobs._child import Process, start_process
from cnnkit.jobs._sharing import is_shared, result_cache
from cnnkit.jobs.session_kinds import SessionStarter
from cnnkit.jobs.sessions import (
    FRAME,
    SessionState,
    read_frame,
    read_state,
    write_frame,
    write_order,
    write_state,
)
from cnnkit.people import LOCAL, Person
from cnnkit.runs import Status
from cnnkit.settings import Settings

SESSIONS = 64  # whose folders stay
LOG = "log.txt"
UNREAD_SECONDS = 180.0  # a page reads the explanations that it shows every few seconds
LAST_LINES = 5  # of the log, as the reason of an interruption


class VisualizationWorker(SessionStarter):
    """Sessions in one child process, which is started when it is needed.

    Shared by all visitors of a server. It holds no state of a session: that is in the session's
    folder, written by its one owner. The child ends with this process.

    Args:
        settings: where things are.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        self.results = result_cache(settings, is_shared(settings))
        root = settings.home / "sessions"
        self.folder = root / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._process: Process | None = None
        self._lock = threading.RLock()
        self._sessions: OrderedDict[str, tuple[int, str]] = OrderedDict()  # the last command sent
        self._owners: dict[str, str] = {}  # session -> id of the person
        self._read: dict[str, float] = {}  # explanations, and when they were read last
        self._unread: set[str] = set()  # explanations that were stopped because nobody read them
        self._sent = 0
        _remove_orphans(root)

    # The process

    def wake(self) -> None:
        """Start the child if it does not run: importing TensorFlow takes it some seconds."""
        with self._lock:
            self._ensure_process()

    @property
    def pid(self) -> int | None:
        """Of the child, while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def close(self) -> None:
        """End the child and remove its sessions."""
        with self._lock:
            self._end_process()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ensure_process(self, starting: str = "") -> Process:
        if self._process is None or self._process.poll() is not None:
            self._interrupt_sessions(starting)
            self._end_process()  # what is left of one that died
            self._process = start_process(
                self.settings, "--sessions", str(self.folder), log=self.folder / LOG
            )
        return self._process

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if process.stdin:
            with contextlib.suppress(BrokenPipeError):  # it may have died with a command unread
                process.stdin.close()

    def _interrupt_sessions(self, starting: str = "") -> None:
        """Write down how sessions ended whose process has died: it could not do so itself."""
        if self._process is None:
            return
        for session, (number, _) in self._sessions.items():
            state = read_state(self.folder / session)
            if state is None or session == starting:
                continue
            if not state.status.over:
                state = replace(state, status=Status.INTERRUPTED, reason=self._last_lines())
                write_state(self.folder / session, replace(state, obeyed=number))
            elif state.obeyed < number:  # the command died with the process
                write_state(self.folder / session, replace(state, obeyed=number))

    def _last_lines(self) -> str:
        try:
            text = (self.folder / LOG).read_text("utf-8", errors="replace")
        except FileNotFoundError:
            text = ""
        lines = text.strip().splitlines()[-LAST_LINES:]
        return "\n".join(["The worker's process has ended. Restart begins again.", *lines])

    # Sessions

    def start(
        self,
        kind: str,
        spec: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray] | None = None,
        *,
        person: Person = LOCAL,
    ) -> str:
        """Begin a session of a person. See `SessionStarter`."""
        session = uuid.uuid4().hex[:16]
        folder = self.folder / session
        for name, array in (arrays or {}).items():
            write_frame(folder / f"{name}.npy", np.asarray(array, np.float32))
        write_order(folder, kind, spec, person)
        write_state(folder, SessionState(status=Status.QUEUED, details=dict(spec)))
        with self._lock:
            self._sessions[session] = 0, ""
            self._owners[session] = person.id
            if kind == "explain":
                self._read[session] = time.monotonic()
            self._evict()
            self.command(session, "start")
        return session

    def command(self, session: str, command: str, **values: Any) -> None:
        """Have a session do something: pause, resume, stop, restart, or what its task knows.

        Until the session has obeyed, its state names the command as a `wish`. Sent to a
        session that is not kept any more, it does nothing.
        """
        with self._lock:
            if session not in self._sessions:
                return
            starting = session if command == "start" else ""
            self._ensure_process(starting)
            self._sent += 1
            self._sessions[session] = self._sent, command
            order = {"session": session, "command": command, "values": values}
            line = (json.dumps(order | {"number": self._sent}) + "\n").encode()
            try:
                self._write(line, starting)
            except BrokenPipeError:
                self._write(line, starting)  # the child has just died; a new one takes it

    def _write(self, line: bytes, starting: str) -> None:
        stream = self._ensure_process(starting).stdin
        if stream:
            stream.write(line)
            stream.flush()

    def state(self, session: str) -> SessionState | None:
        """How a session stands; None: there is no such session (any more)."""
        with self._lock:
            if session not in self._sessions or session in self._unread:
                return None
            self._sessions.move_to_end(session)
            if session in self._read:
                self._read[session] = time.monotonic()
            if self._process is not None and self._process.poll() is not None:
                self._interrupt_sessions()
            self._stop_unread()
            number, command = self._sessions[session]
            state = read_state(self.folder / session)
        if state and state.obeyed < number:
            return replace(state, wish=command)
        return state

    def owner(self, session: str) -> str | None:
        """Id of the person whose session it is; None: there is no such session (any more)."""
        return self._owners.get(session)

    def busy(self, owner: str) -> int:
        """How many sessions of a person run or wait, and were not asked to stop or pause."""
        with self._lock:
            own = [
                session
                for session, (_, command) in self._sessions.items()
                if self._owners[session] == owner and command not in ("stop", "pause")
            ]
        states = [state for session in own if (state := read_state(self.folder / session))]
        return sum(not state.status.over for state in states)

    def frame(self, session: str, name: str = FRAME) -> np.ndarray | None:
        """An array that a session has written; by default its images as they are now."""
        return read_frame(self.folder / session / name)

    def count_sessions(self) -> dict[str, float]:
        """How many sessions are kept, by status."""
        with self._lock:
            folders = [self.folder / session for session in self._sessions]
        states = [state for state in map(read_state, folders) if state]
        return {str(status): float(sum(s.status is status for s in states)) for status in Status}

    def _stop_unread(self) -> None:
        """Stop explanations that no page reads any more: those of others must not wait for them.

        To a page that comes back they are gone, so it asks anew for what is not made yet.
        """
        now = time.monotonic()
        for session in [one for one, read in self._read.items() if now - read > UNREAD_SECONDS]:
            del self._read[session]
            state = read_state(self.folder / session)
            if state is not None and not state.status.over:
                self._unread.add(session)
                self.command(session, "stop")

    def _evict(self) -> None:
        """Remove the sessions that nobody has read for longest; what still runs stays."""
        for session in list(self._sessions)[:-1]:
            if len(self._sessions) <= SESSIONS:
                return
            state = read_state(self.folder / session)
            if state is None or state.status.over:
                del self._sessions[session], self._owners[session]
                self._read.pop(session, None)
                self._unread.discard(session)
                shutil.rmtree(self.folder / session, ignore_errors=True)


def _remove_orphans(root: Path) -> None:
    """Remove the folders of processes that were killed."""
    for folder in root.glob("*-*"):
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
