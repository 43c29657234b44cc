"""Starting a run from the command line, and telling how it goes until it ends."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Mapping

import click

from cnnkit._cli._console import print_result, summary
from cnnkit.durations import duration
from cnnkit.jobs import JobPool, resume_in_words, start_child
from cnnkit.jobs.kinds import TRAINED
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import Settings

MIN_LOOK_SECONDS, MAX_LOOK_SECONDS = 0.5, 5.0  # between two looks at a run
LINE_SECONDS = 60.0  # between two lines on how far it is, where no terminal shows it
Say = Callable[[str], None]


def run_to_end(settings: Settings, store: RunStore, run: Run, *, quiet: bool) -> Run:
    """Run a queued run in a child process of this one, and report its epochs.

    Control-C cancels it; its last checkpoint stays, if an epoch was finished.

    Args:
        settings: of this process; no warm worker is kept.
        store: the record.
        run: queued.
        quiet: say nothing.
    """
    pool = JobPool(dataclasses.replace(settings, warm_workers=False), store)
    try:
        pool.submit(run.id)
        return follow(store, run.id, None if quiet else _say)
    except KeyboardInterrupt:
        pool.cancel(run.id)
        run = follow(store, run.id, None)
        _say(f"Cancelled. `cnnkit runs resume {run.id}` {resume_in_words(settings, run)}.")
        return run
    finally:
        pool.close()


def start(settings: Settings, store: RunStore, run: Run, *, detach: bool, as_json: bool) -> None:
    """Run a queued run and print its result, or start it in the background; no server is needed.

    Ends this process with code 1 where the run is over and not finished.

    Args:
        settings: of this process.
        store: the record.
        run: queued.
        detach: leave its child process alone.
        as_json: print JSON, and say nothing meanwhile.
    """
    if detach:
        start_child(settings, run.id, lease=None, shared=False)
    else:
        run = run_to_end(settings, store, run, quiet=as_json)
    print_result(run.to_dict(), summary(run), as_json)
    if run.status not in (Status.FINISHED, Status.QUEUED):
        sys.exit(1)


def follow(store: RunStore, run_id: str, say: Say | None, *, every: float = LINE_SECONDS) -> Run:
    """Wait until a run is over, and tell how it goes.

    Args:
        store: the record.
        run_id: of the run.
        say: called with a line; None: say nothing.
        every: seconds after which a line is due, whether anything ended or not.
    """
    teller = Teller(store, say, every) if say else None
    began = time.monotonic()
    while True:
        run = store.get(run_id)
        if teller:
            teller(run)
        if run.status.over:
            return run
        time.sleep(_pause(time.monotonic() - began, bool(teller and teller.terminal)))


class Teller:
    """Tells what is new of a run: how its data were split, each epoch, and how far it is.

    On a terminal how far it is stands in a line that changes; elsewhere in a line a minute.

    Args:
        store: the record.
        say: called with each line.
        every: seconds after which a line is due, whether anything ended or not.
    """

    def __init__(self, store: RunStore, say: Say, every: float):
        """Nothing is told yet."""
        self.terminal = sys.stderr.isatty()
        self._store, self._tell, self._every = store, say, every
        self._began = self._spoke = time.monotonic()
        self._split_told, self._epoch_told = False, 0
        self._metrics: Mapping[str, float] | None = None
        self._rows: list[dict[str, float]] = []
        self._settled = False

    def __call__(self, run: Run) -> None:
        """Look at a run as it stands now."""
        if run.split and not self._split_told:
            self._split_told = True
            self._say(run.split)
        for row in self._ended_epochs(run):
            self._epoch_told = row["epoch"]
            self._say(_epoch_line(run, row))
        if run.status.over:
            return
        if self.terminal:
            click.echo(_progress_line(run).ljust(70) + "\r", err=True, nl=False)
        elif time.monotonic() - self._spoke >= self._every:
            self._say(f"{duration(time.monotonic() - self._began)}: {_progress_line(run)}")

    def _say(self, line: str) -> None:
        self._spoke = time.monotonic()
        self._tell(line)

    def _ended_epochs(self, run: Run) -> list[dict[str, float]]:
        """Epochs that were not told yet; the newest one as soon as two looks find it alike."""
        # Reading curves takes a query for each; the last value of all comes with the run.
        if self._settled and run.metrics == self._metrics:
            return []
        rows = self._store.history(run.id)
        self._settled = rows == self._rows and run.metrics == self._metrics
        self._rows, self._metrics = rows, run.metrics
        whole = rows if self._settled or run.status.over else rows[:-1]
        return [row for row in whole if row["epoch"] > self._epoch_told]


def _pause(waited: float, terminal: bool) -> float:
    """Seconds until the next look: short runs are looked at often, long ones cheaply."""
    return min(max(MIN_LOOK_SECONDS, waited / 30), 1.0 if terminal else MAX_LOOK_SECONDS)


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
    """What the run does now, how far it is, and the time left if that is known."""
    progress = run.progress
    if run.status is Status.QUEUED:
        return "waiting to start"
    if progress is None:
        return "starting: reading the data, building the network"
    if progress.stage == "features":
        doing = f"computing features, {progress.step:,} of {progress.steps:,} images"
    elif progress.fraction >= 1:
        return "evaluating and storing the network" if run.kind in TRAINED else "ending"
    else:
        doing = f"epoch {progress.epoch}/{run.epochs}" if run.kind in TRAINED else "working"
    left = "" if progress.seconds_left is None else f", {duration(progress.seconds_left)} left"
    return f"{doing} ({progress.fraction:.0%}){left}"


def _say(text: str) -> None:
    click.echo(text, err=True)
