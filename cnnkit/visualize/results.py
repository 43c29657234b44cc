"""Finished images on disk, by what made them; bounded, the least recently used go first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cnnkit.files import BoundedFolder
from cnnkit.visualize.plan import Plan

VERSION = 2  # of what a plan means; raised when the same plan gives another image
IMAGES, CARD = "images", "card.json"
ELSEWHERE = "elsewhere"  # file in an entry that another machine has made, and key of its card


@dataclass(frozen=True, eq=False)
class OptimizationResult:
    """The end of an optimization."""

    plan: Plan
    images: np.ndarray  # float32 (images, height, width, channels)
    card: dict[str, Any]  # plain values: curves, notes, seconds


class ResultsElsewhere(Protocol):
    """The results that other machines have made and shared."""

    def __contains__(self, key: str) -> bool:
        """Whether a result can be fetched."""
        ...

    def fetch(self, key: str, folder: Path) -> None:
        """Write the files of a result into a folder."""
        ...


class ResultCache(BoundedFolder):
    """A bounded folder of results, each a card and its arrays.

    Args:
        folder: made when needed.
        max_bytes: on disk, of all results together.
        elsewhere: results of other machines; None: there are no others.
    """

    def __init__(self, folder: Path, max_bytes: int, elsewhere: ResultsElsewhere | None = None):
        """Touch nothing yet."""
        super().__init__(folder, max_bytes)
        self._elsewhere = elsewhere

    def key(self, weights: str, plan: Plan) -> str:
        """The name of a result, from the digest of the network's weights and the plan."""
        text = f"{VERSION}\n{weights}\n{plan.to_json()}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def get(self, key: str) -> OptimizationResult | None:
        """A result, or None. One that is damaged is removed."""
        entry = self.read(key, (IMAGES,))
        if entry is None:
            return None
        card, arrays = entry
        try:
            plan = Plan.from_dict(card.pop("plan"))
        except (ValueError, KeyError):
            self.remove(key)
            return None
        card["curves"] = _current_columns(card.get("curves", {}), plan)
        return OptimizationResult(plan, arrays[IMAGES], card)

    def put(self, key: str, result: OptimizationResult) -> None:
        """Write a result."""
        card = {**result.card, "plan": result.plan.to_dict()}
        self.write(key, card, {IMAGES: result.images.astype(np.float32)})

    def has(self, key: str) -> bool:
        """Whether an entry is there, without reading it; one of another machine is fetched."""
        return (self.folder / key / CARD).exists() or self._fetched(key)

    def read(
        self, key: str, names: Sequence[str]
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """A card and its named arrays, or None. An entry that is damaged is removed.

        The card of a result that another machine has made says so under "elsewhere".
        """
        entry = self.folder / key
        try:
            card = json.loads((entry / CARD).read_text("utf-8"))
            arrays = {name: np.load(_file(entry, name), allow_pickle=False) for name in names}
            self.touch(key)
            if (entry / ELSEWHERE).exists():
                card[ELSEWHERE] = True
            return card, arrays
        except FileNotFoundError:
            here = (entry / CARD).exists()
            return self.read(key, names) if not here and self._fetched(key) else None
        except (ValueError, EOFError):
            self.remove(key)
            return None

    def write(self, key: str, card: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Write an entry aside, then rename it, so that none is ever half there.

        An entry that is there stays, for equal keys stand for equal results.
        """
        with self.adding(key) as aside:
            for name, array in arrays.items():
                np.save(aside / f"{name}.npy", array)
            (aside / CARD).write_text(json.dumps(card), "utf-8")
        self.shrink()

    def _fetched(self, key: str) -> bool:
        if self._elsewhere is None or key not in self._elsewhere:
            return False
        with self.adding(key) as aside:
            self._elsewhere.fetch(key, aside)
            (aside / ELSEWHERE).touch()
        self.shrink(keep=[key])
        return True


def _current_columns(curves: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Curves by the names of the plan's terms; older versions wrote "terms/0" and so on."""
    names = {f"terms/{n}": name for n, name in enumerate(plan.names("objective"))}
    return {names.get(column, column): values for column, values in curves.items()}


def _file(entry: Path, name: str) -> Path:
    path, former = entry / f"{name}.npy", entry / "pictures.npy"
    # Earlier versions called images pictures, and an entry that is there is not written again.
    return former if name == IMAGES and not path.exists() and former.exists() else path
