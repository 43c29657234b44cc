"""`cnnkit reproduce`: published results beside ours, each of which can be run again."""

from __future__ import annotations

import click

from cnnkit._cli._console import json_option, print_result, table
from cnnkit._cli._follow import start
from cnnkit.jobs.kinds import TRAINED
from cnnkit.published.reproductions import Reproduction, get_reproduction, list_reproductions
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import get_settings
from cnnkit.training.estimates import recipe_of


@click.command()
@click.argument("row", required=False)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Seed of initial weights, shuffling and augmentation.",
)
@click.option("--detach", is_flag=True, help="Do not wait: train in the background.")
@json_option
def reproduce(row: str | None, seed: int, detach: bool, as_json: bool):
    """Run ROW of the table of published results; without ROW, show the table."""
    settings = get_settings()
    store = RunStore(settings)
    if row is None:
        return _show_table(store, as_json)
    reproduction = get_reproduction(row)
    if reproduction.missing and settings.offline:
        raise click.ClickException(reproduction.missing)
    run = store.create("train", reproduction.seeded(seed).to_dict(), reproduction.title)
    start(settings, store, run, detach=detach, as_json=as_json)


def _show_table(store: RunStore, as_json: bool) -> None:
    finished = store.list(statuses=[Status.FINISHED], limit=10_000)
    lines = []
    for row in list_reproductions():
        ours = _newest(finished, row)
        lines.append(
            {
                "name": row.name,
                "title": row.title,
                "measure": row.measure,
                "published": row.value,
                "ours": ours.metrics.get(row.measure) if ours else None,
                "seconds": ours.metrics.get("seconds") if ours else None,
                "run": ours.id if ours else None,
                "source": row.source,
            }
        )
    rows = [
        (
            line["name"],
            line["measure"],
            f"{line['published']:.2%}",
            "" if line["ours"] is None else f"{line['ours']:.2%}",
            "" if line["seconds"] is None else f"{line['seconds']:.0f} s",
            line["title"],
        )
        for line in lines
    ]
    print_result(
        lines, table(("ROW", "MEASURE", "PUBLISHED", "OURS", "TIME", "TITLE"), rows), as_json
    )


def _newest(runs: list[Run], row: Reproduction) -> Run | None:
    trained = ((run, recipe_of(run.spec)) for run in runs if run.kind in TRAINED)
    return next((run for run, recipe in trained if recipe and row.matches(recipe)), None)
