"""What a session's folder says: read by pages, written by the child."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

STATE, FRAME, PLAN = "state.json", "frame.npy", "plan.json"
OVER = ("finished", "stopped", "failed", "interrupted")
WAITING, OPENING, RUNNING, PAUSED = "queued", "opening", "running", "paused"


@dataclass(frozen=True, kw_only=True)
class Look:
    """A session as it stands."""

    status: str  # one of the names above
    place: int = 0  # in the queue, 1-based; 0: not waiting
    number: int = 0  # steps done
    shown: int = 0  # step of the frame
    steps: int = 0  # asked for
    seconds_per_step: float = 0.0  # of the last ones
    learning_rate: float = 0.0
    rate: float = 1.0  # the smallest of what steps are multiplied by
    plan: Mapping[str, Any] | None = None  # as it is being climbed now
    curves: Mapping[str, Sequence[float]] | None = None  # "step", each term, "gradient_norm"
    kept: Sequence[int] = ()  # steps that can be gone back to
    notes: Sequence[str] = ()  # the newest last, each with its step
    reason: str = ""  # why it failed
    run: str = ""  # id of the record, once it is kept
    key: str = ""  # of its finished result

    @property
    def over(self) -> bool:
        """Nothing more happens unless somebody starts or goes back."""
        return self.status in OVER

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1: steps, not time."""
        return min(1.0, self.number / self.steps) if self.steps else 0.0


def write_look(folder: Path, look: Look) -> None:
    """Replace what a folder says."""
    # Its fields are plain already: `asdict` would copy every point of every curve.
    write(folder / STATE, json.dumps(vars(look)).encode())


def read_look(folder: Path) -> Look | None:
    """What a folder says; None while it says nothing."""
    try:
        return Look(**json.loads((folder / STATE).read_bytes()))
    except FileNotFoundError:
        return None


def write_frame(path: Path, images: np.ndarray) -> None:
    """Replace a frame: uint8 (images, height, width, channels)."""
    file = io.BytesIO()
    np.save(file, images, allow_pickle=False)
    write(path, file.getvalue())


def read_frame(path: Path) -> np.ndarray | None:
    """A frame, or None while there is none."""
    try:
        return np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except FileNotFoundError:
        return None


def kept_path(folder: Path, number: int) -> Path:
    """Where the frame of a kept step is."""
    return folder / f"kept-{number:06d}.npy"


def write(path: Path, data: bytes) -> None:
    """Write aside, then rename: whoever reads finds the old or the new, never half."""
    aside = path.with_name(f".{path.name}")
    aside.write_bytes(data)
    os.replace(aside, path)
