"""`cnnkit mosaic`: feature visualization grids, one for each layer."""

from __future__ import annotations

import math
from pathlib import Path

import click

from cnnkit._cli._images import (
    network_option,
    preset_option,
    seed_option,
    steps_option,
    untrained_option,
    write,
)
from cnnkit._cli._networks import open_network
from cnnkit._cli._output import json_option, print_result
from cnnkit.figures import rasters
from cnnkit.visualize import presets
from cnnkit.visualize.mosaics import ALL, SOME, MosaicSettings

WIDTH = 1100  # pixels, of a mosaic


@click.command()
@network_option
@untrained_option
@click.option("--layer", "layers", multiple=True, required=True, help="May be given several times.")
@click.option(
    "--units",
    default=str(SOME),
    show_default=True,
    help="How many channels, drawn at random, or all.",
)
@preset_option
@steps_option
@seed_option
@click.option("--out", default=".", show_default=True, type=click.Path(path_type=Path))
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
    from cnnkit.visualize.mosaics import MosaicBuilder

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
        write(path, rasters.mosaic(result.images, columns=columns, width=WIDTH))
        mosaics.append({"layer": layer, "units": list(result.units), "image": str(path)})
    lines = [f"{one['image']}: {one['layer']} {one['units']}" for one in mosaics]
    print_result(mosaics, "\n".join(lines), as_json)
