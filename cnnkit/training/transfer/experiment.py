"""How much data, how deep? The same test images for every number and every depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnkit.errors import InvalidRecipeError
from cnnkit.training.recipes import get_recipe
from cnnkit.training.transfer.recipe import ALL, HEAD, Phase, TransferRecipe

FROZEN, LAST_BLOCK, EVERYTHING, FROM_NOTHING = "frozen", "last block", "all", "from nothing"
WAYS = (FROZEN, LAST_BLOCK, EVERYTHING, FROM_NOTHING)
COUNTS = (5, 10, 20, 40, 60)  # images of each class to learn from; 10 of 70 are for validation
FULL = 60  # images of each class that the epochs of the recipes are meant for
MOST = 400  # epochs: few images are seen as often as this, and not oftener
SCRATCH = ("compact_photo_cnn", "fast")  # network and recipe that start from nothing


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One training of the experiment."""

    kind: str  # of the job
    spec: Mapping[str, Any]  # of the job
    way: str  # one of WAYS
    per_class: int
    seed: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.way}, {self.per_class} of each class, division {self.seed}"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one training reached."""

    way: str
    per_class: int
    seed: int
    accuracy: float  # on the test part, 0 to 1


def plan(
    recipe: TransferRecipe,
    last_block: str,
    *,
    counts: Sequence[int] = COUNTS,
    seeds: Sequence[int] = (0, 1, 2),
    ways: Sequence[str] = WAYS,
) -> list[Planned]:
    """The trainings to run, the quick ones first.

    Fewer images are seen oftener, so that every network takes about as many steps.

    Args:
        recipe: network, data, augmentation; its first phase trains the head, and what its
            last one says of rate and epochs holds for deeper layers.
        last_block: name of the network's last block.
        counts: images of each class to learn from.
        seeds: of the divisions.
        ways: of `WAYS`.

    Raises:
        InvalidRecipeError: a way is unknown or a number is not above 0.
    """
    for way in ways:
        if way not in WAYS:
            raise InvalidRecipeError(f"A way is one of {', '.join(WAYS)}. Received: {way!r}.")
    if not counts or min(counts) < 1:
        raise InvalidRecipeError(f"counts must be numbers above 0. Received: {tuple(counts)}.")
    return [
        _planned(recipe, last_block, way, count, seed)
        for way in ways
        for seed in seeds
        for count in counts
    ]


def collect(planned: Iterable[Planned], finished: Iterable[Any]) -> list[Measured]:
    """What the trainings of a plan have reached so far.

    Args:
        planned: of `plan`.
        finished: runs, with `kind`, `spec` and `metrics`; the first of equal ones counts.
    """
    runs = list(finished)
    found = []
    for one in planned:
        same = (run for run in runs if run.kind == one.kind and _alike(run.spec, one.spec))
        run = next((run for run in same if "test_accuracy" in run.metrics), None)
        if run is not None:
            found.append(
                Measured(
                    way=one.way,
                    per_class=one.per_class,
                    seed=one.seed,
                    accuracy=run.metrics["test_accuracy"],
                )
            )
    return found


def lacking(planned: Iterable[Planned], runs: Iterable[Any]) -> list[Planned]:
    """The trainings of a plan that none of some runs carries out.

    Args:
        planned: of `plan`.
        runs: with `kind` and `spec`: finished, running or queued.
    """
    known = list(runs)
    return [
        one
        for one in planned
        if not any(run.kind == one.kind and _alike(run.spec, one.spec) for run in known)
    ]


def _planned(recipe: TransferRecipe, last_block: str, way: str, count: int, seed: int) -> Planned:
    division = {"per_class": count, "split_seed": seed, "seed": seed}
    if way == FROM_NOTHING:
        scratch = get_recipe(*SCRATCH).replace(dataset=recipe.dataset, **division)
        scratch = scratch.replace(epochs=_epochs(scratch.epochs, count))
        return Planned(kind="train", spec=scratch.to_dict(), way=way, per_class=count, seed=seed)
    tuned = recipe.replace(phases=_phases(recipe, way, last_block, count), **division)
    return Planned(kind="fine_tune", spec=tuned.to_dict(), way=way, per_class=count, seed=seed)


def _phases(recipe: TransferRecipe, way: str, last_block: str, count: int) -> tuple[Phase, ...]:
    first, last = recipe.phases[0], recipe.phases[-1]
    phases = [_changed(first, HEAD, count)]
    if way != FROZEN:
        phases.append(_changed(last, last_block if way == LAST_BLOCK else ALL, count))
    return tuple(phases)


def _changed(phase: Phase, train_from: str, count: int) -> Phase:
    epochs = _epochs(phase.epochs, count)
    return Phase(**vars(phase) | {"train_from": train_from, "epochs": epochs})


def _epochs(epochs: int, count: int) -> int:
    return max(1, min(MOST, round(epochs * FULL / min(count, FULL))))


def _alike(spec: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Equal but for their names. A run's spec went through JSON, which has lists alone."""
    keys = (set(spec) | set(other)) - {"name"}
    return all(_plain(spec.get(key)) == _plain(other.get(key)) for key in keys)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
