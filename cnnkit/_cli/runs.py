"""`cnnkit runs`: list, show and control runs, whether started here or in the app."""

from __future__ import annotations

import time

import click

from cnnkit._cli._console import json_option, print_result, summary, table
from cnnkit._cli._follow import start
from cnnkit._cli._networks import find_run
from cnnkit.jobs import ask_cancel, ask_pause, kill, requeue, resume_in_words
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import get_settings

KILL_AFTER = 1.0  # seconds after asking


@click.group()
def runs():
    """List, show, cancel, pause, resume, rename and delete runs."""


@runs.command(name="list")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([*Status]),
    help="Only runs of this status; may be repeated.",
)
@click.option("--text", help="Only runs with this in their name, network or data set.")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1),
    help="List at most this many runs.",
)
@json_option
def list_runs(statuses: tuple[str, ...], text: str | None, limit: int, as_json: bool):
    """List runs, newest first."""
    listed = _store().list(statuses=list(map(Status, statuses)) or None, text=text, limit=limit)
    rows = [(run.id[:8], run.status, _error(run), _created(run), run.name) for run in listed]
    text = table(("ID", "STATUS", "TEST ERROR", "CREATED", "NAME"), rows)
    print_result([run.to_dict() for run in listed], text, as_json)


@runs.command(name="show")
@click.argument("run_id")
@json_option
def show_run(run_id: str, as_json: bool):
    """Show one run: its recipe, metrics and curves."""
    store = _store()
    run = find_run(store, run_id)
    history = store.history(run.id)
    lines = [summary(run), *filter(None, [run.split])]
    lines += [f"{name}: {value:g}" for name, value in sorted(run.metrics.items())]
    print_result(run.to_dict() | {"history": history}, "\n".join(lines), as_json)


@runs.command()
@click.argument("run_id")
@json_option
def cancel(run_id: str, as_json: bool):
    """Stop a run at once; it can be resumed from its last checkpoint, if it has one."""
    store = _store()
    run = ask_cancel(store, find_run(store, run_id).id)
    deadline = time.monotonic() + KILL_AFTER
    while not run.status.over and time.monotonic() < deadline:
        time.sleep(0.1)
        run = store.get(run.id)
    if not run.status.over:
        kill(store, run)
        run = store.get(run.id)
    words = f"{summary(run)}. `cnnkit runs resume` {resume_in_words(store.settings, run)}."
    print_result(run.to_dict(), words, as_json)


@runs.command()
@click.argument("run_id")
@json_option
def pause(run_id: str, as_json: bool):
    """Pause a run at the end of the current epoch."""
    store = _store()
    run = ask_pause(store, find_run(store, run_id).id)
    print_result(run.to_dict(), f"{run.name} will pause at the end of the current epoch.", as_json)


@runs.command()
@click.argument("run_id")
@click.option("--detach", is_flag=True, help="Do not wait: train in the background.")
@json_option
def resume(run_id: str, detach: bool, as_json: bool):
    """Resume a run from its last checkpoint, or from the start, and wait for it."""
    settings, store = get_settings(), _store()
    run = requeue(store, find_run(store, run_id).id)
    start(settings, store, run, detach=detach, as_json=as_json)


@runs.command()
@click.argument("run_id")
@click.argument("name")
@json_option
def rename(run_id: str, name: str, as_json: bool):
    """Rename a run."""
    store = _store()
    run = find_run(store, run_id)
    store.rename(run.id, name)
    run = store.get(run.id)
    print_result(run.to_dict(), summary(run), as_json)


@runs.command()
@click.argument("run_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def delete(run_id: str, yes: bool, as_json: bool):
    """Delete a run and its files."""
    store = _store()
    run = find_run(store, run_id)
    if not yes:
        click.confirm(f"Delete {run.name!r} and its files?", abort=True, err=True)
    store.delete(run.id)
    print_result({"deleted": run.id}, f"Deleted {run.name}.", as_json)


def _store() -> RunStore:
    return RunStore(get_settings())


def _error(run: Run) -> str:
    return f"{run.metrics['test_error']:.2%}" if "test_error" in run.metrics else ""


def _created(run: Run) -> str:
    return run.created.astimezone().strftime("%Y-%m-%d %H:%M") if run.created else ""
