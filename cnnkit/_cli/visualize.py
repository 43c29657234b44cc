"""`cnnkit visualize`, `mosaic` and `dream`: the commands that optimize images."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from PIL import Image

from cnnkit._cli._console import assignment, json_option, print_result
from cnnkit._cli._networks import class_number, open_network, read_bytes
from cnnkit.errors import InvalidRecipeError
from cnnkit.figures import rasters
from cnnkit.image_io import decode_image, resized
from cnnkit.visualize import Plan, channel, class_logit, presets
from cnnkit.visualize.deepdream_presets import PRESETS, Dream, usual_dream
from cnnkit.visualize.mosaics import ALL, SOME, MosaicBuilder, MosaicSettings

if TYPE_CHECKING:
    from cnnkit.models import Predictor

GUIDE_SIDE = 224  # pixels
MOSAIC_WIDTH = 1100  # pixels

_NETWORK_OPTIONS = (
    click.option(
        "--model",
        "name",
        default="googlenet",
        show_default=True,
        help="Pretrained network, run id, or a .keras, .h5 or .zip file.",
    ),
    click.option("--untrained", is_flag=True, help="Use random weights."),
)
_PRESET_OPTION = click.option(
    "--preset",
    default="all",
    show_default=True,
    type=click.Choice(presets.names()),
    help="Settings to use.",
)
_STEP_OPTIONS = (
    click.option(
        "--steps", type=click.IntRange(1, 100_000), help="Number of steps, instead of the preset's."
    ),
    click.option(
        "--seed",
        default=0,
        show_default=True,
        type=click.IntRange(0),
        help="Seed of the initial noise.",
    ),
)


def _options(*options: Callable) -> Callable:
    """Several options as one decorator, shown in this order."""

    def decorate(command: Callable) -> Callable:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _out_option(default: str) -> Callable:
    return click.option(
        "--out",
        default=default,
        show_default=True,
        type=click.Path(path_type=Path),
        help="Where to write.",
    )


@click.command()
@_options(*_NETWORK_OPTIONS)
@click.option("--class", "class_name", help="A class, by its name or number.")
@click.option("--layer", help="A hidden layer, with --unit, instead of a class.")
@click.option(
    "--unit", default=0, show_default=True, type=click.IntRange(0), help="Channel of the layer."
)
@_options(_PRESET_OPTION, *_STEP_OPTIONS)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Change a number of the plan, such as objective.total_variation.weight=-0.5; "
    "regularizers have negative weights. An unknown name lists all names.",
)
@_out_option("image.png")
@json_option
def visualize(
    name: str,
    untrained: bool,
    class_name: str | None,
    layer: str | None,
    unit: int,
    preset: str,
    steps: int | None,
    seed: int,
    changes: tuple[str, ...],
    out: Path,
    as_json: bool,
):
    """Optimize an image for a class or a channel, and check how the network classifies it."""
    if (class_name is None) == (layer is None):
        raise click.UsageError("Give one of them: --class, or --layer with --unit.")
    network = open_network(name, untrained=untrained)
    names = network.card.class_names
    index = unit if class_name is None else class_number(names, class_name)
    height, width, _ = network.card.input_shape
    chosen = presets.get(preset)
    plan = chosen.plan(
        class_logit(index) if layer is None else channel(layer, index),
        size=(height, width),
        steps=steps or chosen.steps,
        seed=seed,
    )
    plan = _with_numbers(plan, changes)
    from cnnkit.visualize.fooling import as_shown, fooling_check
    from cnnkit.visualize.optimize import last_of, maximize

    began = time.monotonic()
    last = last_of(maximize(network.model, plan))
    seconds = time.monotonic() - began
    _write(out, as_shown(last.images, plan)[0])
    target = names[index] if layer is None else None
    checks = fooling_check(last.images[0], network, target=target) if target else []
    result: dict[str, Any] = {
        "image": str(out),
        "steps": last.number,
        "seconds": round(seconds, 1),
        "values": {term: float(values[0]) for term, values in last.values.items()},
        "notes": list(last.notes),
        "plan": plan.to_dict(),
        "reclassification": [one.to_dict() for one in checks],
    }
    lines = [str(plan), f"{out}: {last.number} steps in {seconds:.1f} s", *last.notes]
    lines += [f"{term}: {value:.4g}" for term, value in result["values"].items()]
    lines += [f"{one.form}: {one.target:.2%} {target}" for one in checks]
    print_result(result, "\n".join(lines), as_json)


def _with_numbers(plan: Plan, texts: Sequence[str]) -> Plan:
    """The plan with numbers of its own changed, or of any other registered component."""
    numbers = dict(assignment("--set", text) for text in texts)
    try:
        with contextlib.suppress(ValueError):
            return plan.turned(numbers)
        return presets.completed(plan).turned(numbers)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


@click.command()
@_options(*_NETWORK_OPTIONS)
@click.option(
    "--layer", "layers", multiple=True, required=True, help="Name of a layer; may be repeated."
)
@click.option(
    "--units",
    default=str(SOME),
    show_default=True,
    help="How many randomly chosen channels per layer, or all.",
)
@_options(_PRESET_OPTION, *_STEP_OPTIONS)
@_out_option(".")
@json_option
def mosaic(
    name: str,
    untrained: bool,
    layers: tuple[str, ...],
    units: str,
    preset: str,
    steps: int | None,
    seed: int,
    out: Path,
    as_json: bool,
):
    """Optimize an image for each channel, and write a mosaic for each layer into --out."""
    if units != ALL and not (units.isdecimal() and int(units) > 0):
        raise click.UsageError(f"--units must be a number above 0, or all. Received: {units!r}.")
    network = open_network(name, untrained=untrained)
    settings = MosaicSettings(
        units=units if units == ALL else int(units),
        preset=preset,
        steps=steps or presets.get(preset).steps,
        seed=seed,
    )
    builder = MosaicBuilder(network, settings, layers, None)
    mosaics = []
    for layer in layers:
        result = builder.finished(layer)
        columns = math.ceil(math.sqrt(len(result.units)))
        path = out / f"{layer.replace('/', '.')}.png"
        _write(path, rasters.mosaic(result.images, columns=columns, width=MOSAIC_WIDTH))
        mosaics.append({"layer": layer, "units": list(result.units), "image": str(path)})
    lines = [f"{one['image']}: {one['layer']} {one['units']}" for one in mosaics]
    print_result(mosaics, "\n".join(lines), as_json)


@click.command()
@click.argument("image", type=click.Path(path_type=Path))
@_options(*_NETWORK_OPTIONS)
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Published settings.")
@click.option(
    "--layer",
    "layers",
    multiple=True,
    metavar="LAYER=WEIGHT",
    help="A layer and its weight in the objective; may be repeated.",
)
@click.option("--octaves", type=click.IntRange(1, 8), help="Number of image scales.")
@_options(*_STEP_OPTIONS)
@click.option(
    "--side",
    default=480,
    show_default=True,
    type=click.IntRange(32, 2048),
    help="Longer side of the image, in pixels.",
)
@click.option(
    "--guide",
    type=click.Path(path_type=Path),
    help="A guide image: amplify the features that it has too.",
)
@_out_option("dream.png")
@json_option
def dream(
    image: Path,
    name: str,
    untrained: bool,
    preset: str | None,
    layers: tuple[str, ...],
    octaves: int | None,
    steps: int | None,
    seed: int,
    side: int,
    guide: Path | None,
    out: Path,
    as_json: bool,
):
    """Apply DeepDream to IMAGE: maximize the activations of layers, octave by octave."""
    network = open_network(name, untrained=untrained)
    plan = PRESETS[preset].dream if preset else _usual(network)
    changes = {"layers": dict(map(_weighted, layers)), "octaves": octaves, "steps": steps}
    changes = {field: value for field, value in changes.items() if value}
    plan = dataclasses.replace(plan, seed=seed, guided=guide is not None, **changes)
    from cnnkit.visualize.deepdream import dream as dreaming
    from cnnkit.visualize.fooling import to_8bit
    from cnnkit.visualize.optimize import last_of

    channels = network.card.input_shape[-1]
    guide_image = None if guide is None else _read(guide, channels, GUIDE_SIDE)
    began = time.monotonic()
    source = _read(image, channels, side)
    last = last_of(dreaming(network.model, source, plan, guided_by=guide_image))
    seconds = time.monotonic() - began
    _write(out, to_8bit(last.image))
    result = {
        "image": str(out),
        "size": list(last.image.shape[:2]),
        "steps": last.number,
        "seconds": round(seconds, 1),
        "layers": dict(plan.layers),
        "value": last.value,
    }
    print_result(result, f"{out}: {last.number} steps in {seconds:.1f} s", as_json)


def _usual(network: Predictor) -> Dream:
    from cnnkit.visualize.network import target_layers

    height, width, _ = network.card.input_shape
    layers = target_layers(network.model, (height, width))
    return usual_dream([layer.name for layer in layers if len(layer.shape) == 3])


def _weighted(text: str) -> tuple[str, float]:
    layer, weight = assignment("--layer", text if "=" in text else f"{text}=1")
    if not isinstance(weight, int | float):
        raise InvalidRecipeError(f"--layer needs LAYER=NUMBER. Received: {text!r}.")
    return layer, float(weight)


def _read(path: Path, channels: int, side: int) -> np.ndarray:
    return resized(decode_image(read_bytes(path), channels=channels), side)


def _write(path: Path, image: np.ndarray) -> None:
    """Write uint8 (height, width, 1 or 3) in the format that the file's name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        Image.fromarray(image.squeeze()).save(path)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path} cannot be written: {error}.") from error
