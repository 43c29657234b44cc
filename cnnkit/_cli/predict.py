"""`cnnkit predict`: the best answers of networks to pictures."""

from __future__ import annotations

from pathlib import Path

import click

from cnnkit._cli._output import json_option, show, table
from cnnkit._cli._progress import counting
from cnnkit.models import OpenModel, list_pretrained, open_brought, open_pretrained
from cnnkit.predict import FITS, Prediction, predict_files, top_k


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model",
    "models",
    multiple=True,
    default=("mobilenet_v2",),
    show_default=True,
    help="Pretrained network, run id or .keras file; may be given several times.",
)
@click.option("--top", default=5, show_default=True, type=click.IntRange(1, 1000))
@click.option("--fit", default="crop", show_default=True, type=click.Choice(list(FITS)))
@json_option
def predict(images: tuple[Path, ...], models: tuple[str, ...], top: int, fit: str, as_json: bool):
    """Say what is in pictures.

    A picture that cannot be read is named with the reason, the others are answered, and
    the exit status is 1.
    """
    sources = [(str(path), path.read_bytes) for path in images]
    found = []
    for name in models:
        network = _open(name)
        answered = predict_files(sources, network, fit=fit)
        found += [_as_dict(one, name, network, top) for one in answered]
    show(found, _as_text(found), as_json)
    if any(one["error"] for one in found):
        raise click.exceptions.Exit(1)


def _open(name: str) -> OpenModel:
    if name in list_pretrained():
        with counting(name) as progress:
            return open_pretrained(name, progress)
    if name.endswith(".keras"):
        return open_brought(_bytes(Path(name)), title=name)
    return _open_run(name)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from error


def _open_run(name: str) -> OpenModel:
    from cnnkit._cli.runs import find
    from cnnkit.errors import RunNotFoundError, UnknownModelError
    from cnnkit.models import load_model
    from cnnkit.runs import RunStore
    from cnnkit.settings import get_settings

    store = RunStore(get_settings())
    try:
        run = find(store, name)
    except RunNotFoundError as error:
        raise UnknownModelError(
            name, [*list_pretrained(), "a run's id", "a .keras file"]
        ) from error
    return OpenModel(*load_model(store.model_folder(run.id)))


def _as_dict(one: Prediction, model: str, network: OpenModel, top: int) -> dict:
    answers = [] if one.logits is None else top_k(one.logits, network.card.class_names, top)
    return {
        "image": one.name,
        "model": model,
        "answers": [
            {"class": a.name, "index": a.index, "probability": round(a.probability, 6)}
            for a in answers
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
        for answer in one["answers"]:
            rows.append((place, f"{answer['probability']:.1%}", answer["class"]))
            place = ""
    return table(("IMAGE", "SURE", "CLASS"), rows)
