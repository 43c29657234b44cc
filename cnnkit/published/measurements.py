"""What the project measured: trainings with the recipes that ship, and costs of networks.

Trainings are lines of JSON in `cnnkit/published/measured/`, each written by a training when it
ended (`python -m benchmarks.accuracy`, `python -m benchmarks.flowers`); the costs are one file,
written by `python -m benchmarks.anatomy`. None is typed by hand.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from cnnkit.errors import CorruptPackageError, InvalidRecipeError
from cnnkit.training import Recipe

FOLDER = Path(__file__).resolve().parent / "measured"
COSTS = FOLDER / "costs.json"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One training, from its first epoch to its test."""

    recipe: Recipe  # its seeds included
    metrics: Mapping[str, float]  # "test_error", "test_accuracy", "test_true_probability", …
    epochs: int
    seconds: float  # validation included, on a machine that others used too
    shared: bool = False  # it found features on disk, so that its time is not all it takes
    machine: str
    when: str  # ISO 8601

    @property
    def where(self) -> str:
        """The machine in short, "2 cores, no GPU"."""
        return f"{self.machine.partition(' (')[0]}, {self.machine.rpartition(', ')[2]}"

    @cached_property
    def identity(self) -> str:
        """Equal for trainings that differ in seeds and name alone."""
        return identity(self.recipe)


def identity(recipe: Recipe) -> str:
    """Equal for recipes that differ in seeds and name alone."""
    return recipe.replace(seed=0, split_seed=0).fingerprint()


def measurements(recipe: Recipe | None = None) -> list[Measurement]:
    """Finished trainings that ship with cnnkit, the newest of each seed, in order of seed.

    Args:
        recipe: only of this one, whatever its seed; None: all.

    Raises:
        CorruptPackageError: a file cannot be read; names it.
    """
    return list(_all()) if recipe is None else measurements_of(identity(recipe))


def measurements_of(identity: str) -> list[Measurement]:
    """The same for recipes with one `identity`, which takes a while to compute.

    Raises:
        CorruptPackageError: a file cannot be read; names it.
    """
    return [one for one in _all() if one.identity == identity]


def paces(
    measured: Iterable[Measurement],
) -> list[tuple[str, Recipe, list[dict[str, float]]]]:
    """Trainings as `cnnkit.training.estimates.estimate` reads them, the last one first."""
    return [
        (f"measured on {one.where}", one.recipe, [{"seconds": one.seconds / one.epochs}])
        for one in reversed(list(measured))
        if one.epochs and one.recipe.head is None
    ]


def mean(measured: Sequence[Measurement], metric: str) -> float | None:
    """Mean of a figure over seeds, or None where none was measured."""
    values = [one.metrics[metric] for one in measured if metric in one.metrics]
    return statistics.mean(values) if values else None


def read_measurements(paths: Iterable[Path]) -> list[Measurement]:
    """Finished trainings from files of JSON lines, the newest of each recipe and seed.

    What is no training, has not ended, or has a recipe that is unknown here, is left out.

    Raises:
        CorruptPackageError: a line is not JSON; names the file.
    """
    newest: dict[tuple[str, int], Measurement] = {}
    for path in paths:
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                one = _measurement(json.loads(text)) if text.strip() else None
            except (ValueError, KeyError, TypeError) as error:
                raise CorruptPackageError(path, f"cannot be read in line {number}") from error
            if one:
                newest[one.identity, one.recipe.seed] = one
    return sorted(newest.values(), key=lambda one: (one.recipe.model, one.recipe.seed))


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Totals of a network for one image of its own size."""

    input_shape: tuple[int, ...]  # (height, width, channels)
    parameters: int
    macs: int
    activation_bytes: int  # of all layers
    peak_activation_bytes: int  # at once, at inference
    depth: int  # layers with weights on the longest path
    receptive_field: tuple[int, ...] | None  # of one output, pixels along each axis
    not_counted: tuple[str, ...]  # layers whose multiply-accumulates are not known


@cache
def counts() -> dict[str, Counts]:
    """Costs of every network of `cnnkit.models.list_architectures()`, by name.

    Counting takes seconds a network and always gives the same, so the figures ship as
    `cnnkit/published/measured/costs.json`; a test counts some of them again.
    """
    costs = json.loads(COSTS.read_text(encoding="utf-8"), object_hook=_tuples_from_lists)
    return {name: Counts(**values) for name, values in costs.items()}


@cache
def _all() -> tuple[Measurement, ...]:
    return tuple(read_measurements(sorted(FOLDER.glob("*.jsonl"))))


def _measurement(line: Mapping[str, Any]) -> Measurement | None:
    if line["kind"] != "training" or line["reason"] == "paused" or "values" not in line:
        return None
    try:
        values = line["values"]
        recipe = Recipe.from_dict(values).replace(seed=line["seed"])
    except InvalidRecipeError:  # another version wrote it
        return None
    return Measurement(
        recipe=recipe,
        metrics={name: value for name, value in line.items() if name.startswith("test_")},
        epochs=line["epochs"],
        seconds=line["seconds"],
        shared="features" in line and recipe.caches_features and not line.get("cold"),
        machine=line["machine"][0],
        when=line["when"],
    )


def _tuples_from_lists(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no tuples."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
