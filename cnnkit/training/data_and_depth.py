"""How accuracy depends on the number of training images and on the depth of fine-tuning.

The test images are the same for every number and every depth.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnkit.errors import InvalidRecipeError
from cnnkit.training._checks import check_choice
from cnnkit.training.recipe import ALL, HEAD, Phase, Recipe
from cnnkit.training.recipes import get_recipe

FROZEN, LAST_BLOCK, EVERYTHING, FROM_SCRATCH = "head", "last block", "all", "from scratch"
METHODS = (FROZEN, LAST_BLOCK, EVERYTHING, FROM_SCRATCH)
COUNTS = (5, 10, 20, 40, 60)  # training images of each class; 10 of 70 are for validation
FULL = 60  # images of each class that the epochs of the recipes are meant for
MOST = 400  # epochs: few images are seen as often as this, and not oftener
SCRATCH = ("compact_photo_cnn", "fast")  # network and recipe that train from scratch


@dataclass(frozen=True, kw_only=True)
class PlannedTraining:
    """One training of the experiment."""

    recipe: Recipe
    method: str  # one of METHODS
    per_class: int
    seed: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.method}, {self.per_class} of each class, split {self.seed}"


@dataclass(frozen=True, kw_only=True)
class MeasuredTraining:
    """Test accuracy of one training."""

    method: str
    per_class: int
    seed: int
    accuracy: float  # on the test set, 0 to 1


def plan(
    recipe: Recipe,
    last_block: str,
    *,
    counts: Sequence[int] = COUNTS,
    seeds: Sequence[int] = (0, 1, 2),
    methods: Sequence[str] = METHODS,
) -> list[PlannedTraining]:
    """The trainings to run, the quick ones first.

    Fewer images are seen oftener, so that every network takes about as many steps.

    Args:
        recipe: network, data, augmentation; its first phase trains the head, and what its
            last one says of rate and epochs holds for deeper layers.
        last_block: name of the network's last block.
        counts: training images of each class.
        seeds: of the splits.
        methods: of `METHODS`.

    Raises:
        InvalidRecipeError: a method is unknown or a number is not above 0.
    """
    for method in methods:
        check_choice("method", method, METHODS)
    if not counts or min(counts) < 1:
        raise InvalidRecipeError(f"counts must be numbers above 0. Received: {tuple(counts)}.")
    return [
        _planned(recipe, last_block, method, count, seed)
        for method in methods
        for seed in seeds
        for count in counts
    ]


def collect(planned: Iterable[PlannedTraining], finished: Iterable[Any]) -> list[MeasuredTraining]:
    """Test accuracies of a plan so far; the first of equal finished runs counts."""
    reached: dict[str, float] = {}
    for run in finished:
        if "test_accuracy" in run.metrics:
            reached.setdefault(_fingerprint(run.spec), run.metrics["test_accuracy"])
    return [
        MeasuredTraining(
            method=one.method, per_class=one.per_class, seed=one.seed, accuracy=reached[key]
        )
        for one in planned
        if (key := one.recipe.fingerprint()) in reached
    ]


def missing(planned: Iterable[PlannedTraining], runs: Iterable[Any]) -> list[PlannedTraining]:
    """The trainings of a plan that no finished, running or queued run is."""
    fingerprints = {_fingerprint(run.spec) for run in runs}
    return [one for one in planned if one.recipe.fingerprint() not in fingerprints]


def _planned(
    recipe: Recipe, last_block: str, method: str, count: int, seed: int
) -> PlannedTraining:
    split = {"per_class": count, "split_seed": seed, "seed": seed}
    if method == FROM_SCRATCH:
        trained = get_recipe(*SCRATCH).replace(dataset=recipe.dataset, **split)
        trained = trained.replace(epochs=_epochs(trained.epochs, count))
    else:
        trained = recipe.replace(phases=_phases(recipe, method, last_block, count), **split)
    return PlannedTraining(recipe=trained, method=method, per_class=count, seed=seed)


def _phases(recipe: Recipe, method: str, last_block: str, count: int) -> tuple[Phase, ...]:
    first, *_, last = recipe.training_phases * 2
    phases = [_phase(first, HEAD, count)]
    if method != FROZEN:
        phases.append(_phase(last, last_block if method == LAST_BLOCK else ALL, count))
    return tuple(phases)


def _phase(phase: Phase, train_from: str, count: int) -> Phase:
    epochs = _epochs(phase.epochs or 1, count)
    return dataclasses.replace(phase, train_from=train_from, epochs=epochs)


def _epochs(epochs: int, count: int) -> int:
    return max(1, min(MOST, round(epochs * FULL / min(count, FULL))))


def _fingerprint(spec: Mapping[str, Any]) -> str:
    """Of a run's recipe; empty where it has none that can be read."""
    try:
        return Recipe.from_dict(spec).fingerprint()
    except InvalidRecipeError:
        return ""
