"""`cnnkit predict` and `cnnkit evaluate`: a network's predictions for images, and its errors."""

from __future__ import annotations

from pathlib import Path

import click

from cnnkit._cli._console import json_option, print_result, table
from cnnkit._cli._networks import (
    find_run,
    labels_option,
    open_network,
    preprocessing_option,
    read_labels,
)
from cnnkit.datasets import load_dataset
from cnnkit.errors import IncompatibleError
from cnnkit.models import Predictor, load_model
from cnnkit.predict import FITS, FilePrediction, predict_files, top_k
from cnnkit.runs import RunStore
from cnnkit.settings import get_settings


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model",
    "models",
    multiple=True,
    default=("mobilenet_v2",),
    show_default=True,
    help="Pretrained network, run id, or a .keras, .h5 or .zip file; may be repeated.",
)
@labels_option
@preprocessing_option
@click.option(
    "--top",
    default=5,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Number of predictions to print.",
)
@click.option(
    "--fit",
    default="crop",
    show_default=True,
    type=click.Choice(list(FITS)),
    help="How an image is resized to the input.",
)
@json_option
def predict(
    images: tuple[Path, ...],
    models: tuple[str, ...],
    labels: Path | None,
    preprocessing: str | None,
    top: int,
    fit: str,
    as_json: bool,
):
    """Classify images.

    An image that cannot be read is reported with the reason; the others are classified, and
    the exit status is 1.
    """
    sources = [(str(path), path.read_bytes) for path in images]
    results, names = [], read_labels(labels)
    for name in models:
        network = open_network(name, class_names=names, preprocessing=preprocessing or "")
        predictions = predict_files(sources, network, fit=fit)
        results += [_as_dict(one, name, network, top) for one in predictions]
    print_result(results, _as_text(results), as_json)
    if any(one["error"] for one in results):
        raise click.exceptions.Exit(1)


def _as_dict(one: FilePrediction, model: str, network: Predictor, top: int) -> dict:
    predictions = [] if one.logits is None else top_k(one.logits, network.card.class_names, top)
    return {
        "image": one.name,
        "model": model,
        "predictions": [
            {"class": a.name, "index": a.index, "probability": round(a.probability, 6)}
            for a in predictions
        ],
        "notes": list(one.notes),
        "error": one.error,
    }


def _as_text(results: list[dict]) -> str:
    rows = []
    for one in results:
        place = f"{one['image']} ({one['model']})"
        if one["error"]:
            rows.append((place, "", one["error"]))
        for prediction in one["predictions"]:
            rows.append((place, f"{prediction['probability']:.1%}", prediction["class"]))
            place = ""
    return table(("IMAGE", "PROBABILITY", "CLASS"), rows)


@click.command()
@click.argument("run_id")
@click.option("--dataset", help="A data set other than the one it was trained on.")
@json_option
def evaluate(run_id: str, dataset: str | None, as_json: bool):
    """Evaluate the network of a run on a test set (`starter` is the one that ships with cnnkit)."""
    store = RunStore(get_settings())
    run = find_run(store, run_id)
    folder = store.model_folder(run.id)
    from cnnkit import training
    from cnnkit.training.predictions import evaluation_dataset

    model, card = load_model(folder)
    other = dataset not in (None, card.dataset)
    own = {"dataset": card.dataset, **card.recipe}
    data = load_dataset(dataset) if other else evaluation_dataset(own)
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
