"""`cnnkit doctor`, `backup` and `restore`: keep a home in order."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cnnkit._cli._console import json_option, print_result
from cnnkit.settings import get_settings


@click.command()
@click.option("--repair", "repairing", is_flag=True, help="Repair what can be repaired.")
@json_option
def doctor(repairing: bool, as_json: bool):
    """Look for what is damaged or left over in the home, and say what to do about each.

    Ends with code 1 while something is wrong. A repair keeps a copy of a damaged record.
    """
    from cnnkit import maintenance

    settings = get_settings()
    if repairing:
        repaired, findings = maintenance.repair(settings)
    else:
        repaired, findings = [], maintenance.examine(settings)
    lines = [f"Repaired: {one.what}" for one in repaired]
    lines += [f"{one.what} {one.advice}" for one in findings]
    values = {
        "repaired": [one.what for one in repaired],
        "findings": [{"what": one.what, "advice": one.advice} for one in findings],
    }
    print_result(values, "\n".join(lines) or f"{settings.home} is in order.", as_json)
    if findings:
        sys.exit(1)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--run", "run_id", help="Back up this run only.")
@json_option
def backup(file: Path, run_id: str | None, as_json: bool):
    """Write the home (runs, networks, own images, no caches) to a new FILE."""
    from cnnkit._cli._networks import find_run
    from cnnkit.maintenance import back_up
    from cnnkit.runs import RunStore

    settings = get_settings()
    if run_id:
        run_id = find_run(RunStore(settings), run_id).id
    count = back_up(settings, file, run_id)
    size = file.stat().st_size
    text = f"{file}: {count:,} files, {size / 2**20:,.1f} MB."
    print_result({"file": str(file), "files": count, "bytes": size}, text, as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def restore(file: Path, as_json: bool):
    """Put back the home or the run that FILE holds; nothing is ever overwritten."""
    from cnnkit import maintenance

    what = maintenance.restore(get_settings(), file)
    print_result({"restored": what}, f"Restored {what}.", as_json)
