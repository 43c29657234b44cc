"""The parent's side of the studio: it gives orders and reads what was told."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.jobs import child_environment
from cnnkit.settings import Settings
from cnnkit.studio import status
from cnnkit.studio.sources import Source
from cnnkit.studio.status import Look
from cnnkit.visualize.deepdream_presets import Dream
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.results import ResultCache

SESSIONS = 64  # whose folders stay


class Studio:
    """Orders to one child process, which is started when it is needed.

    Shared by all visitors of a server.

    Args:
        settings: where things are.
    """

    def __init__(self, settings: Settings):
        """Start nothing yet."""
        self.settings = settings
        self.results = ResultCache(settings.results, settings.results_memory)
        self.folder = settings.home / "studio" / uuid.uuid4().hex[:12]
        self._process: subprocess.Popen | None = None
        self._lock = threading.Lock()
        self._sessions: list[str] = []
        self._stopped: set[str] = set()

    # The process

    def wake(self) -> None:
        """Start the child if it does not run: importing TensorFlow takes it some seconds."""
        with self._lock:
            self._awake()

    @property
    def pid(self) -> int | None:
        """Of the child, while it runs."""
        alive = self._process is not None and self._process.poll() is None
        return self._process.pid if alive and self._process else None

    def close(self) -> None:
        """End the child and remove what it told."""
        with self._lock:
            self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if process.stdin:
            with contextlib.suppress(BrokenPipeError):  # it may have died with an order unread
                process.stdin.close()

    def _awake(self) -> subprocess.Popen:
        if self._process is None or self._process.poll() is not None:
            self._end()  # what is left of one that died
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "log.txt").open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "cnnkit", "worker", "--studio", str(self.folder)],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=child_environment(self.settings),
                )
        return self._process

    def _order(self, **order: Any) -> None:
        line = (json.dumps(order) + "\n").encode()
        with self._lock:
            try:
                self._write(line)
            except BrokenPipeError:
                self._write(line)  # the child has just died; a new one takes the order

    def _write(self, line: bytes) -> None:
        process = self._awake()
        if process.stdin:
            process.stdin.write(line)
            process.stdin.flush()

    # Sessions

    def start(
        self,
        source: Source,
        plan: Plan,
        *,
        image: np.ndarray | None = None,
        title: str = "",
        address: Mapping[str, str] | None = None,
    ) -> str:
        """Begin an optimisation.

        Args:
            source: the network.
            plan: what to do.
            image: (images, height, width, channels), 0 to 255, to begin with; None: noise.
            title: under which the end is recorded as a run; "": it is not.
            address: parameters of the page that shows it, for the record.

        Returns:
            The session's name, for the other calls.
        """
        session, folder = self._room()
        order: dict[str, Any] = {"source": source.to_dict(), "plan": plan.to_dict()}
        order |= {"title": title, "address": dict(address or {})}
        if image is None:
            order["key"] = self.key(source, plan)
        else:
            order["image"] = _written(folder / "image.npy", image)
        status.write_look(
            folder, Look(status=status.WAITING, steps=plan.steps, plan=plan.to_dict())
        )
        self._order(do="start", session=session, **order)
        return session

    def dream(
        self,
        source: Source,
        dream: Dream,
        image: np.ndarray,
        *,
        guided_by: np.ndarray | None = None,
    ) -> str:
        """Begin a dream.

        Args:
            source: the network.
            dream: how.
            image: (height, width, channels), 0 to 255.
            guided_by: the same, of a second image, where the dream is guided.

        Returns:
            The session's name. Dreams can be paused and stopped.
        """
        session, folder = self._room()
        order: dict[str, Any] = {"source": source.to_dict(), "dream": asdict(dream)}
        order["image"] = _written(folder / "image.npy", image)
        if guided_by is not None:
            order["guide"] = _written(folder / "guide.npy", guided_by)
        status.write_look(folder, Look(status=status.WAITING))
        self._order(do="start", session=session, **order)
        return session

    def _room(self) -> tuple[str, Path]:
        """A new session's name and folder; the oldest's goes."""
        session = uuid.uuid4().hex[:16]
        folder = self.folder / session
        folder.mkdir(parents=True)
        self._sessions.append(session)
        for old in self._sessions[:-SESSIONS]:
            shutil.rmtree(self.folder / old, ignore_errors=True)
        del self._sessions[:-SESSIONS]
        return session, folder

    def steer(self, session: str, numbers: Mapping[str, Any]) -> None:
        """Turn numbers of the plan while it runs, by path, see `Plan.numbers`."""
        self._order(do="steer", session=session, numbers=dict(numbers))

    def extend(self, session: str, steps: int) -> None:
        """Let it end after so many steps instead."""
        self._order(do="extend", session=session, steps=steps)

    def pause(self, session: str) -> None:
        """Stop after the running step; `resume` goes on."""
        self._order(do="pause", session=session)

    def resume(self, session: str) -> None:
        """Go on."""
        self._stopped.discard(session)
        self._order(do="resume", session=session)

    def stop(self, session: str) -> None:
        """End it; the image stays. It counts as stopped at once, however long a step takes."""
        self._stopped.add(session)
        self._order(do="stop", session=session)

    def go_back(self, session: str, number: int) -> None:
        """Return to a kept step and wait there."""
        self._order(do="back", session=session, number=number)

    def restart(self, session: str, seed: int) -> None:
        """Begin anew with other noise."""
        self._order(do="restart", session=session, seed=seed)

    def look(self, session: str) -> Look | None:
        """How it stands; None: there is no such session (any more)."""
        if session not in self._sessions:
            return None
        look = status.read_look(self.folder / session)
        if look is None or look.over:
            return look
        if self.pid is None:
            return replace(look, status="interrupted", reason=self._last_words())
        return replace(look, status="stopped") if session in self._stopped else look

    def frame(self, session: str, number: int | None = None) -> np.ndarray | None:
        """The images now, or at a kept step: uint8 (images, height, width, channels)."""
        folder = self.folder / session
        path = folder / status.FRAME if number is None else status.kept_path(folder, number)
        return status.read_frame(path)

    # Questions

    def key(self, source: Source, plan: Plan) -> str:
        """Of the result of a plan, whether it is there or not."""
        return self.results.key(source.digest(), plan)

    def ask_layers(self, source: Source) -> str:
        """Ask which layers a network has, and what it is: title, input_shape, class_names."""
        return self._ask(do="layers", source=source.to_dict())

    def ask_check(
        self,
        session: str,
        source: Source,
        others: Sequence[Source],
        targets: Sequence[str | None],
        *,
        images: np.ndarray | None = None,
    ) -> str:
        """Ask for the fooling check of a session's images, or of given ones.

        Args:
            session: whose images; "" with `images`.
            source: the network they were made with.
            others: that had no part in them.
            targets: name of the class that was climbed, for each image.
            images: float32 (images, height, width, channels).
        """
        order: dict[str, Any] = {"session": session}
        if images is not None:
            path = self.folder / f"{uuid.uuid4().hex[:16]}.npy"
            self.folder.mkdir(parents=True, exist_ok=True)
            order["image"] = _written(path, images)
        sources = [one.to_dict() for one in (source, *others)]
        return self._ask(do="check", sources=sources, targets=list(targets), **order)

    def answer(self, question: str) -> dict[str, Any] | None:
        """The answer to a question, or None while it is being worked out."""
        path = self.folder / "answers" / f"{question}.json"
        try:
            return json.loads(path.read_bytes())
        except FileNotFoundError:
            if self.pid is None:
                return {"error": f"The process that answers has ended. {self._last_words()}"}
            return None

    def _ask(self, **order: Any) -> str:
        question = uuid.uuid4().hex[:16]
        self._order(id=question, **order)
        return question

    def _last_words(self) -> str:
        try:
            text = (self.folder / "log.txt").read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.strip().splitlines()[-5:])


def _written(path: Path, image: np.ndarray) -> str:
    status.write_frame(path, np.asarray(image, np.float32))
    return str(path)
