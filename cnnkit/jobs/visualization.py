"""The visualization worker, with a method for each kind of session.

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
import subprocess
import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from cnnkit.explain.request import ExplanationRequest
from cnnkit.files import write_atomic
from cnnkit.jobs._child import start_process
from cnnkit.jobs._sharing import is_shared, result_cache
from cnnkit.jobs.kinds import MAPS, images_file
from cnnkit.jobs.sessions import (
    FRAME,
    ORDER,
    SessionState,
    read_frame,
    read_state,
    write_frame,
    write_state,
)
from cnnkit.networks import NetworkRef
from cnnkit.runs import Status
from cnnkit.settings import Settings
from cnnkit.visualize.deepdream_presets import Dream
from cnnkit.visualize.plan import Plan

SESSIONS = 64  # whose folders stay
LOG = "log.txt"
LAST_LINES = 5  # of the log, as the reason of an interruption


@dataclass(frozen=True, eq=False)
class Explanation:
    """What was found for a request.

    Args:
        arrays: "maps", float32 (images, height, width); of a check, see `cnnkit.explain.checks`.
        card: plain values: "seconds", "gaps" of integrated gradients, and those of a check.
    """

    arrays: dict[str, np.ndarray]
    card: dict[str, Any]

    @property
    def maps(self) -> np.ndarray:
        """Of a request for maps."""
        return self.arrays[MAPS]


class VisualizationWorker:
    """Sessions in one child process, which is started when it is needed.

    They optimize images, dream, and answer questions about networks. Shared by all visitors
    of a server. It holds no state of a session: that is in the session's folder, written by
    its one owner. The child ends with this process.

    Args:
        settings: where things are.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        self.results = result_cache(settings, is_shared(settings))
        root = settings.home / "sessions"
        self.folder = root / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._process: subprocess.Popen | None = None
        self._lock = threading.RLock()
        self._sessions: OrderedDict[str, tuple[int, str]] = OrderedDict()  # the last command sent
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

    def _ensure_process(self, starting: str = "") -> subprocess.Popen:
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

    # Kinds of sessions

    def key(self, network: NetworkRef, plan: Plan) -> str:
        """Of the result of a plan, whether it is there or not."""
        return self.results.key(network.digest(), plan)

    def optimize(
        self,
        network: NetworkRef,
        plan: Plan,
        *,
        image: np.ndarray | None = None,
        title: str = "",
        address: Mapping[str, str] | None = None,
        target: Mapping[str, Any] | None = None,
    ) -> str:
        """Begin an optimization.

        Args:
            network: whose units.
            plan: what to do.
            image: (images, height, width, channels), 0 to 255, to begin with; None: noise.
            title: under which the end is recorded as a run; "": it is not.
            address: parameters of the page that shows it, for the record.
            target: plain values that the page wants back in the state's details.

        Raises:
            CnnkitError: the network is not there, or its weights.
        """
        network.digest()
        spec = {"network": str(network), "plan": plan.to_dict(), "title": title}
        spec |= {"address": dict(address or {}), "target": dict(target or {})}
        return self.start("optimize", spec, {} if image is None else {"image": image})

    def dream(
        self,
        network: NetworkRef,
        dream: Dream,
        image: np.ndarray,
        *,
        guide: np.ndarray | None = None,
    ) -> str:
        """Begin a dream on an image, perhaps guided by another: (height, width, channels)."""
        arrays = {"image": image} | ({} if guide is None else {"guide": guide})
        return self.start("dream", {"network": str(network), "dream": asdict(dream)}, arrays)

    def ask_layers(self, network: NetworkRef) -> str:
        """Ask which layers a network has; the state's details say it when it is finished."""
        return self.start("layers", {"network": str(network)})

    def ask_recheck(
        self,
        network: NetworkRef,
        others: Sequence[NetworkRef],
        targets: Sequence[str | None],
        *,
        session: str = "",
        images: np.ndarray | None = None,
    ) -> str:
        """Ask how networks classify images that were optimized.

        Args:
            network: the network they were made with.
            others: that had no part in them.
            targets: name of the class that was maximized, for each image.
            session: whose images, as they are now; "" with `images`.
            images: (images, height, width, channels), 0 to 255.
        """
        networks = [str(one) for one in (network, *others)]
        spec = {"networks": networks, "targets": list(targets), "session": session}
        return self.start("recheck", spec, {} if images is None else {"images": images})

    def ask_top_activations(self, network: NetworkRef, layer: str, dataset: str = "") -> str:
        """Ask which images activate each unit of a layer most.

        Args:
            network: whose layer.
            layer: of `visualize.network.target_layers`.
            dataset: whose test images are searched; "": the example photos.
        """
        spec = {"network": str(network), "layer": layer, "dataset": dataset}
        return self.start("top_activations", spec)

    def explain(
        self, requests: Sequence[ExplanationRequest], images: Mapping[str, np.ndarray]
    ) -> str:
        """Ask for explanations; each is among the results as soon as it is there.

        Args:
            requests: in the order in which they are worked on.
            images: by their `images_digest`: (images, height, width, channels), 0 to 255.

        Raises:
            CnnkitError: a network is not there, or its weights.
        """
        for one in requests:
            NetworkRef.parse(one.network).digest()
        arrays = {Path(images_file(digest)).stem: array for digest, array in images.items()}
        return self.start("explain", {"requests": [one.to_dict() for one in requests]}, arrays)

    def explanation(self, request: ExplanationRequest) -> Explanation | None:
        """What was found for a request, now or earlier; None: nothing yet.

        Raises:
            CnnkitError: the network is not there, or its weights.
        """
        key = request.key(NetworkRef.parse(request.network).digest())
        found = self.results.read(key, ())
        if found is None:
            return None
        card, _ = found
        whole = self.results.read(key, card["arrays"])
        return None if whole is None else Explanation(whole[1], card)

    # Sessions

    def start(
        self, kind: str, spec: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> str:
        """Begin a session.

        Args:
            kind: one of `SESSION_KINDS`.
            spec: plain values, for its task.
            arrays: by name, for its task.

        Returns:
            The session's id, for the other calls.
        """
        session = uuid.uuid4().hex[:16]
        folder = self.folder / session
        for name, array in (arrays or {}).items():
            write_frame(folder / f"{name}.npy", np.asarray(array, np.float32))
        write_atomic(folder / ORDER, json.dumps({"kind": kind, "spec": dict(spec)}))
        write_state(folder, SessionState(status=Status.QUEUED, details=dict(spec)))
        with self._lock:
            self._sessions[session] = 0, ""
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
            if session not in self._sessions:
                return None
            self._sessions.move_to_end(session)
            if self._process is not None and self._process.poll() is not None:
                self._interrupt_sessions()
            number, command = self._sessions[session]
            state = read_state(self.folder / session)
        if state and state.obeyed < number:
            return replace(state, wish=command)
        return state

    def frame(self, session: str, name: str = FRAME) -> np.ndarray | None:
        """An array that a session has written; by default its images as they are now."""
        return read_frame(self.folder / session / name)

    def count_sessions(self) -> dict[str, float]:
        """How many sessions are kept, by status."""
        with self._lock:
            folders = [self.folder / session for session in self._sessions]
        states = [state for state in map(read_state, folders) if state]
        return {str(status): float(sum(s.status is status for s in states)) for status in Status}

    def _evict(self) -> None:
        """Remove the sessions that nobody has read for longest; what still runs stays."""
        for session in list(self._sessions)[:-1]:
            if len(self._sessions) <= SESSIONS:
                return
            state = read_state(self.folder / session)
            if state is None or state.status.over:
                del self._sessions[session]
                shutil.rmtree(self.folder / session, ignore_errors=True)


def _remove_orphans(root: Path) -> None:
    """Remove the folders of processes that were killed."""
    for folder in root.glob("*-*"):
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
