"""`cnnkit anatomy`: what a network costs, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnkit._cli._output import json_option, show, table
from cnnkit._cli._values import assignment
from cnnkit.errors import IncompatibleError, InvalidRecipeError
from cnnkit.models import (
    create_model,
    list_models,
    list_pretrained,
    load_pretrained,
    open_uploaded_model,
    without_weights,
)
from cnnkit.models._registry import natural_order

if TYPE_CHECKING:
    from keras import Model

    from cnnkit.anatomy import Anatomy, LayerRow

COLUMNS = ("LAYER", "KIND", "OUTPUT", "PARAMETERS", "MACS", "BYTES", "SEES", "STRIDE")


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--model", "name", help="A network by its name.")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="Of the network by name: its own, or classes=10, input_shape=[32,32,3].",
)
@click.option("--size", metavar="HEIGHTxWIDTH", help="Where the network takes any size.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write the rows there.")
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

    Of a network by name (--model), or of a .keras FILE, which is opened without running
    anything of it.
    """
    if (file is None) == (name is None):
        raise click.UsageError("Give one of them: FILE or --model NAME.")
    if name is not None:
        model = open_architecture(name, dict(assignment("--option", text) for text in options))
    else:
        model = open_uploaded_model(file or "", picture=False)
    from cnnkit.anatomy import dissect

    found = dissect(model, _input_shape(model, size))
    if csv_file is not None:
        csv_file.write_text(found.to_csv(), encoding="utf-8")
    show(found.to_dict(), describe(found), as_json)


def list_architectures() -> list[str]:
    """Names that `open_architecture` knows."""
    return sorted({*list_models(), *list_pretrained()}, key=natural_order)


def open_architecture(name: str, options: Mapping[str, Any]) -> Model:
    """A network by name, without the memory of its weights.

    Args:
        name: one of `list_architectures()`.
        options: the network's own, or `classes`, `input_shape`.

    Raises:
        UnknownModelError: lists the names that exist.
        InvalidRecipeError: an option is unknown or has a value that cannot work.
        IncompatibleError: the pictures are too small for the network.
    """
    if options and name in list_pretrained() and name not in list_models():
        raise InvalidRecipeError(f"{name} has no options. Received: {', '.join(options)}.")
    if name in list_pretrained() and not options:
        return without_weights(lambda: load_pretrained(name, weights=None))
    values = dict(options)
    if "input_shape" in values:
        values["input_shape"] = _sizes("input_shape=[height,width,channels]", values["input_shape"])
    if "classes" in values:
        (values["classes"],) = _sizes("classes=10", [values["classes"]])
    return without_weights(lambda: create_model(name, **values))


def _sizes(wanted: str, values: Any) -> tuple[int, ...]:
    length = wanted.count(",") + 1
    right = isinstance(values, list) and len(values) == length
    if not right or any(type(value) is not int or value < 1 for value in values):
        raise InvalidRecipeError(f"It must be {wanted}. Received: {values!r}.")
    return tuple(values)


def describe(found: Anatomy) -> str:
    """The table for people, the totals below it, and how it was counted."""
    unknown = f", but {len(found.not_counted)} layers not counted" if found.not_counted else ""
    totals = (
        f"{found.name} for {_times(found.input_shape)}: {found.parameters:,} parameters "
        f"({found.trainable:,} trainable), {found.macs:,} MACs{unknown}, "
        f"{found.activation_bytes:,} bytes of activations ({found.peak_activation_bytes:,} at "
        f"once), {found.depth} layers deep."
    )
    return "\n".join([table(COLUMNS, map(_row, found.rows)), "", totals, found.convention])


def _row(row: LayerRow) -> tuple[str, ...]:
    field = _times(row.receptive_field) if row.receptive_field else "unknown"
    return (
        row.name,
        row.kind,
        _times(row.output_shape),
        f"{row.parameters:,}",
        "not counted" if row.macs is None else f"{row.macs:,}",
        f"{row.activation_bytes:,}",
        "all" if row.whole_picture else field,
        _times(row.stride) if row.stride else "",
    )


def _times(sides: tuple[float, ...]) -> str:
    return "×".join(f"{side:g}" if side % 1 else f"{side:.0f}" for side in sides)


def _input_shape(model: Model, size: str | None) -> tuple[int, ...] | None:
    if size is None:
        return None
    sides = size.lower().split("x")
    if not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise IncompatibleError(f"--size needs HEIGHTxWIDTH, as in 224x224. Received: {size!r}.")
    return (*map(int, sides), model.inputs[0].shape[-1])
