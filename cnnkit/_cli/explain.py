"""`cnnkit explain`: which pixels of images speak for an answer."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from cnnkit._cli._console import assignment, counting, json_option, print_result, table
from cnnkit._cli._networks import class_number, open_network
from cnnkit.errors import CnnkitError
from cnnkit.explain import Method, contrast, get_method, list_methods
from cnnkit.explain.registry import CAM, UnknownMethodError, UnknownOptionError
from cnnkit.figures import attribution
from cnnkit.image_io import read_image
from cnnkit.models import Predictor
from cnnkit.predict import FITS, prepare, softmax

STRENGTH = 0.7  # of the maps over the image
SUFFIXES = (".png", ".npz", ".csv")
COLUMNS: tuple[str, ...] = (
    "image",
    "model",
    "class",
    "against",
    "probability",
    "method",
    "seconds",
    "error",
)


@dataclass(frozen=True, eq=False)
class _Result:
    """One method on one image, or why there is none."""

    row: dict[str, Any]  # by `COLUMNS`
    method: Method
    image: np.ndarray | None = None  # uint8, the network's input
    map_: np.ndarray | None = None  # float32 (height, width)


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model",
    "name",
    default="mobilenet_v2",
    show_default=True,
    help="Pretrained network, run id, or a .keras, .h5 or .zip file.",
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    default=("grad_cam",),
    show_default=True,
    help="Method, such as grad_cam or gradcam; may be repeated. A wrong name lists all.",
)
@click.option("--class", "class_name", help="A class, by its name or number; else the predicted.")
@click.option("--against", help="A second class: why that one and not this.")
@click.option("--layer", help="Layer of class activation maps, instead of the last.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="OPTION=VALUE",
    help="Change an option of the methods, such as samples=20 or baseline=blurred.",
)
@click.option(
    "--fit",
    default="crop",
    show_default=True,
    type=click.Choice(list(FITS)),
    help="How an image is resized to the input.",
)
@click.option(
    "--out",
    "outs",
    multiple=True,
    default=("explanation.png",),
    show_default=True,
    type=click.Path(path_type=Path),
    help="A .png with the maps over the images, .npz with the maps, or .csv; may be repeated.",
)
@json_option
def explain(
    images: tuple[Path, ...],
    name: str,
    methods: tuple[str, ...],
    class_name: str | None,
    against: str | None,
    layer: str | None,
    changes: tuple[str, ...],
    fit: str,
    outs: tuple[Path, ...],
    as_json: bool,
):
    """Show which pixels of images speak for an answer.

    An image or a method that fails is reported with the reason; the others are explained, and
    the exit status is 1.
    """
    wrong = [str(path) for path in outs if path.suffix not in SUFFIXES]
    if wrong:
        raise click.UsageError(f"--out must end in {', '.join(SUFFIXES)}. Received: {wrong[0]}.")
    chosen = [_method(one) for one in methods]
    options = _options(chosen, dict(assignment("--set", text) for text in changes), layer)
    network = open_network(name)
    network.card.check_classes()
    names = network.card.class_names
    one = None if class_name is None else class_number(names, class_name)
    other = None if against is None else class_number(names, against)
    results = []
    for path in images:
        results += _explain(path, name, network, chosen, options, (one, other), fit)
    for out in outs:
        _write(out, results)
    rows = [result.row for result in results]
    text = table(COLUMNS, [[row[column] for column in COLUMNS] for row in rows])
    print_result(rows, text, as_json)
    if any(row["error"] for row in rows):
        raise click.exceptions.Exit(1)


def _method(text: str) -> Method:
    """A method by its name, however it is written: grad_cam, gradcam, Grad-CAM++."""

    def plain(name: str) -> str:
        return re.sub("[^a-z]", "", name.lower().replace("++", "plusplus").replace("×", "x"))

    alike = [name for name in list_methods() if plain(text) == plain(name)]
    if not alike:
        raise UnknownMethodError(text, list_methods())
    return get_method(alike[0])


def _options(
    methods: Sequence[Method], changes: Mapping[str, Any], layer: str | None
) -> dict[str, dict[str, Any]]:
    """The options of each method: each change goes to all methods that have the option."""
    known = {option for method in methods for option in method.options}
    for option in changes:
        if option not in known:
            raise UnknownOptionError(option, known)
    options = {m.name: {k: v for k, v in changes.items() if k in m.options} for m in methods}
    if layer:
        for method in methods:
            if method.family == CAM:
                options[method.name]["layer"] = layer
    return options


def _explain(
    path: Path,
    name: str,
    network: Predictor,
    methods: Sequence[Method],
    options: Mapping[str, Mapping[str, Any]],
    classes: tuple[int | None, int | None],
    fit: str,
) -> list[_Result]:
    names = network.card.class_names
    row: dict[str, Any] = dict.fromkeys(COLUMNS, "") | {"image": str(path), "model": name}
    try:
        image = prepare(read_image(path.read_bytes()).array, network.card.input_shape, fit)
    except (CnnkitError, OSError) as error:
        system = error.strerror if isinstance(error, OSError) else None
        reason = f"cannot be read: {system}" if system else str(error)
        return [_Result(row | {"error": reason}, method) for method in methods]
    logits = network.logits(image[np.newaxis])[0]
    one, other = classes
    one = _predicted(logits) if one is None else one
    row |= {"class": names[one] if len(names) > 1 else one}
    row |= {"probability": round(_probability(logits, one), 6)}
    row |= {"against": "" if other is None else names[other]}
    target = one if other is None else contrast(one, other)
    results = []
    for method in methods:
        own = row | {"method": method.name}
        began = time.perf_counter()
        try:
            steps = method.steps(network.model, image[np.newaxis], target, **options[method.name])
            with counting(f"{path.name}: {method.title}") as progress:
                map_ = _last(steps, progress)[0]
        except (CnnkitError, ValueError) as error:
            results.append(_Result(own | {"error": str(error)}, method))
            continue
        own["seconds"] = round(time.perf_counter() - began, 3)
        results.append(_Result(own, method, image, map_))
    return results


def _last(steps, progress) -> np.ndarray:
    while True:
        try:
            progress(*next(steps))
        except StopIteration as end:
            return end.value


def _predicted(logits: np.ndarray) -> int:
    return int(logits[0] > 0) if len(logits) == 1 else int(logits.argmax())


def _probability(logits: np.ndarray, number: int) -> float:
    # One logit z stands for two classes, -z/2 and z/2.
    both = np.array([-logits[0], logits[0]]) / 2 if len(logits) == 1 else logits
    return float(softmax(both)[number])


def _write(out: Path, results: Sequence[_Result]) -> None:
    if out.suffix == ".csv":
        with out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(one.row for one in results)
    elif out.suffix == ".npz":
        maps = {
            f"{one.row['image']}/{one.row['method']}": one.map_
            for one in results
            if one.map_ is not None
        }
        np.savez_compressed(out, allow_pickle=False, **maps)
    elif any(one.map_ is not None for one in results):
        Image.fromarray(_grid(results)).save(out)


def _grid(results: Sequence[_Result]) -> np.ndarray:
    """A row for each image: the image, and each method's map over it."""
    rows: dict[str, list[tuple[str, np.ndarray]]] = {}
    for one in results:
        image = one.image
        if image is None or one.map_ is None:
            continue
        row = one.row
        said = str(row["class"]) + (f", not {row['against']}" if row["against"] else "")
        first = f"{Path(row['image']).name}\n{said}", np.repeat(image, 3 // image.shape[-1], -1)
        tiles = rows.setdefault(row["image"], [first])
        over = attribution.overlay(image, one.map_, signed=one.method.signed, strength=STRENGTH)
        tiles.append((f"{one.method.title}\n{row['seconds']:.1f} s", over))
    side = max(224, max(tile.shape[1] for row in rows.values() for _, tile in row))
    return attribution.labeled_grid(list(rows.values()), side=side)
