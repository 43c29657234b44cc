"""`cnnkit models` and `cnnkit datasets`: what there is."""

from __future__ import annotations

import click

from cnnkit._cli._output import json_option, show, table
from cnnkit.datasets import dataset_info, list_datasets
from cnnkit.models import list_models, model_info
from cnnkit.training import list_recipes


@click.command()
@json_option
def models(as_json: bool):
    """List the networks and their recipes."""
    found = [
        {
            "name": name,
            "title": model_info(name).title,
            "parameters": model_info(name).parameters,
            "input_shape": model_info(name).input_shape,
            "recipes": [recipe.name for recipe in list_recipes(name)],
            "options": [option.name for option in model_info(name).options],
        }
        for name in list_models()
    ]
    rows = [(m["name"], f"{m['parameters']:,}", m["title"], "; ".join(m["recipes"])) for m in found]
    show(found, table(("NAME", "PARAMETERS", "TITLE", "RECIPES"), rows), as_json)


@click.command()
@json_option
def datasets(as_json: bool):
    """List the data sets, and which of them are on this machine."""
    found = [
        {
            "name": spec.name,
            "title": spec.title,
            "pictures": sum(spec.pictures),
            "classes": spec.classes,
            "available": spec.available,
            "source": spec.source,
            "licence": spec.licence,
        }
        for spec in map(dataset_info, list_datasets())
    ]
    rows = [
        (d["name"], f"{d['pictures']:,}", "yes" if d["available"] else "no", d["title"])
        for d in found
    ]
    show(found, table(("NAME", "PICTURES", "HERE", "TITLE"), rows), as_json)
