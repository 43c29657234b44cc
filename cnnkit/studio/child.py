"""The child's side of the studio: orders come in as lines, steps are taken in turn.

Orders are JSON objects with "do" and, where they concern one, "session". Answers and what
sessions tell go to files in the studio's folder.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import traceback
from collections import OrderedDict
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from cnnkit.errors import CnnkitError
from cnnkit.models import ModelCache, Predictor
from cnnkit.settings import Settings
from cnnkit.studio import status
from cnnkit.studio.dreams import DreamSession
from cnnkit.studio.record import Finished, record
from cnnkit.studio.session import Session
from cnnkit.studio.sources import Source
from cnnkit.visualize.deepdream_presets import Dream
from cnnkit.visualize.fooling import fooling_check
from cnnkit.visualize.network import target_layers
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.results import ResultCache
from cnnkit.visualize.step import CompiledSteps

ACTIVE = 4  # sessions that take steps at the same time
REMEMBERED = 24  # sessions whose states stay in memory


def serve(settings: Settings, folder: Path) -> None:
    """Do what standard input says until it ends, which it does with the parent.

    Args:
        settings: where things are, and how much memory networks may take.
        folder: of this studio.
    """
    orders: queue.Queue[dict[str, Any] | None] = queue.Queue()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    Serving(settings, folder).run(orders)


def _read(orders: queue.Queue) -> None:
    for line in sys.stdin:
        orders.put(json.loads(line))
    orders.put(None)


class Serving:
    """All sessions of one child.

    Args:
        settings: see `serve`.
        folder: see `serve`.
    """

    def __init__(self, settings: Settings, folder: Path):
        """Open nothing yet."""
        self.folder = folder
        self.settings = settings
        self.networks = ModelCache(settings.model_memory)
        self.results = ResultCache(settings.results, settings.results_memory)
        self.sessions: OrderedDict[str, Session | DreamSession] = OrderedDict()
        self._sources: dict[str, Source] = {}
        self._addresses: dict[str, dict[str, str]] = {}
        # Compiled steps live as long as their network stays in memory.
        self._engines: WeakKeyDictionary[Predictor, CompiledSteps] = WeakKeyDictionary()

    def run(self, orders: queue.Queue) -> None:
        """Orders first, then a step of each session that runs, and so on."""
        while True:
            busy = any(s.status in (status.RUNNING, status.WAITING) for s in self.sessions.values())
            try:
                order = orders.get(block=not busy)
            except queue.Empty:
                self._turn()
                continue
            if order is None:
                return
            self._obey(order)

    def _obey(self, order: dict[str, Any]) -> None:
        session = self.sessions.get(order.get("session", ""))
        try:
            if order["do"] == "start":
                self._start(order)
            elif order["do"] in ("layers", "check"):
                self._answer(order)
            elif order["do"] in _ORDERS and session:
                _ORDERS[order["do"]](session, order)
                self._settle()
            elif isinstance(session, Session):
                _STEERING[order["do"]](session, order)
                self._settle()
        except Exception as error:
            # One visitor's trouble is told to that visitor, and the others go on.
            traceback.print_exc()
            if session:
                session.reason = str(error)
                session.tell()

    def _start(self, order: dict[str, Any]) -> None:
        name = order["session"]
        folder = self.folder / name
        image, guide = (_image(order.get(which)) for which in ("image", "guide"))
        self._sources[name] = Source.from_dict(order["source"])
        if "dream" in order:
            self.sessions[name] = DreamSession(folder, Dream(**order["dream"]), image, guide)
        else:
            plan = Plan.from_dict(order["plan"])
            key, title = order.get("key", ""), order.get("title", "")
            self.sessions[name] = Session(folder, plan, image, key, title)
            self._addresses[name] = order.get("address", {})
        over = [n for n, s in self.sessions.items() if s.status in status.OVER]
        for old in over[: max(0, len(self.sessions) - REMEMBERED)]:
            del self.sessions[old], self._sources[old]
            self._addresses.pop(old, None)
        self._settle()

    def _settle(self) -> None:
        """Give free places to those that wait, and tell the others theirs."""
        running = sum(s.status == status.RUNNING for s in self.sessions.values())
        waiting = [s for s in self.sessions.values() if s.status == status.WAITING]
        for place, session in enumerate(waiting[max(0, ACTIVE - running) :], start=1):
            if session.place != place:
                session.place = place
                session.tell()

    def _turn(self) -> None:
        """One step of each that runs; one that waits may begin."""
        running = [n for n, s in self.sessions.items() if s.status == status.RUNNING]
        for name in running[:ACTIVE]:
            self._guarded(name, self._advance)
        waiting = [n for n, s in self.sessions.items() if s.status == status.WAITING]
        if waiting and len(running) < ACTIVE:
            self._guarded(waiting[0], self._open)
            self._settle()

    def _guarded(self, name: str, act) -> None:
        try:
            act(name)
        except Exception as error:
            if not isinstance(error, CnnkitError):
                traceback.print_exc()
            self.sessions[name].fail(error)

    def _open(self, name: str) -> None:
        session = self.sessions[name]
        session.status, session.place = status.OPENING, 0
        session.tell()
        opened = self._sources[name].open(self.networks)
        session.open(self._compiled(opened))

    def _advance(self, name: str) -> None:
        session = self.sessions[name]
        session.advance()
        if isinstance(session, Session) and session.status == "finished":
            if session.key and not session.steered:
                self.results.put(session.key, session.result())
            session.tell(frame=True)
            if session.title:
                # MLflow takes seconds to import; others' images go on meanwhile.
                finished = self._finished(name, session)
                threading.Thread(target=self._record, args=(session, finished)).start()

    def _finished(self, name: str, session: Session) -> Finished:
        return Finished(
            title=session.title,
            address=self._addresses.get(name, {}),
            source=self._sources[name],
            plan=session.plan,
            shown=session.shown(),
            curves=session.curves(),
        )

    def _record(self, session: Session, finished: Finished) -> None:
        try:
            session.run = record(self.settings, finished)
        except Exception as error:
            # A record that is away must not end the images of others.
            traceback.print_exc()
            session.reason = f"The image is finished but could not be recorded: {error}"
        session.tell()

    def _answer(self, order: dict[str, Any]) -> None:
        path = self.folder / "answers" / f"{order['id']}.json"
        path.parent.mkdir(exist_ok=True)
        try:
            answer = self._layers(order) if order["do"] == "layers" else self._check(order)
        except CnnkitError as error:
            answer = {"error": str(error)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        status.write(path, json.dumps(answer).encode())

    def _layers(self, order: dict[str, Any]) -> dict[str, Any]:
        opened = Source.from_dict(order["source"]).open(self.networks)
        found = target_layers(opened.model, opened.card.input_shape[:2])
        return {
            "title": opened.card.title,
            "input_shape": list(opened.card.input_shape),
            "class_names": list(opened.card.class_names),
            "layers": [[c.name, c.kind, list(c.shape)] for c in found],
        }

    def _check(self, order: dict[str, Any]) -> dict[str, Any]:
        own, *others = [Source.from_dict(s).open(self.networks) for s in order["sources"]]
        session = self.sessions.get(order["session"])
        if session is None:
            images = np.load(order["image"], allow_pickle=False)
        else:
            images = session.images()
        verdicts = [
            fooling_check(image, own, others, target=target)
            for image, target in zip(images, order["targets"], strict=True)
        ]
        return {"verdicts": [[one.to_dict() for one in of_one] for of_one in verdicts]}

    def _compiled(self, opened: Predictor) -> CompiledSteps:
        if opened not in self._engines:
            self._engines[opened] = CompiledSteps(opened.model)
        return self._engines[opened]


def _image(path: str | None) -> Any:
    return np.load(path, allow_pickle=False) if path else None


def _pause(session: Session | DreamSession, order: dict) -> None:
    if session.status == status.RUNNING:
        session.status = status.PAUSED
        session.tell(frame=True)


def _resume(session: Session | DreamSession, order: dict) -> None:
    if session.status in (status.PAUSED, "stopped") and session.number < session.steps:
        session.status = status.RUNNING
        session.tell()


def _stop(session: Session | DreamSession, order: dict) -> None:
    if session.status not in status.OVER:
        session.status = "stopped"
        session.tell(frame=True)


_ORDERS = {"pause": _pause, "resume": _resume, "stop": _stop}
_STEERING = {
    "steer": lambda session, order: session.steer(order["numbers"]),
    "extend": lambda session, order: session.extend(order["steps"]),
    "back": lambda session, order: session.go_back(order["number"]),
    "restart": lambda session, order: session.restart(order["seed"]),
}
