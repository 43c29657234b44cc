"""What the documents that cnnkit grew from published, and the recipes that repeat it.

The figures here are their authors', never ours: ours are measured and stored apart.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cnnkit import assets
from cnnkit.datasets import dataset_info
from cnnkit.errors import UnknownNameError
from cnnkit.models import missing_weights
from cnnkit.training import Recipe, get_recipe


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """One published figure, and how to get it again."""

    name: str  # identifier
    title: str  # shown to people
    model: str  # registered or pretrained network
    recipe_name: str  # of a recipe that ships
    measure: str  # "test_error", "test_accuracy" or "test_true_probability"
    value: float  # what was published, 0 to 1
    conditions: str = ""  # as published: time, machine, epochs
    source: str = ""  # author and title
    changes: Mapping[str, Any] = field(default_factory=dict)  # of the recipe

    @cached_property
    def recipe(self) -> Recipe:
        """What to run."""
        recipe = get_recipe(self.model, self.recipe_name)
        changes = dict(self.changes)
        options = {**recipe.model_options, **changes.pop("model_options", {})}
        return recipe.replace(model_options=options, **changes)

    @property
    def published(self) -> str:
        """The figure as text, in percent."""
        return f"{100 * self.value:.4g} %"

    @property
    def smaller_is_better(self) -> bool:
        """Whether the figure is an error."""
        return self.measure == "test_error"

    def reached(self, value: float) -> bool:
        """Whether a figure of ours is as good, compared as finely as it was published.

        "92 %" is reached by .9152, "7.49 %" is not reached by .0750.
        """
        decimals = max(2, len(f"{self.value:.6f}".rstrip("0")) - 2)
        ours, theirs = round(value, decimals), round(self.value, decimals)
        return ours <= theirs if self.smaller_is_better else ours >= theirs

    def seeded(self, seed: int) -> Recipe:
        """The recipe with another seed, which also splits what has no published split."""
        recipe = self.recipe
        published = dataset_info(recipe.dataset).kind == "small"
        return recipe.replace(seed=seed, split_seed=recipe.split_seed if published else seed)

    def matches(self, recipe: Recipe) -> bool:
        """Whether a recipe is this one, whatever its seeds and its name."""
        return recipe.replace(seed=0, split_seed=0).fingerprint() == self.identity

    @cached_property
    def identity(self) -> str:
        """Fingerprint of its recipe without seeds: see `measurements.identity`."""
        return self.seeded(0).fingerprint()

    @property
    def missing(self) -> str:
        """What must be had first, and where to put it; empty: it can be run now."""
        data = dataset_info(self.recipe.dataset)
        needed = list(data.missing)
        if self.recipe.weights == "imagenet":
            needed += missing_weights(self.model)
        return " ".join(
            f"{assets.ASSETS[name].filename} is not on this machine; it is fetched from "
            f"{assets.ASSETS[name].url}, or looked for in the "
            f"folder {assets.ASSETS[name].data_folder or '.'} of CNNKIT_DATA_DIR."
            for name in needed
        )


def list_reproductions() -> list[Reproduction]:
    """Every published figure, in the order of the documents."""
    return list(_REPRODUCTIONS.values())


def get_reproduction(name: str) -> Reproduction:
    """One by name.

    Raises:
        UnknownNameError: lists the names that exist.
    """
    if name not in _REPRODUCTIONS:
        raise UnknownNameError(name, _REPRODUCTIONS)
    return _REPRODUCTIONS[name]


@dataclass(frozen=True)
class PublishedAnswer:
    """The top-5 predictions that a network's author published for one image."""

    number: int  # of the image in its data set, 1-based: image_0724.jpg
    true: str  # class name
    answers: tuple[tuple[str, float], ...]  # class name and probability, the best first

    @property
    def file(self) -> str:
        """Name of the image's file."""
        return f"image_{self.number:04d}.jpg"

    @property
    def row(self) -> int:
        """Of the image in the data set, 0-based."""
        return self.number - 1


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))


_REPRODUCTIONS = {
    name: Reproduction(name=name, **values) for name, values in _read("reproductions.toml").items()
}
_examples = _read("example_answers.toml")
EXAMPLES_SOURCE, EXAMPLES_DATASET = _examples["source"], _examples["dataset"]
EXAMPLE_ANSWERS = tuple(
    PublishedAnswer(one["number"], one["true"], tuple(map(tuple, one["answers"])))
    for one in _examples["image"]
)
