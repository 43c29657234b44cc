"""Finished images on disk, by what made them; bounded, the least used go first."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.visualize.plan import Plan

VERSION = 1  # of what a plan means; raised when the same plan gives another image
IMAGES, CARD = "images", "card.json"


@dataclass(frozen=True, eq=False)
class Result:
    """The end of an optimisation."""

    plan: Plan
    images: np.ndarray  # float32 (images, height, width, channels)
    card: dict[str, Any]  # plain values: curves, notes, seconds


class ResultCache:
    """A folder of results.

    Args:
        folder: made when needed.
        max_bytes: of all entries together.
    """

    def __init__(self, folder: Path, max_bytes: int):
        """Touch nothing yet."""
        self.folder = folder
        self.max_bytes = max_bytes

    def key(self, weights: str, plan: Plan) -> str:
        """The name of a result.

        Args:
            weights: digest of the network.
            plan: what was done.
        """
        text = f"{VERSION}\n{weights}\n{plan.to_json()}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def get(self, key: str) -> Result | None:
        """A result, or None. One that is damaged is removed."""
        found = self.read(key, (IMAGES,))
        if found is None:
            return None
        card, arrays = found
        try:
            return Result(Plan.from_dict(card.pop("plan")), arrays[IMAGES], card)
        except (ValueError, KeyError):
            shutil.rmtree(self.folder / key, ignore_errors=True)
            return None

    def put(self, key: str, result: Result) -> None:
        """Keep a result."""
        card = {**result.card, "plan": result.plan.to_dict()}
        self.write(key, card, {IMAGES: result.images.astype(np.float32)})

    def has(self, key: str) -> bool:
        """Whether an entry is there, without reading it."""
        return (self.folder / key / CARD).exists()

    def read(
        self, key: str, names: Sequence[str]
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """A card and its arrays, or None. An entry that is damaged is removed.

        Args:
            key: of the entry.
            names: of its arrays.
        """
        entry = self.folder / key
        try:
            card = json.loads((entry / CARD).read_text("utf-8"))
            arrays = {name: np.load(entry / f"{name}.npy", allow_pickle=False) for name in names}
            os.utime(entry)
            return card, arrays
        except FileNotFoundError:
            return None
        except (ValueError, EOFError):
            shutil.rmtree(entry, ignore_errors=True)
            return None

    def write(self, key: str, card: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Keep an entry: written aside, then renamed, so that none is ever half there.

        Args:
            key: of the entry; one that is there stays, for equal keys stand for equal results.
            card: plain values.
            arrays: by name.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f".{uuid.uuid4().hex}"
        aside.mkdir()
        for name, array in arrays.items():
            np.save(aside / f"{name}.npy", array)
        (aside / CARD).write_text(json.dumps(card), "utf-8")
        try:
            aside.rename(self.folder / key)
        except OSError:  # another process was first, with the same
            shutil.rmtree(aside, ignore_errors=True)
        self._shrink()

    def _shrink(self) -> None:
        entries = [entry for entry in self.folder.iterdir() if not entry.name.startswith(".")]
        sizes = {entry: _size(entry) for entry in entries}
        held = sum(sizes.values())
        for entry in sorted(entries, key=_used):
            if held <= self.max_bytes:
                return
            shutil.rmtree(entry, ignore_errors=True)
            held -= sizes[entry]


def _size(entry: Path) -> int:
    # Another process may be removing it meanwhile.
    return sum(f.stat().st_size for f in entry.glob("*") if f.exists())


def _used(entry: Path) -> float:
    return entry.stat().st_mtime if entry.exists() else 0.0
