"""`cnnkit predict`: the top-k predictions of networks for images."""

from __future__ import annotations

from pathlib import Path

import click

from cnnkit._cli._networks import open_network
from cnnkit._cli._output import json_option, print_result, table
from cnnkit.models import Predictor
from cnnkit.predict import FITS, FilePrediction, predict_files, top_k


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model",
    "models",
    multiple=True,
    default=("mobilenet_v2",),
    show_default=True,
    help="Pretrained network, run id, or .keras or .h5 file; may be repeated.",
)
@click.option("--top", default=5, show_default=True, type=click.IntRange(1, 1000))
@click.option("--fit", default="crop", show_default=True, type=click.Choice(list(FITS)))
@json_option
def predict(images: tuple[Path, ...], models: tuple[str, ...], top: int, fit: str, as_json: bool):
    """Classify images.

    An image that cannot be read is reported with the reason; the others are classified, and
    the exit status is 1.
    """
    sources = [(str(path), path.read_bytes) for path in images]
    found = []
    for name in models:
        network = open_network(name)
        answered = predict_files(sources, network, fit=fit)
        found += [_as_dict(one, name, network, top) for one in answered]
    print_result(found, _as_text(found), as_json)
    if any(one["error"] for one in found):
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


def _as_text(found: list[dict]) -> str:
    rows = []
    for one in found:
        place = f"{one['image']} ({one['model']})"
        if one["error"]:
            rows.append((place, "", one["error"]))
        for prediction in one["predictions"]:
            rows.append((place, f"{prediction['probability']:.1%}", prediction["class"]))
            place = ""
    return table(("IMAGE", "PROBABILITY", "CLASS"), rows)
