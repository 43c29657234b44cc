"""`cnnkit visualize`: activation maximization of a class or a channel."""

from __future__ import annotations

import contextlib
import difflib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from cnnkit._cli._values import assignment
from cnnkit.visualize import Plan, channel, class_logit, presets

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@network_option
@untrained_option
@click.option("--class", "class_name", help="A class, by its name or number.")
@click.option("--layer", help="A hidden layer, with --unit, instead of a class.")
@click.option("--unit", default=0, show_default=True, type=click.IntRange(0), help="Its channel.")
@preset_option
@steps_option
@seed_option
@click.option(
    "--set",
    "turned",
    multiple=True,
    metavar="NAME=NUMBER",
    help="A number of the plan, such as objective.total_variation.weight=-0.5; regularizers "
    "have negative weights. A wrong name lists all there are.",
)
@click.option("--out", default="image.png", show_default=True, type=click.Path(path_type=Path))
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
    turned: tuple[str, ...],
    out: Path,
    as_json: bool,
):
    """Optimize an image for a class or a channel, and check how the network classifies it."""
    if (class_name is None) == (layer is None):
        raise click.UsageError("Give one of them: --class, or --layer with --unit.")
    network = open_network(name, untrained=untrained)
    names = network.card.class_names
    index = unit if class_name is None else _class(names, class_name)
    height, width, _ = network.card.input_shape
    chosen = presets.get(preset)
    plan = chosen.plan(
        class_logit(index) if layer is None else channel(layer, index),
        size=(height, width),
        steps=steps or chosen.steps,
        seed=seed,
    )
    plan = _turned(plan, turned)
    from cnnkit.visualize.fooling import as_shown, fooling_check
    from cnnkit.visualize.optimize import last_of, maximize

    began = time.monotonic()
    last = last_of(maximize(network.model, plan))
    seconds = time.monotonic() - began
    write(out, as_shown(last.images, plan)[0])
    target = names[index] if layer is None else None
    checks = fooling_check(last.images[0], network, target=target) if target else []
    found: dict[str, Any] = {
        "image": str(out),
        "steps": last.number,
        "seconds": round(seconds, 1),
        "values": {term: float(values[0]) for term, values in last.values.items()},
        "notes": list(last.notes),
        "plan": plan.to_dict(),
        "reclassification": [one.to_dict() for one in checks],
    }
    lines = [str(plan), f"{out}: {last.number} steps in {seconds:.1f} s", *last.notes]
    lines += [f"{term}: {value:.4g}" for term, value in found["values"].items()]
    lines += [f"{one.form}: {one.target:.2%} {target}" for one in checks]
    print_result(found, "\n".join(lines), as_json)


def _class(names: Sequence[str], wanted: str) -> int:
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and int(wanted) < len(names):
        return int(wanted)
    near = difflib.get_close_matches(wanted, names, n=5, cutoff=0.4)
    hint = f"Did you mean {', '.join(near)}?" if near else "See the names with `cnnkit predict`."
    raise click.ClickException(
        f"The network has no class {wanted!r} among its {len(names)}. {hint}"
    )


def _turned(plan: Plan, texts: Sequence[str]) -> Plan:
    """The plan with numbers of its own changed, or of any other registered component."""
    numbers = dict(assignment("--set", text) for text in texts)
    try:
        with contextlib.suppress(ValueError):
            return plan.turned(numbers)
        return presets.completed(plan).turned(numbers)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
