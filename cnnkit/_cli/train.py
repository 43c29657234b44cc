"""`cnnkit train`: a recipe by name, changed field by field, run as a job."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cnnkit._cli._follow import run_to_end, start_detached
from cnnkit._cli._output import json_option, show, summary
from cnnkit._cli._values import assignment
from cnnkit.datasets import dataset_info
from cnnkit.models import model_info
from cnnkit.runs import RunStore, Status
from cnnkit.settings import get_settings
from cnnkit.training import Recipe, get_recipe, list_recipes
from cnnkit.training.fields import with_values


@click.command()
@click.argument("model")
@click.option("--recipe", "recipe_name", help="Name of a recipe, or a recipe's JSON file.")
@click.option("--dataset", help="Another data set than the recipe's.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field, e.g. epochs=3, augmentation.shift=2, model_options.activation=relu.",
)
@click.option("--name", help="What to call the run.")
@click.option("--detach", is_flag=True, help="Do not wait: the training goes on by itself.")
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
    """Train MODEL and wait for it, telling each epoch."""
    values = dict(assignment("--set", text) for text in changes)
    recipe = _recipe(model, recipe_name)
    named = values.pop("dataset", None)  # the sizes of another data set's parts are its own
    if dataset or named:
        recipe = recipe.on(dataset_info(dataset or str(named)).name)
    recipe = with_values(recipe, values)
    settings = get_settings()
    store = RunStore(settings)
    run = store.create("train", recipe.to_dict(), name or f"{recipe.model} {recipe.name}")
    if detach:
        start_detached(settings, run)
    else:
        run = run_to_end(settings, store, run, quiet=as_json)
    show(run.to_dict(), summary(run), as_json)
    if run.status not in (Status.FINISHED, Status.QUEUED):
        sys.exit(1)


def _recipe(model: str, name: str | None) -> Recipe:
    model_info(model)
    if name and name.endswith(".json"):
        return Recipe.from_json(Path(name).read_text(encoding="utf-8")).replace(model=model)
    known = [recipe.name for recipe in list_recipes(model)]
    if name is None and known:
        name = "fast" if "fast" in known else known[0]
    return get_recipe(model, name or "fast")
