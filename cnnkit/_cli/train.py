"""`cnnkit train`: a recipe by name, changed field by field, run as a job.

A pretrained network is fine-tuned; any other, and a definition, is trained from scratch.
"""

from __future__ import annotations

from pathlib import Path

import click

from cnnkit._cli._console import assignment, json_option
from cnnkit._cli._follow import start
from cnnkit._cli._networks import read_definition, read_text
from cnnkit.datasets import dataset_info
from cnnkit.errors import UnknownModelError
from cnnkit.models import list_models, list_pretrained, model_info
from cnnkit.models.builder import is_code
from cnnkit.runs import RunStore
from cnnkit.settings import get_settings
from cnnkit.training import Recipe, fine_tuning_recipe, get_recipe, list_recipes
from cnnkit.training.fields import with_values


@click.command()
@click.argument("model")
@click.option("--recipe", "recipe_name", help="Name of a recipe, or a recipe's JSON file.")
@click.option("--dataset", help="Name of a data set, instead of the recipe's.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field, e.g. epochs=3, phase1.epochs=3, augmentation.shift=2, "
    "model_options.activation=relu, dataset=flowers17.",
)
@click.option("--name", help="Name of the run.")
@click.option("--detach", is_flag=True, help="Do not wait: train in the background.")
@json_option
def train(
    model: str,
    recipe_name: str | None,
    dataset: str | None,
    changes: tuple[str, ...],
    name: str | None,
    detach: bool,
    as_json: bool,
):
    """Train MODEL from scratch, or fine-tune it if it is pretrained, and print each epoch.

    MODEL is the name of a network, or a JSON file that defines one (see `cnnkit build`).
    """
    if model.endswith(".json"):
        model = read_definition(Path(model)).code
    values = dict(assignment("--set", text) for text in changes)
    recipe = _recipe(model, recipe_name)
    named = values.pop("dataset", None)  # the sizes of another data set's splits are its own
    if dataset or named:
        recipe = recipe.on(dataset_info(dataset or str(named)).name)
    recipe = with_values(recipe, values)
    settings = get_settings()
    store = RunStore(settings)
    title = model_info(recipe.model).title if is_code(recipe.model) else recipe.model
    run = store.create("train", recipe.to_dict(), name or f"{title} {recipe.name}")
    start(settings, store, run, detach=detach, as_json=as_json)


def _recipe(model: str, name: str | None) -> Recipe:
    known_models = [*list_models(), *list_pretrained()]
    if model not in known_models and not is_code(model):
        raise UnknownModelError(model, known_models)
    if name and name.endswith(".json"):
        return Recipe.from_json(read_text(Path(name))).replace(model=model)
    if name is None:
        recipes = {recipe.name: recipe for recipe in list_recipes(model)}
        if recipes:
            return recipes.get("fast") or next(iter(recipes.values()))
        if model in list_pretrained():
            return fine_tuning_recipe(model)
    return get_recipe(model, name or "fast")
