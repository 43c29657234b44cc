"""What each recipe reached on the 17 flowers, and in how much time from an empty feature cache.

The figures are those of `docs/flowers.md`: lines of JSON that `python -m benchmarks.flowers` wrote.
"""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cnnkit.errors import CorruptPackageError, InvalidRecipeError
from cnnkit.published.measurements import FOLDER
from cnnkit.training import Recipe

FILE = FOLDER / "flowers.jsonl"
Line = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class FlowerResult:
    """One recipe of a network, trained on several random splits of the 17 flowers."""

    recipe: Recipe  # of one of the splits
    name: str  # of the recipe, as `get_recipe` knows it
    accuracies: tuple[float, ...]  # on the test set, 0 to 1, one a split
    seconds: float | None  # mean time of features and training; None: not measured
    parameters: int

    @property
    def accuracy(self) -> float:
        """Mean over the splits."""
        return statistics.mean(self.accuracies)

    def is_of(self, recipe: Recipe) -> bool:
        """Whether it was measured with a recipe of this name for the same network."""
        return (self.recipe.model, self.name) == (recipe.model, recipe.name)


@cache
def flower_results() -> tuple[FlowerResult, ...]:
    """Results of all recipes that were measured, in the order of the measurements.

    Raises:
        CorruptPackageError: the file cannot be read.
    """
    try:
        return read_results(map(json.loads, FILE.read_text("utf-8").splitlines()))
    except (ValueError, KeyError) as error:
        raise CorruptPackageError(FILE, f"cannot be read ({error!r})") from error


def read_results(lines: Iterable[Line]) -> tuple[FlowerResult, ...]:
    """Results from lines of `benchmarks.flowers`.

    On each split the training with the best validation accuracy counts, where several depths were
    tried. Trainings that were only timed count for the time alone, unless there are no others.
    """
    groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line["kind"] == "training" and line["reason"] == "finished":
            groups[line["network"], _recipe_name(line)].append(line)
    results = (_result(name, own) for (_, name), own in groups.items())
    return tuple(result for result in results if result)


def _result(name: str, lines: list[Line]) -> FlowerResult | None:
    chosen = _chosen([line for line in lines if not line.get("cold")] or lines)
    try:
        recipe = Recipe.from_dict(chosen[0]["values"])
    except InvalidRecipeError:  # another version wrote it
        return None
    timed = [line for line in lines if line.get("cold") or not recipe.caches_features]
    return FlowerResult(
        recipe=recipe,
        name=name,
        accuracies=tuple(line["test_accuracy"] for line in chosen),
        seconds=statistics.mean(line["seconds"] for line in timed) if timed else None,
        parameters=chosen[0]["parameters"],
    )


def _chosen(lines: list[Line]) -> list[Line]:
    """The training of each split that validation chooses, in order of seed."""
    newest = {(line["seed"], line["depth"]): line for line in lines}
    by_seed: dict[int, list[Line]] = defaultdict(list)
    for (seed, _), line in sorted(newest.items()):
        by_seed[seed].append(line)
    # Blocks are numbered from the image on: of equals the last one has fewer trainable layers.
    return [
        max(own, key=lambda line: (line["val_accuracy"], line["depth"])) for own in by_seed.values()
    ]


def _recipe_name(line: Line) -> str:
    """Recipes were first named after their network."""
    network, name = line["network"], line["recipe"].partition("/")[2]
    return "fast" if name == network else name
