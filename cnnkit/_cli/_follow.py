"""Starting a run from the command line, and telling how it goes until it ends."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable

import click

from cnnkit.jobs import JobPool, resume_in_words
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import Settings

LOOK_SECONDS = 0.5
Say = Callable[[str], None]


def run_to_end(settings: Settings, store: RunStore, run: Run, *, quiet: bool) -> Run:
    """Run a queued run in a child process of this one, and report its epochs.

    Control-C cancels it; its last checkpoint stays, if an epoch was finished.

    Args:
        settings: of this process; no spare child is kept.
        store: the record.
        run: queued.
        quiet: say nothing.
    """
    pool = JobPool(dataclasses.replace(settings, spare=False), store)
    try:
        pool.submit(run.id)
        return follow(store, run.id, _nothing if quiet else _say)
    except KeyboardInterrupt:
        pool.cancel(run.id)
        run = follow(store, run.id, _nothing)
        _say(f"Cancelled. `cnnkit runs resume {run.id}` {resume_in_words(settings, run)}.")
        return run
    finally:
        pool.close()


def start_detached(settings: Settings, run: Run) -> None:
    """Start a queued run's child process and leave it alone; no server is needed."""
    from cnnkit.jobs._child import start_child

    start_child(settings, run.id, lease=None, shared=False)


def follow(store: RunStore, run_id: str, say: Say) -> Run:
    """Wait until a run is over, and tell each epoch as it ends."""
    told, split_told = 0, False
    while True:
        run = store.get(run_id)
        if run.split and not split_told:
            split_told = True
            say(run.split)
        for row in store.history(run_id)[told:] if say is not _nothing else ():
            told += 1
            say(_epoch_line(run, row))
        if run.status.over:
            return run
        if say is not _nothing and sys.stderr.isatty() and run.status is Status.RUNNING:
            click.echo(_progress_line(run) + "\r", err=True, nl=False)
        time.sleep(LOOK_SECONDS)


def _epoch_line(run: Run, row: dict[str, float]) -> str:
    figures = [
        f"{name} {row[name]:.4f}"
        for name in ("loss", "accuracy", "val_loss", "val_accuracy")
        if name in row
    ]
    seconds = f", {row['seconds']:.1f} s" if "seconds" in row else ""
    total = "" if run.epochs is None else f"/{run.epochs}"
    return f"epoch {row['epoch']}{total}: {', '.join(figures)}{seconds}"


def _progress_line(run: Run) -> str:
    if run.progress is None:
        return "starting …"
    left = run.progress.seconds_left
    rest = "" if left is None else f", {left:.0f} s left"
    stage = f" {run.progress.stage}" if run.progress.stage else ""
    return f"{run.progress.fraction:4.0%}{stage}{rest}".ljust(60)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _nothing(text: str) -> None:
    """Say nothing."""
