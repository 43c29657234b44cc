"""Images or features that lie in files: rows of them are read when a batch needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnkit.datasets import Dataset


@dataclass(frozen=True, eq=False)
class Stored:
    """Some rows of an array on disk, or of several arrays with variants of the same rows.

    Args:
        variants: memory-mapped arrays of one shape, (rows, …); the first is the one to
            validate and test on.
        rows: which ones, int64, in their order.
        seed: of the choice of variants.
    """

    variants: Sequence[np.ndarray]
    rows: np.ndarray
    seed: int = 0

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, …)."""
        return (len(self.rows), *self.variants[0].shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """Of every variant."""
        return self.variants[0].dtype

    def __getitem__(self, where: slice | np.ndarray) -> np.ndarray:
        """Rows of the first variant, read into memory."""
        return np.asarray(self.variants[0][self.rows[where]])

    def read(self, indices: np.ndarray, batch: int) -> np.ndarray:
        """Rows of a batch, each of a variant that follows from (seed, batch).

        Args:
            indices: into `rows`.
            batch: number of the batch since training began, 0-based.
        """
        if len(self.variants) == 1:
            return self[indices]
        generator = np.random.default_rng((self.seed, int(batch)))
        chosen = generator.integers(len(self.variants), size=len(indices))
        values = np.empty((len(indices), *self.shape[1:]), self.dtype)
        for number, variant in enumerate(self.variants):
            here = chosen == number
            values[here] = variant[self.rows[indices[here]]]
        return values


Images = np.ndarray | Stored


def part_of(dataset: Dataset, name: str) -> tuple[Images, np.ndarray]:
    """Images and labels of a part, without reading those that lie in a file."""
    if not isinstance(dataset.images, np.memmap):
        return dataset.part(name)
    rows = dataset.indices(name)
    return Stored((dataset.images,), rows), dataset.labels[rows]
