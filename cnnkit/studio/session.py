"""One optimisation in the child: its steps, what is kept of them, and what is told."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.errors import CnnkitError
from cnnkit.studio import status
from cnnkit.studio.status import Look
from cnnkit.visualize.fooling import as_shown
from cnnkit.visualize.optimize import Maximization, OptimizationStep
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.results import OptimizationResult
from cnnkit.visualize.step import CompiledSteps, as_numbers

TELL_SECONDS = 0.2  # between two frames
POINTS = 400  # of each curve
KEPT_BYTES = 128 * 2**20  # of the states that can be gone back to
MOST_KEPT, FEWEST_KEPT = 24, 4
NOTES = 8


class Session:
    """Steps, one at a time, with what a page needs to follow them.

    Args:
        folder: what it tells goes there.
        plan: what to do.
        image: float32 (images, height, width, channels) to begin with; None: noise.
        key: of the result.
        title: for the record; "": it is not recorded.
    """

    def __init__(
        self, folder: Path, plan: Plan, image: np.ndarray | None, key: str, title: str = ""
    ):
        """Wait for a network."""
        self.folder = folder
        self.plan = plan
        self.key = key
        self.title = title
        self.status = status.WAITING
        self.place = 0
        self.reason = ""
        self.run = ""
        self.steered = False  # away from the plan it began with: the key is not its own
        self._image = image
        self._running: Maximization | None = None
        self._last: OptimizationStep | None = None
        self._curves: list[dict[str, float]] = []
        self._kept: OrderedDict[int, Any] = OrderedDict()
        self._stride = 1
        self._notes: list[str] = []
        self._told, self._shown = 0.0, 0  # when, and which step
        self._seconds: list[float] = []
        folder.mkdir(parents=True, exist_ok=True)

    # What it does

    def open(self, engines: CompiledSteps) -> None:
        """Begin with a network; the first step compiles."""
        self._running = Maximization(engines, self.plan, images=self._image)
        self.status = status.RUNNING
        self._keep(0)
        self.tell(frame=True)

    def advance(self) -> None:
        """One step. The end is not told here, but once the result is kept."""
        if self._running is None:
            raise ValueError("A session takes steps after `open`.")
        began = time.perf_counter()
        self._last = self._running.step()
        self._seconds = [*self._seconds[-9:], time.perf_counter() - began]
        self._remember(self._last)
        over = self._last.number >= self.plan.steps
        if self._last.number % self._stride == 0 or over:
            self._keep(self._last.number)
        if over:
            self.status = "finished"
        if not over:
            self.tell(frame=self._due())

    def fail(self, error: Exception) -> None:
        """Say why it cannot go on; what was reached stays."""
        self.status = "failed"
        known = isinstance(error, CnnkitError | ValueError)
        self.reason = str(error) if known else f"{type(error).__name__}: {error}"
        self.tell(frame=self._last is not None)

    # What is asked of it

    def steer(self, numbers: Mapping[str, Any]) -> None:
        """Turn numbers of the plan."""
        turned = as_numbers(numbers)
        if self._running:
            self._running.steer(turned)
            self.plan = self._running.plan
        else:
            self.plan = self.plan.turned(turned)
        self.steered = True
        self._told = -np.inf  # what it does is to be seen with the next step
        if self.status != status.RUNNING:
            self.tell()

    def extend(self, steps: int) -> None:
        """Let it end later, or earlier."""
        values = {**self.plan.to_dict(), "steps": int(steps)}
        self.plan = Plan.from_dict(values)
        if self._running:
            self._running.plan = self.plan
        self.steered = True

    def go_back(self, number: int) -> None:
        """Go on from a step that was kept; what came after it is forgotten."""
        if self._running is None or number not in self._kept:
            raise ValueError(f"Step {number} was not kept. There are: {list(self._kept)}.")
        self._running.go_back(self._kept[number])
        self._curves = [row for row in self._curves if row["step"] <= number]
        for later in [kept for kept in self._kept if kept > number]:
            del self._kept[later]
            status.kept_path(self.folder, later).unlink(missing_ok=True)
        self.steered = True
        self.status = status.PAUSED
        self.tell(frame=True)

    def restart(self, seed: int) -> None:
        """Begin anew with other noise and the numbers as they are now."""
        if self._running is None:
            return
        self.plan = Plan.from_dict({**self.plan.to_dict(), "seed": int(seed)})
        self._running.plan = self.plan
        self._running.go_back(self._running.engine.begin(self.plan))
        self._curves, self._notes, self._stride = [], [], 1
        for number in list(self._kept):
            status.kept_path(self.folder, number).unlink(missing_ok=True)
        self._kept.clear()
        self._keep(0)
        self.steered = True
        self.status = status.RUNNING
        self.tell(frame=True)

    # What it tells

    def tell(self, *, frame: bool = False) -> None:
        """Write down how it stands, and the image too."""
        if frame and self._running:
            status.write_frame(self.folder / status.FRAME, self.shown())
            self._told, self._shown = time.perf_counter(), self.number
        status.write_look(self.folder, self.look())

    def look(self) -> Look:
        """How it stands."""
        rates = self._last.rates if self._last else np.ones(1)
        return Look(
            status=self.status,
            place=self.place,
            number=self.number,
            shown=self._shown,
            steps=self.plan.steps,
            seconds_per_step=float(np.median(self._seconds)) if self._seconds else 0.0,
            learning_rate=float(self.plan.optimizer.numbers["learning_rate"]),  # pyright: ignore
            rate=float(rates.min()),
            plan=self.plan.to_dict(),
            curves=self.curves(),
            kept=list(self._kept),
            notes=self._notes[-NOTES:],
            reason=self.reason,
            run=self.run,
            key="" if self.steered else self.key,
        )

    @property
    def steps(self) -> int:
        """Asked for."""
        return self.plan.steps

    @property
    def number(self) -> int:
        """Steps done."""
        return self._running.state.number if self._running else 0

    def shown(self) -> np.ndarray:
        """The images as people see them: uint8 (images, height, width, channels)."""
        return as_shown(self.images(), self.plan)

    def images(self) -> np.ndarray:
        """The images as they are: float32."""
        if self._running is None:
            raise ValueError("A session has images after `open`.")
        return self._running.engine.images(self._running.state.stored)

    def result(self) -> OptimizationResult:
        """What is kept of it."""
        card = {
            "curves": self.curves(),
            "notes": self._notes,
            "seconds": float(np.sum(self._seconds)),
        }
        return OptimizationResult(self.plan, self.images(), card)

    def _due(self) -> bool:
        return time.perf_counter() - self._told >= TELL_SECONDS

    def _remember(self, step: OptimizationStep) -> None:
        row = {"step": float(step.number)}
        # Under the term's place and not its name, which turns with its numbers.
        row |= {f"terms/{n}": float(np.mean(v)) for n, v in enumerate(step.values.values())}
        row["gradient_norm"] = float(np.mean(step.gradient_norm))
        self._curves.append(row)
        if len(self._curves) > 2 * POINTS:
            self._curves = self._curves[::2]
        self._notes += [f"Step {step.number}: {note}" for note in step.notes]
        del self._notes[: -4 * NOTES]

    def curves(self) -> dict[str, list[float]]:
        """Each term, the gradient norm and the steps they belong to, thinned."""
        thin = self._curves[:: max(1, len(self._curves) // POINTS)]
        if self._curves and thin[-1] is not self._curves[-1]:
            thin.append(self._curves[-1])
        names = thin[0] if thin else {}
        return {name: [row[name] for row in thin] for name in names}

    def _keep(self, number: int) -> None:
        if self._running is None:
            return
        state = self._running.state
        self._kept[number] = state
        status.write_frame(status.kept_path(self.folder, number), self.shown())
        size = 4 * sum(int(np.prod(t.shape)) for t in (state.stored, *state.remembered))
        room = int(np.clip(KEPT_BYTES // size, FEWEST_KEPT, MOST_KEPT))
        if len(self._kept) <= room:
            return
        # Every second goes, and from now on half as many come; the first and last stay.
        self._stride *= 2
        for old in [n for n in self._kept if n % self._stride and n != number]:
            del self._kept[old]
            status.kept_path(self.folder, old).unlink(missing_ok=True)
