"""Agreement: whether maps of several methods name the same pixels.

Maps are compared by their magnitudes: some methods have signs, others have none. Krishna et al.
2022, "The Disagreement Problem in Explainable Machine Learning".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cnnkit.errors import IncompatibleError
from cnnkit.explain.faithfulness import importance_order


@dataclass(frozen=True, eq=False)
class Agreement:
    """How much the maps of each two methods agree, the mean over the images."""

    names: tuple[str, ...]
    correlations: np.ndarray  # float64 (methods, methods): of ranks, -1 to 1
    overlaps: np.ndarray  # float64 (methods, methods): of the most important pixels, 0 to 1


def agreement(maps: Mapping[str, np.ndarray], share: float = 0.1) -> Agreement:
    """Compare methods on the same images.

    Args:
        maps: method → float32 (images, height, width).
        share: how many pixels count as the most important ones, 0 to 1.

    Raises:
        IncompatibleError: the maps have different shapes, or there are none.
    """
    names, values = tuple(maps), [np.asarray(one) for one in maps.values()]
    if not values or any(one.shape != values[0].shape or one.ndim != 3 for one in values):
        raise IncompatibleError(
            "`maps` must be (images, height, width), the same for each method. Received: "
            f"{ {name: one.shape for name, one in zip(names, values, strict=True)} }."
        )
    scores = np.stack([_standard_ranks(one) for one in values], 1)
    tops = np.stack([_most_important(one, share) for one in values], 1).astype(np.float64)
    count = max(1, tops[0, 0].sum())
    return Agreement(
        names,
        np.einsum("imp,inp->imn", scores, scores).mean(0),
        np.einsum("imp,inp->imn", tops, tops).mean(0) / count,
    )


def rank_correlation(maps: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Spearman's correlation of the magnitudes of two maps of each image: float64 (images,).

    Equal values share their mean rank. With a map that is the same everywhere it is 0.

    Args:
        maps: (images, height, width).
        others: the same shape.
    """
    _check_pair(maps, others)
    return (_standard_ranks(maps) * _standard_ranks(others)).sum(1)


def top_overlap(maps: np.ndarray, others: np.ndarray, share: float = 0.1) -> np.ndarray:
    """How many of the most important pixels two maps have in common: float64 (images,), 0 to 1.

    Args:
        maps: (images, height, width).
        others: the same shape.
        share: how many pixels count as the most important ones, 0 to 1.
    """
    _check_pair(maps, others)
    one, other = _most_important(maps, share), _most_important(others, share)
    return (one & other).sum(1) / one.sum(1)


def _standard_ranks(maps: np.ndarray) -> np.ndarray:
    """Ranks of the magnitudes, of mean 0 and length 1: float64 (images, pixels)."""
    from scipy.stats import rankdata

    ranks = rankdata(np.abs(maps).reshape(len(maps), -1), axis=1)
    ranks = ranks - ranks.mean(1, keepdims=True)
    lengths = np.linalg.norm(ranks, axis=1, keepdims=True)
    return ranks / np.where(lengths == 0, 1, lengths)


def _most_important(maps: np.ndarray, share: float) -> np.ndarray:
    """Where the largest magnitudes are: bool (images, pixels)."""
    if not 0 < share < 1:
        raise IncompatibleError(f"`share` must be between 0 and 1. Received: {share}.")
    order = importance_order(np.abs(maps)).reshape(len(maps), -1)
    return order < max(1, round(share * order.shape[1]))


def _check_pair(maps: np.ndarray, others: np.ndarray) -> None:
    if np.shape(maps) != np.shape(others) or np.ndim(maps) != 3:
        raise IncompatibleError(
            "Maps must be (images, height, width), both the same. Received: "
            f"{np.shape(maps)} and {np.shape(others)}."
        )
