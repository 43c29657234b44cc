"""A session that dreams on an image. It can be paused, stopped and restarted, not steered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.jobs.sessions import read_frame, refused
from cnnkit.networks import NetworkRef
from cnnkit.runs import Progress
from cnnkit.visualize.deepdream import DreamStep, dream
from cnnkit.visualize.deepdream_presets import Dream
from cnnkit.visualize.fooling import to_8bit

if TYPE_CHECKING:
    from cnnkit.jobs.session_server import WorkerContext


class DreamTask:
    """DeepDream, step by step.

    Args:
        spec: "network", and "dream", its settings.
        folder: of the session, with the image to start from, `image.npy`, float32 (height, width,
            channels), and perhaps a guide image, `guide.npy`.
        context: of the process.
    """

    quick = False

    def __init__(self, spec: Mapping[str, Any], folder: Path, context: WorkerContext):
        self.context = context
        self.network = NetworkRef.parse(spec["network"])
        self.dream = Dream(**spec["dream"])
        image = read_frame(folder / "image.npy")
        if image is None:
            raise FileNotFoundError(folder / "image.npy")
        self._image, self._guide = image, read_frame(folder / "guide.npy")
        self._last: DreamStep | None = None
        self._values: list[tuple[int, float]] = []

    def events(self) -> Iterator[Progress]:
        """All steps from the first; the first of each octave compiles."""
        self._last, self._values = None, []
        model = self.network.open(self.context.networks).model
        for step in dream(model, self._image, self.dream, guided_by=self._guide):
            self._last = step
            self._values.append((step.number, step.value))
            yield self._progress()

    def obey(self, command: str, values: Mapping[str, Any]) -> Progress:
        """See `SessionTask`: it knows "restart" alone."""
        if command != "restart":
            raise refused(command, "A dream")
        self._last, self._values = None, []
        return self._progress()

    def frame(self) -> np.ndarray:
        """The image: uint8 (1, height, width, channels)."""
        return to_8bit(self._image if self._last is None else self._last.image)[None]

    def details(self) -> dict[str, Any]:
        """The curve, and which octave it is at."""
        octave = f"octave {self._last.octave} of {self._last.octaves}" if self._last else ""
        return {
            "curves": {
                "step": [float(number) for number, _ in self._values],
                "value": [value for _, value in self._values],
            },
            "notes": [octave] if octave else [],
        }

    def _progress(self) -> Progress:
        steps = self.dream.steps * max(1, self.dream.octaves)
        last = self._last
        return Progress(step=last.number, steps=last.steps) if last else Progress(steps=steps)
