"""Sensitivity: how much a map changes when the image changes by noise that nobody sees.

Yeh et al. 2019, "On the (In)fidelity and Sensitivity of Explanations".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.errors import IncompatibleError
from cnnkit.explain.measures import Progress, as_method, check_maps, measure, part, unchecked_maps
from cnnkit.explain.scores import ScoreModel

if TYPE_CHECKING:
    from cnnkit.explain.registry import Method
    from cnnkit.explain.targets import TargetLike

BRIGHTEST = 255.0


@measure
def max_sensitivity(
    method: Method | str,
    model: Any,
    images: np.ndarray,
    target: TargetLike = None,
    *,
    maps: np.ndarray | None = None,
    radius: float = 0.02,
    samples: int = 10,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Progress[np.ndarray]:
    """The largest change of a map under small uniform noise, as a share of the map's norm.

    Args:
        method: or its name.
        model: see `Method`.
        images: see `Method`.
        target: see `Method`; None: the predicted class without noise.
        maps: of the images, by this method with these options; None: computed.
        radius: of the noise, as a share of the range 0 to 255. Values stay within it.
        samples: noisy copies of each image.
        seed: of the noise.
        options: of the method.

    Returns:
        float64 (images,): 0 where the map never changes.

    Raises:
        IncompatibleError: images or maps do not fit, or a number is out of range.
        ExplanationError: the map of an image is zero everywhere.
    """
    if samples < 1 or not 0 < radius <= 1:
        raise IncompatibleError(
            "`samples` must be at least 1 and `radius` above 0, at most 1. "
            f"Received: {samples} and {radius}."
        )
    method, options = as_method(method), options or {}
    scores = ScoreModel.of(model)
    images = scores.check_images(images)
    resolved = scores.target(images, target)
    given = 0 if maps is None else 1
    parts = samples + 1 - given
    if maps is None:
        steps = unchecked_maps(method, scores, images, resolved, options)
        maps = yield from part(0, parts, steps)
    maps = check_maps(maps, images)
    method.check(maps)
    generator = np.random.default_rng(seed)
    largest = np.zeros(len(images))
    for sample in range(samples):
        noise = generator.uniform(-radius, radius, images.shape) * BRIGHTEST
        noisy = np.clip(images + noise, 0, BRIGHTEST).astype(np.float32)
        steps = unchecked_maps(method, scores, noisy, resolved, options)
        others = yield from part(sample + 1 - given, parts, steps)
        largest = np.maximum(largest, _norms(others - maps))
    return largest / _norms(maps)


def _norms(maps: np.ndarray) -> np.ndarray:
    return np.linalg.norm(maps.reshape(len(maps), -1).astype(np.float64), axis=1)
