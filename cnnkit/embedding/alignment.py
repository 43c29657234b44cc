"""Procrustes alignment: two embeddings of the same images, one laid over the other.

A projection is free to turn, mirror, move and scale its plane. Only what is left after the best of
these is a difference between two embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnnkit.errors import IncompatibleError


@dataclass(frozen=True, eq=False)
class Alignment:
    """One embedding laid over another."""

    coordinates: np.ndarray  # float32 (points, 2), of the moved one, as spread out as the other
    disparity: float  # 0: the same shape; 1: nothing in common


def align(moving: np.ndarray, fixed: np.ndarray) -> Alignment:
    """Move, scale, turn and mirror points so that they lie as close as possible to others.

    Args:
        moving: float (points, 2).
        fixed: float (points, 2), of the same images in the same order.

    Raises:
        IncompatibleError: the numbers of points differ, or all points of one coincide.

    Reference:
        Schönemann, Carroll 1970, "Fitting one matrix to another under choice of a central dilation
        and a rigid motion".
    """
    from scipy.linalg import orthogonal_procrustes

    if moving.shape != fixed.shape:
        raise IncompatibleError(
            f"Two embeddings can be compared if they show the same images. Received: "
            f"{len(moving):,} and {len(fixed):,} images."
        )
    center = fixed.mean(axis=0, dtype=np.float64)
    target = fixed - center
    source = moving - moving.mean(axis=0, dtype=np.float64)
    size, spread = np.linalg.norm(source), np.linalg.norm(target)
    if not size or not spread:
        raise IncompatibleError("All points of an embedding coincide, so it cannot be aligned.")
    rotation, overlap = orthogonal_procrustes(source / size, target / spread)
    # The scale of least squares would shrink one that has little in common with the other to a dot.
    aligned = spread / size * source @ rotation + center
    return Alignment(aligned.astype(np.float32), float(1 - overlap**2))
