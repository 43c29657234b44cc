"""`cnnkit build`: a network's definition, checked, and written as JSON or as Keras code."""

from __future__ import annotations

from pathlib import Path

import click

from cnnkit._cli._console import json_option, print_result, table
from cnnkit._cli._networks import read_definition
from cnnkit.errors import IncompatibleError
from cnnkit.models import seeds
from cnnkit.models.builder import (
    CheckedDefinition,
    NetworkDefinition,
    check_definition,
    get_template,
    is_code,
    keras_code,
)

COLUMNS = ("LAYER", "KIND", "WHAT IT DOES", "OUTPUT", "PARAMETERS", "MACS", "RECEPTIVE FIELD")


@click.command()
@click.argument("network")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the definition to this file: .json, or .py for Keras code.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Of the weights in the Keras code.",
)
@json_option
def build(network: str, out: Path | None, seed: int, as_json: bool):
    """Check a NETWORK's definition: shapes, costs, and what does not fit.

    NETWORK is a JSON file, the name of a template such as lenet5 or small_cnn, or what stands
    behind network= in the address of the page Build.
    """
    checked = check_definition(_definition(network))
    if out is not None:
        out.write_text(_text(checked.definition, out, seed), encoding="utf-8")
    print_result(_values(checked), _describe(checked), as_json)
    if checked.problems:
        raise SystemExit(1)


def _definition(network: str) -> NetworkDefinition:
    if network.endswith(".json"):
        return read_definition(Path(network))
    if is_code(network):
        return NetworkDefinition.from_code(network)
    return get_template(network)


def _text(definition: NetworkDefinition, out: Path, seed: int) -> str:
    if out.suffix == ".json":
        return definition.to_json()
    if out.suffix == ".py":
        return keras_code(definition, seeds(seed))
    raise IncompatibleError(f"--out needs a file that ends with .json or .py. Received: {out}.")


def _values(checked: CheckedDefinition) -> dict:
    costs = checked.table.to_dict() if checked.table else None
    return {
        "definition": checked.definition.to_dict(),
        "code": checked.definition.code,
        "problems": [str(problem) for problem in checked.problems],
        "costs": costs,
    }


def _describe(checked: CheckedDefinition) -> str:
    rows = [
        (
            one.entry.name,
            one.entry.kind,
            one.detail,
            "×".join(map(str, one.shape)) if one.shape else "?",
            f"{one.parameters:,}",
            f"{one.macs:,}",
            one.receptive_field,
        )
        for one in checked.entries
    ]
    lines = [table(COLUMNS, rows), ""]
    if checked.table:
        lines.append(
            f"{checked.definition.title}: {checked.table.parameters:,} parameters, "
            f"{checked.table.macs:,} MACs, {checked.table.activation_bytes:,} bytes of activations."
        )
    lines += [f"Does not fit: {problem}" for problem in checked.problems]
    lines += [f"Advice: {one}" for one in checked.advice]
    return "\n".join(lines)
