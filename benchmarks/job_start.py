"""What starting a job's process costs: forked from the fork server, and as a new interpreter.

The same two jobs are started in both ways, in turns: a rehearsal, which only counts, and two epochs
of `toy_cnn` on `toy_patterns`.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import psutil

from benchmarks._measure import Row, ratio_text, save
from cnnkit.jobs import child_environment, fork_server, start_child, wake_fork_server
from cnnkit.runs import RunStore
from cnnkit.settings import Settings
from cnnkit.training import get_recipe

LOOK_SECONDS = 0.02
JOBS: dict[str, tuple[str, dict[str, Any]]] = {
    "a rehearsal": ("rehearsal", {"epochs": 3, "steps": 5, "seconds": 0.0}),
    "a training of two epochs": (
        "train",
        get_recipe("toy_cnn", "fast").replace(epochs=2, stopping=None).to_dict(),
    ),
}


def forked(settings: Settings, run_id: str):
    """A child of the fork server."""
    return start_child(settings, run_id, None, shared=False)


def new(settings: Settings, run_id: str) -> subprocess.Popen:
    """A new interpreter, which imports all that it needs."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "cnnkit", "worker", run_id],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=child_environment(settings),
    )


def measure(store: RunStore, job: str, start: Callable) -> tuple[float, float]:
    """Seconds until the record shows that it has begun, and seconds of CPU to its end."""
    kind, spec = JOBS[job]
    run = store.create(kind, spec)
    began = time.monotonic()
    process = start(store.settings, run.id)
    first, used = None, 0.0
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            used = sum(psutil.Process(process.pid).cpu_times()[:2])
        if first is None and store.get(run.id).progress:
            first = time.monotonic() - began
        time.sleep(LOOK_SECONDS)
    run = store.get(run.id)
    if run.status != "finished":
        raise SystemExit(f"The job is {run.status}: {run.reason}")
    return first or time.monotonic() - began, used


def main() -> None:
    """Measure in turns and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as home:
        settings = Settings.from_environment({"CNNKIT_HOME": home})
        store = RunStore(settings)
        store.list()
        wake_fork_server(settings)
        if not fork_server.wait(240):
            raise SystemExit("There is no fork server here; it needs Linux.")
        server = psutil.Process(fork_server.pid)
        used, own = sum(server.cpu_times()[:2]), server.memory_full_info().uss
        rows = []
        for job in JOBS:
            times: dict[str, list[tuple[float, float]]] = {}
            ways = {"forked": forked, "new": new}
            for _ in range(rounds):
                for name, start in ways.items():
                    times.setdefault(name, []).append(measure(store, job, start))
                    print(f"  {job}, {name}: {times[name][-1]}", file=sys.stderr)
            rows += [_row(times, job, moment) for moment in (0, 1)]
        fork_server.close()
    note = (
        "The peer is the same job as a new interpreter. The fork server itself used "
        f"{used:.1f} s of CPU, once, and holds {own / 1e6:.0f} MB of its own."
    )
    save(rows, [note])


def _row(times: dict[str, list[tuple[float, float]]], job: str, moment: int) -> Row:
    ours, peer = ([pair[moment] for pair in times[name]] for name in ("forked", "new"))
    ratio = ratio_text(ours, peer)
    unit = ("s", "s of CPU")[moment]
    what = ("until the record shows that it has begun", "CPU in all")[moment]
    return Row(
        what=f"Process of {job}, {what}",
        ours=f"{statistics.median(ours):.1f} {unit}",
        peer=f"{statistics.median(peer):.1f} {unit}",
        ratio=ratio,
    )


if __name__ == "__main__":
    main()
