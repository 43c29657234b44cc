"""One dream in the child: its steps, and what is told of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cnnkit.errors import CnnkitError
from cnnkit.studio import status
from cnnkit.studio.status import Look
from cnnkit.visualize.deepdream import DreamStep, dream
from cnnkit.visualize.deepdream_presets import Dream
from cnnkit.visualize.fooling import to_8bit
from cnnkit.visualize.step import CompiledSteps

TELL_SECONDS = 0.2  # between two frames


class DreamSession:
    """Steps of a dream, one at a time. It can be paused and stopped, not steered.

    Args:
        folder: what it tells goes there.
        plan: how to dream.
        image: float32 (height, width, channels), 0 to 255.
        guided_by: the same, of a second image; None: the image alone.
    """

    key, steered = "", True  # nothing of it is kept by what made it

    def __init__(self, folder: Path, plan: Dream, image: np.ndarray, guided_by: np.ndarray | None):
        """Wait for a network."""
        self.folder = folder
        self.dream = plan
        self.status = status.WAITING
        self.place = 0
        self.reason = ""
        self.steps = plan.steps * max(1, plan.octaves)
        self.number = 0
        self._image = image
        self._guided_by = guided_by
        self._steps: Iterator[DreamStep] = iter(())
        self._last: DreamStep | None = None
        self._values: list[tuple[int, float]] = []
        self._seconds: list[float] = []
        self._told = 0.0
        folder.mkdir(parents=True, exist_ok=True)

    def open(self, engines: CompiledSteps) -> None:
        """Begin with a network; the first step of each octave compiles."""
        self._steps = dream(engines.model, self._image, self.dream, guided_by=self._guided_by)
        self.status = status.RUNNING
        self.tell(frame=True)

    def advance(self) -> None:
        """One step, or the end."""
        began = time.perf_counter()
        step = next(self._steps, None)
        if step is None:
            self.status, self.number = "finished", self.steps
        else:
            self._last, self.number, self.steps = step, step.number, step.steps
            self._seconds = [*self._seconds[-9:], time.perf_counter() - began]
            self._values.append((step.number, step.value))
        over = self.status == "finished"
        self.tell(frame=over or time.perf_counter() - self._told >= TELL_SECONDS)

    def fail(self, error: Exception) -> None:
        """Say why it cannot go on; what was reached stays."""
        self.status = "failed"
        known = isinstance(error, CnnkitError | ValueError)
        self.reason = str(error) if known else f"{type(error).__name__}: {error}"
        self.tell(frame=self._last is not None)

    def tell(self, *, frame: bool = False) -> None:
        """Write down how it stands, and the image too."""
        if frame:
            image = self._image if self._last is None else self._last.image
            status.write_frame(self.folder / status.FRAME, to_8bit(image)[None])
            self._told = time.perf_counter()
        status.write_look(self.folder, self.look())

    def look(self) -> Look:
        """How it stands."""
        curves = {
            "step": [float(number) for number, _ in self._values],
            "value": [value for _, value in self._values],
        }
        octave = f"octave {self._last.octave} of {self._last.octaves}" if self._last else ""
        return Look(
            status=self.status,
            place=self.place,
            number=self.number,
            steps=self.steps,
            seconds_per_step=float(np.median(self._seconds)) if self._seconds else 0.0,
            learning_rate=self.dream.learning_rate,
            curves=curves,
            notes=[octave] if octave else [],
            reason=self.reason,
        )

    def images(self) -> np.ndarray:
        """The image: float32 (1, height, width, channels)."""
        return (self._image if self._last is None else self._last.image)[None]
