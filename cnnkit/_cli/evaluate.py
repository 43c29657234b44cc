"""`cnnkit evaluate`: test accuracy and confusion matrix of a trained network."""

from __future__ import annotations

import click

from cnnkit._cli._output import json_option, print_result, table
from cnnkit._cli.runs import find
from cnnkit.datasets import load_dataset
from cnnkit.errors import IncompatibleError
from cnnkit.runs import RunStore
from cnnkit.settings import get_settings


@click.command()
@click.argument("run_id")
@click.option("--dataset", help="A data set other than the one it was trained on.")
@json_option
def evaluate(run_id: str, dataset: str | None, as_json: bool):
    """Evaluate the network of a run on a test set (`starter` is the network that ships)."""
    store = RunStore(get_settings())
    run = find(store, run_id)
    folder = store.model_folder(run.id)
    from cnnkit import training
    from cnnkit.models import load_model
    from cnnkit.training.predictions import evaluation_dataset

    model, card = load_model(folder)
    other = dataset not in (None, card.dataset)
    mine = {"dataset": card.dataset, **card.recipe}
    data = load_dataset(dataset) if other else evaluation_dataset(mine)
    # The images of its own data set were resized in training too.
    fits = not other or data.spec.input_shape == card.input_shape
    if not fits or data.spec.classes != len(card.class_names):
        raise IncompatibleError(
            f"{card.title} takes {card.input_shape} in {len(card.class_names)} classes; "
            f"{data.title} has {data.spec.input_shape} in {data.spec.classes}."
        )
    result = training.evaluate(model, *data.part("test"))
    figures = result.metrics("test_")
    confusion = table(
        ("", *card.class_names),
        [(name, *row) for name, row in zip(card.class_names, result.confusion, strict=True)],
    )
    lines = [f"{card.title} on {data.title}, {len(result.labels):,} images"]
    lines += [f"{name}: {value:.4f}" for name, value in figures.items()]
    shown = {"run": run.id, "dataset": data.name, "images": len(result.labels)}
    shown |= figures | {"confusion": result.confusion.tolist()}
    print_result(shown, "\n".join([*lines, confusion]), as_json)
