"""A home in which things are made to fail: its servers, its command line, and what must hold."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from click.testing import CliRunner

from benchmarks._measure import ROOT
from cnnkit.__main__ import main
from cnnkit.jobs import JobPool
from cnnkit.jobs.kinds.rehearsal import MODULUS
from cnnkit.maintenance import examine, repair
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import Settings, get_settings

PATIENCE = 900.0  # seconds for anything to happen
SPEC = {"epochs": 5, "steps": 10, "seconds": 0.03}  # of a run that counts: 1.5 s
SERVER = """
import signal, time
# What a shell starts in the background ignores it, and hands that on.
signal.signal(signal.SIGINT, signal.default_int_handler)
from cnnkit.jobs import JobPool
from cnnkit.runs import RunStore
from cnnkit.settings import get_settings
pool = JobPool(get_settings(), RunStore(get_settings()))
pool.recover()
print("ready", flush=True)
time.sleep(100_000)
"""


class Broken(AssertionError):
    """Something that must hold after a fault does not; the message says what."""


class Site:
    """A home with a record, and what may be done there.

    Args:
        home: folder; a new record is copied into it.
        generator: draws the moments of faults.
        **environment: further variables of its processes.
    """

    def __init__(self, home: Path, generator: random.Random, **environment: str):
        """Make the record; nothing runs yet."""
        self.generator = generator
        self.environment = {
            "CNNKIT_HOME": str(home),
            "CNNKIT_WARM_WORKERS": "0",
            "CNNKIT_SLOTS": "2",
            "CNNKIT_OFFLINE": "1",
        } | environment
        self.settings = Settings.from_environment(self.environment)
        if self.settings.tracking_is_local and not self.settings.home.exists():
            copy_record(self.settings)
        self.store = RunStore(self.settings)

    def without(self, name: str) -> Site:
        """The same home, for processes that lack one of the variables."""
        rest = {key: value for key, value in self.environment.items() if key != name}
        return Site(self.settings.home, self.generator, **rest)

    def pause(self, most: float) -> None:
        """Let a random time pass, of at most so many seconds."""
        time.sleep(self.generator.uniform(0, most))

    @contextmanager
    def pool(self) -> Iterator[JobPool]:
        """A server in this process."""
        pool = JobPool(self.settings, self.store)
        try:
            yield pool
        finally:
            pool.close()

    def serve(self) -> subprocess.Popen:
        """A server in a process of its own, ready to take over what is there."""
        server = self.start([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
        if server.stdout.readline() != "ready\n":
            raise Broken("The server did not start.")
        return server

    def start(self, command: list[str], **options) -> subprocess.Popen:
        """A process with the settings of this home."""
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
        environment = os.environ | self.environment
        return subprocess.Popen(command, cwd=ROOT, env=environment, **options)

    def command(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of the command line; a traceback is never what a person sees."""
        saved = dict(os.environ)
        os.environ.update(self.environment)
        get_settings.cache_clear()
        try:
            result = CliRunner().invoke(main, list(arguments))
        finally:
            os.environ.clear()
            os.environ.update(saved)
            get_settings.cache_clear()
        if result.exception and not isinstance(result.exception, SystemExit):
            raise Broken(f"cnnkit {' '.join(arguments)}: {result.exception!r}")
        if "Traceback" in result.output:
            raise Broken(f"cnnkit {' '.join(arguments)} shows a traceback: {result.output}")
        return result.exit_code, result.output.strip()

    def until(self, run: Run, condition: Callable[[Run], object]) -> Run:
        """Wait for a run to meet a condition."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            run = self.store.get(run.id)
            if condition(run):
                return run
            time.sleep(0.05)
        raise Broken(f"A run is stuck: waited {PATIENCE:.0f} s for {run}")

    def ended(self, run: Run) -> Run:
        """The run once nothing more happens to it by itself."""
        return self.until(run, lambda run: run.status.over)

    def kill_child(self, run: Run) -> bool:
        """Kill the process of a run, if it has one."""
        run = self.store.get(run.id)
        if run.status.over or run.pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(run.pid, signal.SIGKILL)
            return True
        return False

    def finish(self, run: Run) -> Run:
        """Resume a run until it is finished, as a person would."""
        run = self.ended(run)
        with self.pool() as pool:
            while run.status is not Status.FINISHED:
                pool.resume(run.id)
                run = self.ended(run)
                if run.status is Status.FAILED:
                    raise Broken(f"A resumed run failed: {run.reason}")
        return run

    def check(self, *runs: Run) -> int:
        """What must hold once a fault is over; how many left-over files were cleared away.

        Raises:
            Broken: a run is lost or differs from an undisturbed one, or something is left.
        """
        for run in runs:
            check_count(self.store, self.store.get(run.id))
        repaired, left = repair(self.settings, idle=0)
        expected = ("never finished", "temporary files")
        strange = [one.what for one in repaired if not any(word in one.what for word in expected)]
        if strange or left or examine(self.settings, idle=0):
            raise Broken(f"Left behind: {strange + [one.what for one in left]}")
        return len(repaired)


def counted(spec: dict) -> list[float]:
    """The losses of an undisturbed run that counts."""
    value, losses = 1, []
    for _ in range(spec["epochs"]):
        for step in range(1, spec["steps"] + 1):
            value = (value * 31 + step) % MODULUS
        losses.append(value / MODULUS)
    return losses


def check_count(store: RunStore, run: Run) -> None:
    """Compare a run that counts with an undisturbed one, bit for bit.

    Raises:
        Broken: it is not finished, an epoch is missing, or a figure differs.
    """
    expected = counted(dict(run.spec))
    losses = [row["loss"] for row in store.history(run.id)]
    if run.status is not Status.FINISHED or losses != expected:
        raise Broken(f"{run.status}, losses {losses} instead of {expected}: {run}")
    if run.metrics["value"] != round(expected[-1] * MODULUS):
        raise Broken(f"The result {run.metrics['value']} differs: {run}")


def end(process: subprocess.Popen, how: signal.Signals = signal.SIGKILL) -> None:
    """End a process and take its last word."""
    process.send_signal(how)
    process.wait(60)
    if process.stdout:
        process.stdout.close()


def copy_record(settings: Settings) -> None:
    """A new record in a moment: MLflow takes seconds to make one, so it makes one only."""
    settings.home.mkdir(parents=True, exist_ok=True)
    path = settings.home / "runs.db"
    shutil.copyfile(_template(), path)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "update experiments set artifact_location = ? where name = 'cnnkit'",
            [settings.artifacts.as_uri()],
        )
    connection.close()


@cache
def _template() -> Path:
    home = Path(os.environ["TMPDIR"]) / "template"
    RunStore(Settings.from_environment({"CNNKIT_HOME": str(home)})).list()
    return home / "runs.db"
