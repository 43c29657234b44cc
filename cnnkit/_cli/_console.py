"""What the commands share: `--json`, `KEY=VALUE`, tables, and progress bars."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from cnnkit.assets import Progress
from cnnkit.errors import InvalidRecipeError
from cnnkit.runs import Run

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_result(value: Any, text: str, as_json: bool) -> None:
    """Print a value as JSON, or else its text."""
    click.echo(json.dumps(value, indent=1, default=str) if as_json else text)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns as wide as they need to be."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def summary(run: Run) -> str:
    """One line on a run: status, and its error on the test part if it has one."""
    words = [f"{run.name} ({run.id}): {run.status}"]
    if "test_error" in run.metrics:
        words.append(f"test error {run.metrics['test_error']:.2%}")
    if "features_seconds" in run.metrics:
        words.append(f"{run.metrics['features_seconds']:.1f} s for features")
    if "seconds" in run.metrics:
        words.append(f"{run.metrics['seconds']:.1f} s of training")
    if run.note:
        words.append(run.note)
    if run.reason:
        words.append(run.reason.splitlines()[0])
    return ", ".join(words)


def assignment(flag: str, text: str) -> tuple[str, Any]:
    """Name and value of `epochs=3`, `model_options.activation=relu`.

    Raises:
        InvalidRecipeError: there is no equals sign.
    """
    field, equals, value = text.partition("=")
    if not equals:
        raise InvalidRecipeError(f"{flag} needs FIELD=VALUE. Received: {text!r}.")
    try:
        return field, json.loads(value)
    except json.JSONDecodeError:
        return field, value


@contextmanager
def counting(title: str) -> Iterator[Progress]:
    """A function to report how many of how many to; the bar appears with the first of them."""
    bars = []

    def show(done: int, total: int) -> None:
        if not bars or bars[-1].length != total:
            bars.append(click.progressbar(length=total, label=title, file=sys.stderr))
        bars[-1].update(done - bars[-1].pos)

    try:
        yield show
    finally:
        for bar in bars:
            bar.render_finish()
