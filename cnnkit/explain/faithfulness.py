"""Deletion and insertion: how the score changes when the pixels a map names are taken or given.

Petsiuk, Das, Saenko 2018, "RISE: Randomized Input Sampling for Explanation of Black-box Models".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.errors import ExplanationError, IncompatibleError
from cnnkit.explain.baselines import baseline_images
from cnnkit.explain.measures import Progress, check_maps, measure
from cnnkit.explain.scores import FORWARD, ScoreModel

if TYPE_CHECKING:
    from cnnkit.explain.targets import AttributionTarget, TargetLike

SAME = 1e-6  # of the larger score: a difference that counts as none


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores of images while their pixels are replaced, the most important ones first."""

    shares: np.ndarray  # float64 (points,): of the pixels that are replaced, 0 to 1
    scores: np.ndarray  # float64 (images, points)

    @property
    def areas(self) -> np.ndarray:
        """The area under each curve, by the trapezoidal rule: float64 (images,)."""
        return np.trapezoid(self.scores, self.shares, axis=1)


@measure
def deletion(
    model: Any,
    images: np.ndarray,
    maps: np.ndarray,
    target: TargetLike = None,
    *,
    steps: int = 50,
    baseline: str | float | np.ndarray = "gray",
    seed: int = 0,
) -> Progress[Curve]:
    """The score while pixels are deleted, the most important ones first.

    A small area speaks for a map: the score falls as soon as what it names is gone.

    Args:
        model: see `Method`.
        images: that were explained.
        maps: float32 (images, height, width); larger means more important.
        target: as for the maps. A class counts by its probability; any other target by its value,
            0 for the baseline and 1 for the image.
        steps: in so many equal parts.
        baseline: what a deleted pixel becomes, see `baseline_images`.
        seed: of the order of pixels with equal values, and of a random baseline.

    Raises:
        IncompatibleError: images or maps do not fit.
        ExplanationError: the target has the same value for image and baseline.
    """
    scores = ScoreModel.of(model)
    images = scores.check_images(images)
    empty = baseline_images(images, baseline, seed=seed)
    resolved = scores.target(images, target)
    order = importance_order(check_maps(maps, images), seed)
    curve = yield from _replacing(scores, images, empty, order, resolved, steps)
    return curve if resolved.of_class else _scaled(curve, full=0, empty=-1)


@measure
def insertion(
    model: Any,
    images: np.ndarray,
    maps: np.ndarray,
    target: TargetLike = None,
    *,
    steps: int = 50,
    baseline: str | float | np.ndarray = "blurred",
    seed: int = 0,
) -> Progress[Curve]:
    """The score while pixels are inserted into a baseline, the most important ones first.

    A large area speaks for a map. A blurred image has no sharp edges where pixels begin, which
    would be evidence of their own.

    Args, Returns and Raises are those of `deletion`; `baseline` is what the image begins as.
    """
    scores = ScoreModel.of(model)
    images = scores.check_images(images)
    empty = baseline_images(images, baseline, seed=seed)
    resolved = scores.target(images, target)
    order = importance_order(check_maps(maps, images), seed)
    curve = yield from _replacing(scores, empty, images, order, resolved, steps)
    return curve if resolved.of_class else _scaled(curve, full=-1, empty=0)


def importance_order(maps: np.ndarray, seed: int = 0) -> np.ndarray:
    """The place of each pixel when the largest values come first: int64, shaped as the maps.

    Pixels of equal values are in random order: large parts of many maps are zero.
    """
    flat = maps.reshape(len(maps), -1)
    ties = np.random.default_rng(seed).random(flat.shape[1])
    places = np.empty(flat.shape, np.int64)
    for place, values in enumerate(flat):
        places[place, np.lexsort((ties, -values))] = np.arange(len(values))
    return places.reshape(maps.shape)


def random_maps(images: np.ndarray, seed: int = 0) -> np.ndarray:
    """Noise, the floor that maps are compared with: float32 (images, height, width), 0 to 1.

    Args:
        images: (images, height, width, channels), for their size.
        seed: of the noise.
    """
    return np.random.default_rng(seed).random(images.shape[:3], np.float32)


def _replacing(
    scores: ScoreModel,
    before: np.ndarray,
    after: np.ndarray,
    order: np.ndarray,
    target: AttributionTarget,
    steps: int,
) -> Progress[Curve]:
    """The score from one image to another, pixel after pixel."""
    pixels = order[0].size
    if not 1 <= steps <= pixels:
        raise IncompatibleError(f"`steps` must be 1 to {pixels}, the pixels. Received: {steps}.")
    target = target.as_probability()
    counts = np.round(np.linspace(0, pixels, steps + 1)).astype(int)
    places = np.arange(len(before) * len(counts))
    batches = np.array_split(places, -(-len(places) // FORWARD))
    values = []
    for number, batch in enumerate(batches, start=1):
        image, point = np.divmod(batch, len(counts))
        replaced = order[image] < counts[point].reshape(-1, 1, 1)
        mixed = np.where(replaced[..., np.newaxis], after[image], before[image])
        values.append(scores.scores(mixed, target.take(image)))
        yield number, len(batches)
    curves = np.float64(np.concatenate(values)).reshape(len(before), -1)
    return Curve(counts / pixels, curves)


def _scaled(curve: Curve, full: int, empty: int) -> Curve:
    """Scores from 0, the baseline's, to 1, the image's; given the points where these are."""
    low, high = curve.scores[:, [empty]], curve.scores[:, [full]]
    same = np.abs(high - low) <= SAME * np.maximum(np.abs(high), np.abs(low))
    if same.any():
        which = int(np.argmax(same)) + 1
        raise ExplanationError(
            f"The target has the same value for image {which} of {len(same)} and its baseline, so "
            "no pixel makes a difference. Another baseline may work."
        )
    return Curve(curve.shares, (curve.scores - low) / (high - low))
