"""Outputs of frozen layers, computed once and cached on disk by all that decides them.

An entry is one variant of every image of a data set, of which only the rows that were
needed are filled: a file of features with holes, and one byte a row that says whether it is
there. A batch is written to the first file, then marked in the second, so that a crash loses
at most one batch. Which images are for training does not matter: splits share entries.
"""

from __future__ import annotations

import hashlib
import json
import os
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.errors import LimitError
from cnnkit.files import BoundedFolder, disk_size

VERSION = 1  # of what is computed; raised when the same key would stand for other numbers
FEATURES, DONE, CARD = "features.npy", "done.npy", "card.json"


@dataclass(frozen=True, kw_only=True)
class FeatureKey:
    """All that decides what is computed for one variant of every image."""

    images: str  # fingerprint of the data set's pixels
    base: str  # digest of the frozen layers and their weights
    size: tuple[int, int]  # (height, width) that images are resized to
    augmentation: Mapping[str, Any]  # of this variant; empty: the image as it is
    variant: int  # seed of what is drawn
    dtype: str  # "float16" or "float32"

    def digest(self) -> str:
        """The name of its entry."""
        values = {"trunk" if name == "base" else name: v for name, v in vars(self).items()}
        text = json.dumps([VERSION, values], sort_keys=True)  # "trunk": its name in version 1
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class FeatureEntry:
    """Features of one variant; some rows may still be missing.

    Args:
        folder: of the entry, which exists.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.features = np.load(folder / FEATURES, mmap_mode="r")
        self._done = np.load(folder / DONE, mmap_mode="r+")
        # Written through a descriptor: a full disk is an error there, and a crash in a map.
        self._file = os.open(folder / FEATURES, os.O_RDWR)
        weakref.finalize(self, os.close, self._file)
        os.utime(folder)

    def missing(self, rows: np.ndarray) -> np.ndarray:
        """Those of some rows that are not computed, in their order."""
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


class FeatureCache(BoundedFolder):
    """A bounded folder of entries, which grow while their rows are filled."""

    def open(self, key: FeatureKey, images: int, shape: Sequence[int]) -> FeatureEntry:
        """The entry of a key for all images of a data set, new and empty if there is none."""
        if not self.has(key):
            self._make(key, (images, *shape))
        return FeatureEntry(self.path(key.digest()))

    def has(self, key: FeatureKey) -> bool:
        """Whether there is an entry, however much of it is filled."""
        return self._intact(key.digest())

    def make_room(self, needed: int, keep: Iterable[FeatureKey]) -> None:
        """Remove old entries until so many bytes more fit beside those that are kept.

        Raises:
            LimitError: they never would.
        """
        names = {key.digest() for key in keep}
        total = needed + sum(disk_size(self.path(digest)) for digest in names)
        if total > self.max_bytes:
            raise LimitError(
                f"The feature cache would take {total / 2**20:,.0f} MB, and "
                f"{self.max_bytes / 2**20:,.0f} MB are allowed. Use fewer variants, "
                "train without the cache, or raise CNNKIT_FEATURES_MEMORY."
            )
        self.shrink(needed, keep=names)

    def _intact(self, digest: str) -> bool:
        """Whether an entry is there and undamaged; a damaged one is removed."""
        folder = self.path(digest)
        try:
            with (folder / CARD).open("rb") as file:
                rows, *shape = json.load(file)["shape"]
            features = np.load(folder / FEATURES, mmap_mode="r")
            done = np.load(folder / DONE, mmap_mode="r")
            if features.shape == (rows, *shape) and done.shape == (rows,):
                return True
        except (ValueError, EOFError, OSError, KeyError):
            pass  # not there, or damaged
        self.remove(digest)
        return False

    def _make(self, key: FeatureKey, shape: tuple[int, ...]) -> None:
        with self.adding(key.digest()) as aside:
            # New files of zeros: what is not written takes no room on disk.
            np.lib.format.open_memmap(aside / FEATURES, "w+", np.dtype(key.dtype), shape)
            np.lib.format.open_memmap(aside / DONE, "w+", np.uint8, shape[:1])
            (aside / CARD).write_text(json.dumps(vars(key) | {"shape": shape}), "utf-8")
