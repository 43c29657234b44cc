"""The recipes that ship, and augmentations by name: see `recipes.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from cnnkit.errors import UnknownRecipeError
from cnnkit.models.builder import NetworkDefinition, is_code
from cnnkit.training.recipe import HEAD, SMALLEST_IMAGE, Augmentation, Recipe

_TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))

AUGMENTATION_TITLES = {
    name: values.pop("title") for name, values in _TABLES["augmentation"].items()
}
AUGMENTATION_PRESETS = {name: Augmentation(**v) for name, v in _TABLES["augmentation"].items()}


def _recipe(values: dict[str, Any]) -> Recipe:
    """Of a table; its augmentation may be a preset's name."""
    fields: dict[str, Any] = {}
    for base in values.get("based_on", ()):
        fields |= _TABLES["base"][base]
    fields |= {name: value for name, value in values.items() if name != "based_on"}
    if isinstance(preset := fields.get("augmentation"), str):
        fields["augmentation"] = _TABLES["augmentation"][preset]
    return Recipe.from_dict({k: None if value == "" else value for k, value in fields.items()})


RECIPES = tuple(map(_recipe, _TABLES["recipe"]))


def list_recipes(model: str | None = None, *, fine_tuning: bool | None = None) -> list[Recipe]:
    """The recipes that ship. A definition has the recipe `fast` of all definitions.

    Args:
        model: registered name, pretrained network or definition; None: of all networks.
        fine_tuning: only those that fine-tune, or that do not; None: both.
    """
    own = [_recipe_of_definition(model)] if model and is_code(model) else []
    return [
        recipe
        for recipe in (*RECIPES, *own)
        if model in (None, recipe.model) and fine_tuning in (None, recipe.head is not None)
    ]


def _recipe_of_definition(code: str) -> Recipe:
    """The recipe `fast` of a definition; images are resized to those that it was made for."""
    height, width, _ = NetworkDefinition.from_code(code).input_shape
    size = height if height == width >= SMALLEST_IMAGE else ""
    return _recipe({**_TABLES["definition"], "model": code, "size": size})


def get_recipe(model: str, name: str) -> Recipe:
    """One recipe by the names of its network and its own.

    Args:
        model: registered name, pretrained network or definition.
        name: of the recipe, such as "fast" or "published".

    Raises:
        UnknownRecipeError: lists the recipes that the network has; if it has none, "network/recipe"
            of all others.
    """
    recipes = {recipe.name: recipe for recipe in list_recipes(model)}
    if not recipes:
        every = [f"{recipe.model}/{recipe.name}" for recipe in RECIPES]
        raise UnknownRecipeError(f"{model}/{name}", every)
    if name not in recipes:
        raise UnknownRecipeError(name, recipes)
    return recipes[name]


def fine_tuning_recipe(model: str) -> Recipe:
    """A recipe for a pretrained network: the one that ships, or a new head on frozen layers."""
    shipped = {recipe.name: recipe for recipe in list_recipes(model, fine_tuning=True)}
    if "fast" in shipped:
        return shipped["fast"]
    return _recipe(
        {
            "model": model,
            "name": "fast",
            "based_on": ["fine_tuning", "flowers"],
            "head": {},
            "phases": [{"train_from": HEAD, "epochs": 20, "learning_rate": 2e-3}],
            "augmentation": "photos",
            "variants": 4,
        }
    )
