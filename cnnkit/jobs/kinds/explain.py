"""A session that explains: one map after the other, or a check of it, batch by batch."""

from __future__ import annotations

import time
import traceback
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from cnnkit.errors import CnnkitError, StorageError
from cnnkit.explain import completeness_gap, get_method
from cnnkit.explain.checks import CheckResult, get_check
from cnnkit.explain.request import ExplanationRequest
from cnnkit.jobs.kinds import MAPS, images_file
from cnnkit.jobs.pace import Pace
from cnnkit.jobs.sessions import read_frame, refused
from cnnkit.networks import NetworkRef
from cnnkit.runs import Progress

if TYPE_CHECKING:
    from cnnkit.jobs.session_server import WorkerContext

R = TypeVar("R")
PARTS = 100  # of the work for one request, for progress
GAP_OPTIONS = ("baseline", "seed")  # of integrated gradients, which decide the gap


class ExplainTask:
    """Maps and checks of several requests, each among the results as soon as it is there.

    A request that fails says so in its own entry of the details, and the others go on.

    Args:
        spec: "requests", plain values of `ExplanationRequest`s.
        folder: of the session, with the file of each request's images.
        context: of the process.
    """

    quick = False

    def __init__(self, spec: Mapping[str, Any], folder: Path, context: WorkerContext):
        self.folder, self.context = folder, context
        self.requests = [ExplanationRequest.from_dict(one) for one in spec["requests"]]
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._done = 0  # requests
        self._part = 0  # of the running one
        self._entries: list[dict[str, Any]] = [_entry() for _ in self.requests]

    def events(self) -> Iterator[Progress]:
        """One request after the other, a batch a step."""
        while self._done < len(self.requests):
            yield self._progress()
            entry = self._entries[self._done]
            try:
                yield from self._explain(self.requests[self._done], entry)
                entry["status"] = "finished"
            except Exception as error:
                expected = isinstance(error, CnnkitError | ValueError)
                if not expected:
                    traceback.print_exc()
                entry["status"] = "failed"
                entry["error"] = str(error) if expected else f"{type(error).__name__}: {error}"
            self._done, self._part = self._done + 1, 0
            yield self._progress()

    def _explain(self, request: ExplanationRequest, entry: dict[str, Any]) -> Iterator[Progress]:
        entry["status"] = "running"
        network = NetworkRef.parse(request.network)
        key = request.key(network.digest())
        if self.context.results.has(key):
            return
        images = read_frame(self.folder / images_file(request.images))
        if images is None:
            raise StorageError("The images to be explained are no longer kept. Ask again.")
        model = network.open(self.context.networks).model
        if request.check:
            found = yield from self._check(request, model, images, entry)
        else:
            maps = yield from self._maps(request, model, images, entry)
            found = CheckResult({MAPS: maps}, _gaps(request, model, images, maps))
        names = {"arrays": sorted(found.arrays), "seconds": entry["seconds"]}
        self.context.results.write(key, names | found.card, found.arrays)

    def _maps(
        self, request: ExplanationRequest, model: Any, images: np.ndarray, entry: dict[str, Any]
    ) -> Generator[Progress, None, np.ndarray]:
        method = get_method(request.method)
        steps = method.steps(model, images, request.target, **request.options)
        return (yield from self._timed(steps, entry))

    def _check(
        self, request: ExplanationRequest, model: Any, images: np.ndarray, entry: dict[str, Any]
    ) -> Generator[Progress, None, CheckResult]:
        key = request.of_maps().key(NetworkRef.parse(request.network).digest())
        cached = self.context.results.read(key, (MAPS,))
        if cached:
            maps = cached[1][MAPS]
        else:
            maps = yield from self._maps(request, model, images, entry)
        steps = get_check(request.check)(model, images, maps, request)
        return (yield from self._timed(steps, entry))

    def _timed(
        self, steps: Generator[tuple[int, int], None, R], entry: dict[str, Any]
    ) -> Generator[Progress, None, R]:
        """The steps of a method or a check; counts its own seconds, not others'."""
        pace = Pace()
        while True:
            began = time.perf_counter()
            try:
                done, total = next(steps)
            except StopIteration as end:
                return end.value
            finally:
                entry["seconds"] += time.perf_counter() - began
            pace.add(done)
            entry |= {"batch": done, "batches": total, "left": pace.seconds_left(total - done)}
            self._part = PARTS * done // total
            yield self._progress()

    def _progress(self) -> Progress:
        count = len(self.requests)
        step = PARTS * self._done + self._part
        return Progress(epoch=self._done, epochs=count, step=step, steps=PARTS * count)

    def obey(self, command: str, values: Mapping[str, Any]) -> Progress:
        """See `SessionTask`: it knows "restart" alone."""
        if command != "restart":
            raise refused(command, "An explanation")
        self._begin_anew()
        return self._progress()

    def frame(self) -> np.ndarray | None:
        """The maps are among the results."""
        return None

    def details(self) -> dict[str, Any]:
        """How each request stands: status, error, seconds, batch, batches, left."""
        return {"entries": self._entries}


def _gaps(
    request: ExplanationRequest, model: Any, images: np.ndarray, maps: np.ndarray
) -> dict[str, Any]:
    """The completeness gaps of integrated gradients; of another method there are none."""
    if request.method != "integrated_gradients":
        return {}
    how = {name: request.options[name] for name in GAP_OPTIONS if name in request.options}
    return {"gaps": completeness_gap(model, images, maps, request.target, **how).tolist()}


def _entry() -> dict[str, Any]:
    return {
        "status": "queued",
        "error": "",
        "seconds": 0.0,  # its own
        "batch": 0,
        "batches": 0,
        "left": None,  # seconds, about
    }
