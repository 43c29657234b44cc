"""Checks of a map, as a session takes them: steps, then arrays and plain values to be kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cnnkit.errors import UnknownNameError
from cnnkit.explain.faithfulness import deletion, insertion
from cnnkit.explain.measures import Progress, part
from cnnkit.explain.randomization import (
    depends_on_weights,
    upper_correlation,
    weight_randomization,
)
from cnnkit.explain.sensitivity import max_sensitivity

if TYPE_CHECKING:
    from cnnkit.explain.request import ExplanationRequest

STAGES = 8  # of weight randomization: each takes as long as the map itself


class CheckResult(NamedTuple):
    """What a check found, for each image."""

    arrays: dict[str, np.ndarray]
    card: dict[str, Any]  # plain values


Check = Callable[[Any, np.ndarray, np.ndarray, "ExplanationRequest"], Progress[CheckResult]]


def get_check(name: str) -> Check:
    """A check by its name.

    Raises:
        UnknownNameError: lists those there are.
    """
    if name not in CHECKS:
        raise UnknownNameError(name, CHECKS)
    return CHECKS[name]


def faithfulness(
    model: Any, images: np.ndarray, maps: np.ndarray, request: ExplanationRequest
) -> Progress[CheckResult]:
    """Deletion and insertion: the curves and the areas under them."""
    one = yield from part(0, 2, deletion.steps(model, images, maps, request.target))
    two = yield from part(1, 2, insertion.steps(model, images, maps, request.target))
    arrays = {"shares": one.shares, "deletion": one.scores, "insertion": two.scores}
    return CheckResult(arrays, {"deletion": one.areas.tolist(), "insertion": two.areas.tolist()})


def randomization(
    model: Any, images: np.ndarray, maps: np.ndarray, request: ExplanationRequest
) -> Progress[CheckResult]:
    """Weight randomization in some stages, from the output to the image."""
    from cnnkit.explain.randomization import copy_of, weighted_layers

    layers = len(weighted_layers(copy_of(model), images.shape[1:]))
    test = yield from weight_randomization.steps(
        request.method,
        model,
        images,
        request.target,
        maps=maps,
        stages=min(STAGES, layers),
        options=request.options,
    )
    counts = np.cumsum([len(stage) for stage in test.layers]) / layers
    card = {
        "randomized": counts.tolist(),  # share of the layers after each stage
        "correlations": test.correlations.T.tolist(),  # of each image after each stage
        "upper": upper_correlation(test).tolist(),
        "depends": depends_on_weights(test).tolist(),
    }
    return CheckResult({"stages": test.maps}, card)


def sensitivity(
    model: Any, images: np.ndarray, maps: np.ndarray, request: ExplanationRequest
) -> Progress[CheckResult]:
    """The largest change of the map under noise that nobody sees."""
    values = yield from max_sensitivity.steps(
        request.method, model, images, request.target, maps=maps, options=request.options
    )
    return CheckResult({}, {"sensitivity": values.tolist()})


CHECKS: Mapping[str, Check] = {
    "faithfulness": faithfulness,
    "randomization": randomization,
    "sensitivity": sensitivity,
}
