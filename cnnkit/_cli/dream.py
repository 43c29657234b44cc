"""`cnnkit dream`: DeepDream on an image."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from cnnkit._cli._images import (
    network_option,
    seed_option,
    steps_option,
    untrained_option,
    write,
)
from cnnkit._cli._networks import open_network, read_bytes
from cnnkit._cli._output import json_option, print_result
from cnnkit._cli._values import assignment
from cnnkit.errors import InvalidRecipeError
from cnnkit.image_io import decode_image, resized
from cnnkit.visualize.deepdream_presets import PRESETS, Dream, usual_dream

if TYPE_CHECKING:
    from cnnkit.models import Predictor

GUIDE_SIDE = 224  # pixels


@click.command()
@click.argument("image", type=click.Path(path_type=Path))
@network_option
@untrained_option
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Published settings.")
@click.option("--layer", "layers", multiple=True, metavar="LAYER=WEIGHT")
@click.option("--octaves", type=click.IntRange(1, 8))
@steps_option
@seed_option
@click.option("--side", default=480, show_default=True, type=click.IntRange(32, 2048))
@click.option(
    "--guide",
    type=click.Path(path_type=Path),
    help="A guiding image: raise the likeness to its activations.",
)
@click.option("--out", default="dream.png", show_default=True, type=click.Path(path_type=Path))
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
    """Apply DeepDream to IMAGE: raise the energy of layers, octave by octave."""
    network = open_network(name, untrained=untrained)
    plan = PRESETS[preset].dream if preset else _usual(network)
    changed = {
        "layers": dict(map(_weighted, layers)) or None,
        "octaves": octaves,
        "steps": steps,
    }
    changes = {field: value for field, value in changed.items() if value is not None}
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
    write(out, to_8bit(last.image))
    found = {
        "image": str(out),
        "size": list(last.image.shape[:2]),
        "steps": last.number,
        "seconds": round(seconds, 1),
        "layers": dict(plan.layers),
        "value": last.value,
    }
    print_result(found, f"{out}: {last.number} steps in {seconds:.1f} s", as_json)


def _usual(network: Predictor) -> Dream:
    from cnnkit.visualize.network import target_layers

    height, width, _ = network.card.input_shape
    found = target_layers(network.model, (height, width))
    return usual_dream([choice.name for choice in found if len(choice.shape) == 3])


def _weighted(text: str) -> tuple[str, float]:
    layer, weight = assignment("--layer", text if "=" in text else f"{text}=1")
    if not isinstance(weight, int | float):
        raise InvalidRecipeError(f"--layer needs LAYER=NUMBER. Received: {text!r}.")
    return layer, float(weight)


def _read(path: Path, channels: int, side: int) -> np.ndarray:
    return resized(decode_image(read_bytes(path), channels=channels), side)
