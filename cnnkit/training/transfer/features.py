"""What frozen layers make of images, computed once and kept on disk by what made it.

An entry is one variant of every image of a data set, of which only the rows that were
needed are filled: a file of features with holes, and one byte a row that says whether it is
there. A batch is written to the first file, then marked in the second, so that a crash loses
at most one batch. Which images are for training does not matter: splits share entries.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.errors import LimitError

VERSION = 1  # of what is computed; raised when the same key would stand for other numbers
FEATURES, DONE, CARD = "features.npy", "done.npy", "card.json"


@dataclass(frozen=True, kw_only=True)
class FeatureKey:
    """All that decides what is computed for one variant of every image."""

    images: str  # fingerprint of the data set's pixels
    trunk: str  # digest of the layers and weights that compute it
    size: tuple[int, int]  # (height, width) that images are brought to
    augmentation: Mapping[str, Any]  # of this variant; empty: the image as it is
    variant: int  # seed of what is drawn
    dtype: str  # "float16" or "float32"

    def digest(self) -> str:
        """The name of its entry."""
        text = json.dumps([VERSION, vars(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class FeatureEntry:
    """Features of one variant, some rows of which may still lack.

    Args:
        folder: of the entry, which exists.
    """

    def __init__(self, folder: Path):
        """Map the files."""
        self.folder = folder
        self.features = np.load(folder / FEATURES, mmap_mode="r")
        self._done = np.load(folder / DONE, mmap_mode="r+")
        # Written through a descriptor: a full disk is an error there, and a crash in a map.
        self._file = os.open(folder / FEATURES, os.O_RDWR)
        weakref.finalize(self, os.close, self._file)
        os.utime(folder)

    def lacking(self, rows: np.ndarray) -> np.ndarray:
        """Of some rows those that are not computed, in their order."""
        return rows[self._done[rows] == 0]

    def write(self, rows: np.ndarray, values: np.ndarray) -> None:
        """Keep the features of some rows, all or none of them.

        Raises:
            OSError: the disk is full.
        """
        offset, row_bytes = self.features.offset, self.features[0].nbytes  # pyright: ignore[reportAttributeAccessIssue]
        for row, value in zip(rows, np.ascontiguousarray(values, self.features.dtype), strict=True):
            os.pwrite(self._file, value.tobytes(), offset + int(row) * row_bytes)
        os.fdatasync(self._file)
        self._done[rows] = 1
        self._done.flush()


class FeatureStore:
    """A folder of entries, bounded; those that were used least recently go first.

    Args:
        folder: made when needed.
        max_bytes: of all entries together.
    """

    def __init__(self, folder: Path, max_bytes: int):
        """Touch nothing yet."""
        self.folder = folder
        self.max_bytes = max_bytes

    def open(self, key: FeatureKey, images: int, shape: Sequence[int]) -> FeatureEntry:
        """The entry of a key, new and empty if there is none.

        Args:
            key: what is in it.
            images: of the data set, all of them.
            shape: of one image's features.
        """
        folder = self.folder / key.digest()
        if not self._whole(folder):
            self._make(folder, key, (images, *shape))
        return FeatureEntry(folder)

    def has(self, key: FeatureKey) -> bool:
        """Whether there is an entry, however much of it is filled."""
        return self._whole(self.folder / key.digest())

    def make_room(self, needed: int, keep: Iterable[FeatureKey]) -> None:
        """Remove old entries until so many bytes more fit beside those that are kept.

        Raises:
            LimitError: they never would.
        """
        kept = {key.digest() for key in keep}
        sizes = {entry: _size(entry) for entry in self._entries()}
        total = needed + sum(size for entry, size in sizes.items() if entry.name in kept)
        if total > self.max_bytes:
            raise LimitError(
                f"The features take {total / 2**20:,.0f} MB, and {self.max_bytes / 2**20:,.0f} MB "
                "are allowed. Take fewer variants, train without the cache, or raise "
                "CNNKIT_FEATURES_MEMORY."
            )
        held = needed + sum(sizes.values())
        for entry in sorted(sizes, key=_used):
            if held <= self.max_bytes:
                return
            if entry.name not in kept:
                shutil.rmtree(entry, ignore_errors=True)
                held -= sizes[entry]

    def _entries(self) -> list[Path]:
        if not self.folder.exists():
            return []
        return [entry for entry in self.folder.iterdir() if not entry.name.startswith(".")]

    def _whole(self, folder: Path) -> bool:
        """Whether an entry is there and undamaged; a damaged one is removed."""
        try:
            with (folder / CARD).open("rb") as file:
                rows, *shape = json.load(file)["shape"]
            features = np.load(folder / FEATURES, mmap_mode="r")
            done = np.load(folder / DONE, mmap_mode="r")
            if features.shape == (rows, *shape) and done.shape == (rows,):
                return True
        except FileNotFoundError:
            pass
        except (ValueError, EOFError, OSError, KeyError):
            pass
        shutil.rmtree(folder, ignore_errors=True)
        return False

    def _make(self, folder: Path, key: FeatureKey, shape: tuple[int, ...]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f".{uuid.uuid4().hex}"
        aside.mkdir()
        # New files of zeros: what is not written takes no room on disk.
        np.lib.format.open_memmap(aside / FEATURES, "w+", np.dtype(key.dtype), shape)
        np.lib.format.open_memmap(aside / DONE, "w+", np.uint8, shape[:1])
        (aside / CARD).write_text(json.dumps(vars(key) | {"shape": shape}), "utf-8")
        try:
            aside.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(aside, ignore_errors=True)


def _size(entry: Path) -> int:
    """Bytes on disk, holes left out; another process may be removing it meanwhile."""
    return sum(512 * file.stat().st_blocks for file in entry.glob("*") if file.exists())


def _used(entry: Path) -> float:
    return entry.stat().st_mtime if entry.exists() else 0.0
