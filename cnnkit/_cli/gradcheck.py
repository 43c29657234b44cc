"""`cnnkit gradcheck`: the gradient check of a network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from cnnkit._cli._console import json_option, print_result, table
from cnnkit._cli._networks import find_run, read_definition, read_options
from cnnkit.models import create_model, load_model, model_info
from cnnkit.runs import RunStore
from cnnkit.settings import get_settings

if TYPE_CHECKING:
    from cnnkit.backprop import GradientCheckReport

COLUMNS = ("LAYER", "KIND", "GRADIENT OF", "ELEMENTS", "LARGEST", "TENSORFLOW", "DIFFERENCES")


@click.command()
@click.argument("run_id", required=False)
@click.option(
    "--model",
    "name",
    help="Name of a network to build, or a JSON file that defines one; toy_cnn by default.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the named network.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float64",
    show_default=True,
    help="Precision of the NumPy model.",
)
@click.option(
    "--images",
    "--pictures",
    "images",
    type=click.IntRange(1, 64),
    default=2,
    help="Number of random images.",
)
@click.option(
    "--probes",
    type=click.IntRange(0, 100),
    default=6,
    help="Elements of each array checked by central differences.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, help="Seed of new weights and of the images."
)
@json_option
def gradcheck(
    run_id: str | None,
    name: str | None,
    options: tuple[str, ...],
    dtype: str,
    images: int,
    probes: int,
    seed: int,
    as_json: bool,
):
    """Check the gradients of the NumPy model of a network.

    Of a trained network (RUN_ID, or `starter`) or a new one (--model NAME), with random
    images, against TensorFlow's automatic differentiation and central differences. The exit
    code is 1 if a gradient differs from TensorFlow's.
    """
    if run_id and name:
        raise click.UsageError("Give one of them: RUN_ID or --model NAME.")
    if run_id:
        store = RunStore(get_settings())
        model, _ = load_model(store.model_folder(find_run(store, run_id).id))
    else:
        name = read_definition(Path(name)).code if name and name.endswith(".json") else name
        model_info(name or "toy_cnn")
        model = create_model(name or "toy_cnn", **{"seed": seed, **read_options(options)})
    from cnnkit import backprop

    network = backprop.NumpyModel.from_keras(model, dtype)
    backprop.randomize_zero_kernels(network, seed)
    generator = np.random.default_rng(seed)
    samples = generator.integers(0, 256, (images, *network.input_shape)).astype(np.uint8)
    labels = generator.integers(0, model.outputs[0].shape[-1], images)
    report = backprop.gradcheck(network, samples, labels, probes=probes, seed=seed)
    print_result({"network": model.name, **report.to_dict()}, describe(model.name, report), as_json)
    if not report.equal:
        sys.exit(1)


def describe(name: str, report: GradientCheckReport) -> str:
    """The table for people, and the result below it."""
    rows = [
        (
            check.layer,
            check.kind,
            check.array,
            f"{check.size:,}",
            f"{check.largest:.2e}",
            f"{check.tensorflow:.1e}",
            ""
            if check.differences is None
            else f"{check.differences:.1e} ({check.probed} elements)",
        )
        for check in report.checks
    ]
    result = "Equal" if report.equal else "NOT equal"
    moved = f" and from central differences by {report.worst_difference:.1e}"
    return "\n".join(
        [
            table(COLUMNS, rows),
            "",
            f"{result}: {name} in {report.dtype}, {report.images} images. Relative errors: "
            f"from TensorFlow at most {report.worst:.1e} ({report.tolerance:.0e} allowed)"
            f"{moved if any(check.probed for check in report.checks) else ''}.",
        ]
    )
