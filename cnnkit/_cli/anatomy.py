"""`cnnkit anatomy`: parameters, MACs, memory and receptive field of each layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnkit._cli._console import json_option, print_result, table
from cnnkit._cli._networks import read_definition, read_options
from cnnkit.errors import IncompatibleError
from cnnkit.models import open_architecture, open_uploaded_model
from cnnkit.models.builder import costs_of

if TYPE_CHECKING:
    from cnnkit.anatomy import LayerRow, LayerTable

COLUMNS = ("LAYER", "KIND", "OUTPUT", "PARAMETERS", "MACS", "BYTES", "RECEPTIVE FIELD", "STRIDE")


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--model", "name", help="Name of a network.")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the named network, or classes=10, input_shape=[32,32,3].",
)
@click.option("--size", metavar="HEIGHTxWIDTH", help="Image size, for a network that takes any.")
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path), help="Write the table to this file."
)
@json_option
def anatomy(
    file: Path | None,
    name: str | None,
    options: tuple[str, ...],
    size: str | None,
    csv_file: Path | None,
    as_json: bool,
):
    """Count parameters, multiply-accumulates, memory and receptive fields.

    Of a network by name (--model), of a .keras or .h5 FILE, which is opened without running
    anything of it, or of a .json FILE that defines a network (see `cnnkit build`).
    """
    if (file is None) == (name is None):
        raise click.UsageError("Give one of them: FILE or --model NAME.")
    if file is not None and file.suffix == ".json":
        layers = _defined(file, size)
    else:
        layers = _built(file or "", name, options, size)
    if csv_file is not None:
        csv_file.write_text(layers.to_csv(), encoding="utf-8")
    print_result(layers.to_dict(), describe(layers), as_json)


def describe(layers: LayerTable) -> str:
    """The table for people, the totals below it, and how it was counted."""
    unknown = f", but {len(layers.not_counted)} layers not counted" if layers.not_counted else ""
    totals = (
        f"{layers.name} for {_times(layers.input_shape)}: {layers.parameters:,} parameters "
        f"({layers.trainable:,} trainable), {layers.macs:,} MACs{unknown}, "
        f"{layers.activation_bytes:,} bytes of activations ({layers.peak_activation_bytes:,} at "
        f"once), {layers.depth} layers deep."
    )
    return "\n".join([table(COLUMNS, map(_row, layers.rows)), "", totals, layers.convention])


def _row(row: LayerRow) -> tuple[str, ...]:
    field = _times(row.receptive_field) if row.receptive_field else "unknown"
    return (
        row.name,
        row.kind,
        _times(row.output_shape),
        f"{row.parameters:,}",
        "not counted" if row.macs is None else f"{row.macs:,}",
        f"{row.activation_bytes:,}",
        "whole image" if row.whole_image else field,
        _times(row.stride) if row.stride else "",
    )


def _times(sides: tuple[float, ...]) -> str:
    return "×".join(f"{side:g}" if side % 1 else f"{side:.0f}" for side in sides)


def _defined(file: Path, size: str | None) -> LayerTable:
    definition = read_definition(file)
    shape = _input_shape(definition.input_shape[2], size) or definition.input_shape
    return costs_of(definition.on(shape, definition.classes))


def _built(
    file: Path | str, name: str | None, options: tuple[str, ...], size: str | None
) -> LayerTable:
    if name is not None:
        model = open_architecture(name, read_options(options))
    else:
        model = open_uploaded_model(file, image=False)
    from cnnkit.anatomy import layer_table

    return layer_table(model, _input_shape(model.inputs[0].shape[-1], size))


def _input_shape(channels: int, size: str | None) -> tuple[int, int, int] | None:
    if size is None:
        return None
    sides = size.lower().split("x")
    if len(sides) != 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise IncompatibleError(f"--size needs HEIGHTxWIDTH, as in 224x224. Received: {size!r}.")
    height, width = map(int, sides)
    return height, width, channels
