"""A session that optimizes images: steered while it runs, with steps that can be gone back to."""

from __future__ import annotations

import csv
import tempfile
import traceback
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from cnnkit.errors import JobError
from cnnkit.jobs.kinds import IMAGE_RUN, RECORDED_IMAGE, snapshot_file
from cnnkit.jobs.sessions import read_frame, read_order, refused, write_frame
from cnnkit.networks import NetworkRef
from cnnkit.people import Person
from cnnkit.runs import Progress, Status, shared_store
from cnnkit.settings import Settings
from cnnkit.visualize.components import as_numbers
from cnnkit.visualize.fooling import as_shown
from cnnkit.visualize.optimize import Maximization, OptimizationStep
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.results import OptimizationResult

if TYPE_CHECKING:
    from cnnkit.jobs.session_server import WorkerContext

PLAN, CURVES = "plan.json", "curves.csv"  # beside a recorded image
POINTS = 400  # of each curve
SNAPSHOT_BYTES = 128 * 2**20  # of the states that can be gone back to
MOST_SNAPSHOTS, FEWEST_SNAPSHOTS = 24, 4
NOTES = 8


class OptimizeTask:
    """Activation maximization, step by step.

    Commands: "steer" (numbers of the plan by their keys, and the target's description),
    "set_steps", "go_back" (to a step with a snapshot), "restart" (with a seed).

    Args:
        spec: "network", "plan"; "title" under which the end is recorded as a run, "" for not;
            "address" of the page; "target", which is kept for the page.
        folder: of the session; `image.npy` in it is begun with, else noise.
        context: of the process.
    """

    quick = False

    def __init__(self, spec: Mapping[str, Any], folder: Path, context: WorkerContext):
        self.folder, self.context = folder, context
        self.network = NetworkRef.parse(spec["network"])
        self.plan = Plan.from_dict(spec["plan"])
        self.title, self.address = spec["title"], spec["address"]
        self.target = spec["target"]
        self.key = ""  # of the finished result
        self.run = ""  # of its record
        self.steered = False  # away from the plan it began with: the result is not the plan's own
        self._image = read_frame(folder / "image.npy")
        self._running: Maximization | None = None
        self._last: OptimizationStep | None = None
        self._curves: list[dict[str, float]] = []
        self._snapshots: OrderedDict[int, Any] = OrderedDict()
        self._stride = 1
        self._notes: list[str] = []

    # What it does

    def events(self) -> Iterator[Progress]:
        """Open the network, take the steps that are left, and keep the result."""
        if self._running is None:
            opened = self.network.open(self.context.networks)
            engines = self.context.engines(opened)
            self._running = Maximization(engines, self.plan, images=self._image)
            self._snapshot(0)
            yield self._progress()
        while self._running.state.number < self.plan.steps:
            self._last = self._running.step()
            self._remember(self._last)
            number = self._last.number
            if number % self._stride == 0 or number >= self.plan.steps:
                self._snapshot(number)
            yield self._progress()
        self._keep()

    def obey(self, command: str, values: Mapping[str, Any]) -> Progress:
        """See `SessionTask`."""
        act = {
            "steer": self._steer,
            "set_steps": self._set_steps,
            "go_back": self._go_back,
            "restart": self._restart,
            "recorded": self._recorded,
        }.get(command)
        if act is None:
            raise refused(command, "An optimization")
        act(**values)
        return self._progress()

    def _steer(self, numbers: Mapping[str, Any], target: Any = None) -> None:
        numbers = as_numbers(numbers)
        if self._running:
            self._running.steer(numbers)
            self.plan = self._running.plan
            self.steered = True
        else:
            self.plan = self.plan.turned(numbers)
        self.target = target or self.target

    def _set_steps(self, steps: int) -> None:
        self._replan(steps=int(steps))

    def _go_back(self, step: int) -> None:
        if self._running is None or step not in self._snapshots:
            raise ValueError(f"Step {step} has no snapshot. There are: {list(self._snapshots)}.")
        self._running.go_back(self._snapshots[step])
        self._curves = [row for row in self._curves if row["step"] <= step]
        for later in [number for number in self._snapshots if number > step]:
            self._drop_snapshot(later)
        self.steered = True
        self.key = self.run = ""

    def _restart(self, seed: int | None = None) -> None:
        self._replan(seed=self.plan.seed if seed is None else int(seed))
        self._curves, self._notes, self._last, self._stride = [], [], None, 1
        for number in list(self._snapshots):
            self._drop_snapshot(number)
        self._running, self.steered = None, False
        self.key = self.run = ""

    def _recorded(self, run: str, reason: str) -> None:
        self.run = run
        if reason:
            raise JobError(reason)

    def _replan(self, **changes: Any) -> None:
        self.plan = Plan.from_dict(self.plan.to_dict() | changes)
        if self._running:
            self._running.plan = self.plan

    # What it tells

    def details(self) -> dict[str, Any]:
        """The plan as it is now, curves, notes, snapshots, and where the result is."""
        rates = self._last.rates if self._last else np.ones(1)
        return {
            "plan": self.plan.to_dict(),
            "target": self.target,
            "steered": self.steered,
            "curves": self.curves(),
            "snapshots": list(self._snapshots),
            "notes": self._notes[-NOTES:],
            "rate": float(rates.min()),  # the smallest of what steps are multiplied by
            "key": self.key,
            "run": self.run,
        }

    def frame(self) -> np.ndarray | None:
        """The images as people see them: uint8 (images, height, width, channels)."""
        return as_shown(self.images(), self.plan) if self._running else None

    @property
    def begun(self) -> bool:
        """Whether there are images yet."""
        return self._running is not None

    def images(self) -> np.ndarray:
        """The images as they are: float32."""
        if self._running is None:
            raise JobError("There are no images before the first step.")
        return self._running.engine.images(self._running.state.stored)

    def curves(self) -> dict[str, list[float]]:
        """Each term, the gradient norm and the steps they belong to, thinned."""
        thin = self._curves[:: max(1, len(self._curves) // POINTS)]
        if self._curves and thin[-1] is not self._curves[-1]:
            thin.append(self._curves[-1])
        names = thin[0] if thin else {}
        return {name: [row[name] for row in thin] for name in names}

    def _progress(self) -> Progress:
        step = self._running.state.number if self._running else 0
        return Progress(step=step, steps=self.plan.steps)

    def _remember(self, step: OptimizationStep) -> None:
        row = {"step": float(step.number)}
        # A term's description changes with its numbers; its name in the plan does not.
        names = self.plan.names("objective")
        terms = zip(names, self.plan.objective.terms, strict=True)
        row |= {name: float(np.mean(step.values[str(term)])) for name, (_, term) in terms}
        row["gradient_norm"] = float(np.mean(step.gradient_norm))
        self._curves.append(row)
        if len(self._curves) > 2 * POINTS:
            self._curves = self._curves[::2]
        self._notes += [f"Step {step.number}: {note}" for note in step.notes]
        del self._notes[: -4 * NOTES]

    # What it keeps

    def _snapshot(self, number: int) -> None:
        if self._running is None:
            return
        state = self._running.state
        self._snapshots[number] = state
        write_frame(self.folder / snapshot_file(number), as_shown(self.images(), self.plan))
        size = 4 * sum(int(np.prod(t.shape)) for t in (state.stored, *state.remembered))
        room = int(np.clip(SNAPSHOT_BYTES // size, FEWEST_SNAPSHOTS, MOST_SNAPSHOTS))
        if len(self._snapshots) <= room:
            return
        # Every second goes, and from now on half as many come; the first and last stay.
        self._stride *= 2
        for old in [n for n in self._snapshots if n % self._stride and n != number]:
            self._drop_snapshot(old)

    def _drop_snapshot(self, number: int) -> None:
        del self._snapshots[number]
        (self.folder / snapshot_file(number)).unlink(missing_ok=True)

    def _keep(self) -> None:
        """Put the result where its plan finds it, and record it as a run."""
        if self._image is None and not self.steered:
            self.key = self.context.results.key(self.network.digest(), self.plan)
            card = {"curves": self.curves(), "notes": self._notes}
            self.context.results.put(self.key, OptimizationResult(self.plan, self.images(), card))
        if self.title:
            frame, curves, plan = as_shown(self.images(), self.plan), self.curves(), self.plan
            spec = {
                "network": str(self.network),
                # The plan itself may be longer than the record's tags; it is a file beside it.
                "objective": str(plan.objective)[:1000],
                "steps": plan.steps,
                "seed": plan.seed,
                "address": {**self.address, "seed": str(plan.seed)},
            }

            _, _, owner = read_order(self.folder)
            settings = self.context.settings

            def work() -> dict[str, Any]:
                return _record(settings, owner, self.title, spec, frame, curves, plan)

            # MLflow takes seconds to import; others' images go on meanwhile.
            self.context.later(self.folder.name, "recorded", work)


def _record(
    settings: Settings,
    owner: Person,
    title: str,
    spec: Mapping[str, Any],
    frame: np.ndarray,
    curves: Mapping[str, Sequence[float]],
    plan: Plan,
) -> dict[str, Any]:
    """Record a finished image as a run; the run's id, or why there is none."""
    try:
        store = shared_store(settings).acting_for(owner)
        run = store.create(IMAGE_RUN, spec, title, status=Status.FINISHED)
        with tempfile.TemporaryDirectory() as folder:
            for path in _written(Path(folder), frame, curves, plan):
                store.add_artifact(run.id, path)
        last = {name: values[-1] for name, values in curves.items() if values}
        store.set_metrics(run.id, last)
        return {"run": run.id, "reason": ""}
    except Exception as error:
        # A record that is away must not end the images of others.
        traceback.print_exc()
        return {
            "run": "",
            "reason": f"The image is finished but could not be recorded: {error}",
        }


def _written(
    folder: Path, frame: np.ndarray, curves: Mapping[str, Sequence[float]], plan: Plan
) -> list[Path]:
    row = np.concatenate(list(frame), axis=1)
    Image.fromarray(row[..., 0] if row.shape[-1] == 1 else row).save(folder / RECORDED_IMAGE)
    (folder / PLAN).write_text(plan.to_json(), "utf-8")
    with (folder / CURVES).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(curves)
        writer.writerows(zip(*curves.values(), strict=True))
    return [folder / RECORDED_IMAGE, folder / PLAN, folder / CURVES]
