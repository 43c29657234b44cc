"""`make faults`: kill workers in the middle of an epoch, stop servers, and compare the results.

Every run trains the same network with dropout, shuffling and augmentation. Its logits on the
test set and the metrics of every epoch are compared, bit for bit, with those of an undisturbed
run. Writes the part on faults of `docs/reliability.md`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import numpy as np
import psutil

from benchmarks._measure import ROOT, machine
from benchmarks._regions import write_part
from cnnkit.jobs import JobPool
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import Settings
from cnnkit.training import Augmentation, Recipe

RECIPE = Recipe(
    model="keras_mnist_cnn",
    dataset="digits",
    train_size=1024,
    validation_size=128,
    epochs=6,
    batch_size=32,
    augmentation=Augmentation(shift=1, rotation=5),
)
PATIENCE = 900.0  # seconds for anything to happen
SERVER = """
import time
from cnnkit.jobs import JobPool
from cnnkit.runs import RunStore
from cnnkit.settings import get_settings
pool = JobPool(get_settings(), RunStore(get_settings()))
pool.recover()
print("ready", flush=True)
time.sleep(100_000)
"""

HEAD = """Written by `make faults`. Each run trains `keras_mnist_cnn` for {epochs} epochs with
dropout, shuffling and augmentation; at random moments a process is killed or stopped as the table
says, and the run is resumed. The last column counts the runs that ended with the same logits on the
test set and the same metrics of every epoch as an undisturbed run, bit for bit.

{machine}
- {date}

| fault | times | status of the run | slowest until recorded | bit-identical |
| --- | --- | --- | --- | --- |
{table}
"""


@dataclass
class Case:
    """One kind of fault and its outcome."""

    what: str
    times: int = 0
    outcome: str = ""
    slowest: float = 0.0  # seconds until the record showed it
    ended: int = 0
    same: int = 0

    def row(self) -> str:
        """A line of the table."""
        shown = f"{self.slowest:.1f} s" if self.slowest else ""
        same = f"{self.same} of {self.ended}"
        return f"| {self.what} | {self.times} | {self.outcome} | {shown} | {same} |"


class Bench:
    """A scratch home, the undisturbed run, and methods that disturb another one.

    Args:
        settings: of that home.
        generator: draws the moments of the faults.
    """

    def __init__(self, settings: Settings, generator: random.Random):
        """Open the record."""
        self.settings = settings
        self.store = RunStore(settings)
        self.generator = generator
        with self.pool() as pool:
            run = pool.submit(spec=RECIPE.to_dict(), name="undisturbed")
            self.reference = self.digest(self.until(run, lambda run: run.status.over))

    def kill_children(self, runs: int, kills: int) -> Case:
        """Kill each run's worker several times; resume it each time."""
        case = Case("SIGKILL to the worker in mid-epoch", outcome="interrupted")
        with self.pool() as pool:
            for number in range(runs):
                run = pool.submit(spec=RECIPE.to_dict(), name=f"killed {number}")
                for _ in range(kills):
                    self.wait_for_epoch(run)
                    if not self.kill(run, case):
                        break
                    pool.resume(run.id)
                self.finish(run, case)
        return case

    def stop_server(self, runs: int, how: signal.Signals) -> Case:
        """Stop the server while its worker trains; the next server takes over."""
        case = Case(f"{how.name} to the server while its worker trains", outcome="continued")
        for number in range(runs):
            run = self.store.create("train", RECIPE.to_dict(), f"{how.name} {number}")
            first = self.serve()
            self.wait_for_epoch(run)
            pid = self.store.get(run.id).pid
            first.send_signal(how)
            first.wait(60)
            first.stdout.close()
            case.times += 1
            if pid is None or not psutil.pid_exists(pid):
                case.outcome = "the worker died too"
            second = self.serve()
            self.finish(run, case)
            if self.store.get(run.id).attempt != 1:
                case.outcome = "restarted"
            end(second)
        return case

    def kill_both(self, runs: int) -> Case:
        """Kill server and worker; the next server must notice."""
        case = Case(
            "SIGKILL to server and worker (timed from the start of the next server)",
            outcome="interrupted",
        )
        for number in range(runs):
            run = self.store.create("train", RECIPE.to_dict(), f"both {number}")
            first = self.serve()
            self.wait_for_epoch(run)
            end(first)
            self.kill(run, case, wait=False)
            began = time.monotonic()
            second = self.serve()
            self.until(run, lambda run: run.status.over)
            case.slowest = max(case.slowest, time.monotonic() - began)
            end(second)
            with self.pool() as pool:
                pool.resume(run.id)
                self.finish(run, case)
        return case

    def kill_adopted(self, runs: int) -> Case:
        """Kill a worker whose server has ended and which a second server watches."""
        case = Case(
            "SIGKILL to a worker that a second server has taken over", outcome="interrupted"
        )
        for number in range(runs):
            run = self.store.create("train", RECIPE.to_dict(), f"adopted {number}")
            first = self.serve()
            self.wait_for_epoch(run)
            end(first)
            with self.pool() as pool:
                pool.recover()
                time.sleep(1)
                if self.kill(run, case):
                    pool.resume(run.id)
                self.finish(run, case)
        return case

    def wait_for_epoch(self, run: Run) -> None:
        """Until at least one more epoch is done, and then for a random while."""
        before = len(self.store.history(run.id))
        self.until(run, lambda run: run.status.over or len(self.store.history(run.id)) > before)
        time.sleep(self.generator.uniform(0, 0.5))

    def kill(self, run: Run, case: Case, *, wait: bool = True) -> bool:
        """Kill the worker; False if it had ended before."""
        run = self.store.get(run.id)
        if run.status.over or run.pid is None:
            return False
        os.kill(run.pid, signal.SIGKILL)
        case.times += 1
        if not wait:
            return True
        began = time.monotonic()
        ended = self.until(run, lambda run: run.status.over)
        case.slowest = max(case.slowest, time.monotonic() - began)
        if ended.status is not Status.INTERRUPTED:
            case.outcome = f"{ended.status}!"
        return ended.status is Status.INTERRUPTED

    def finish(self, run: Run, case: Case) -> None:
        """Wait for the end and compare it with the undisturbed one."""
        ended = self.until(run, lambda run: run.status.over)
        case.ended += 1
        case.same += ended.status is Status.FINISHED and self.digest(ended) == self.reference

    def digest(self, run: Run) -> str:
        """Of the logits on the test set and the metrics of every epoch, without the seconds."""
        with np.load(self.store.artifact(run.id, "predictions.npz")) as file:
            digest = hashlib.sha256(file["logits"].tobytes())
        rows = [{**row, "seconds": 0} for row in self.store.history(run.id)]
        digest.update(json.dumps(rows, sort_keys=True).encode())
        return digest.hexdigest()

    def until(self, run: Run, condition: Callable[[Run], bool]) -> Run:
        """Wait for a run to meet a condition."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            run = self.store.get(run.id)
            if condition(run):
                return run
            time.sleep(0.05)
        raise SystemExit(f"Waited {PATIENCE:.0f} s: {run}")

    @contextmanager
    def pool(self) -> Iterator[JobPool]:
        """A server in this process."""
        pool = JobPool(self.settings, self.store)
        try:
            yield pool
        finally:
            pool.close()

    def serve(self) -> subprocess.Popen:
        """A server in a process of its own."""
        environment = os.environ | {
            "CNNKIT_HOME": str(self.settings.home),
            "CNNKIT_WARM_WORKERS": "0",
        }
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        if server.stdout.readline() != "ready\n":
            raise SystemExit("The server did not start.")
        return server


def end(server: subprocess.Popen) -> None:
    """Kill a server."""
    server.kill()
    server.wait()
    server.stdout.close()


def main() -> None:
    """Inject all faults, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each kind of fault")
    parser.add_argument("--kills", type=int, default=3, help="of the worker of one run")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        settings = Settings.from_environment({"CNNKIT_HOME": home, "CNNKIT_WARM_WORKERS": "0"})
        bench = Bench(settings, random.Random(arguments.seed))
        cases = []
        for measure in (
            lambda: bench.kill_children(arguments.runs, arguments.kills),
            lambda: bench.kill_adopted(arguments.runs),
            lambda: bench.kill_both(arguments.runs),
            *(
                lambda how=how: bench.stop_server(arguments.runs, how)
                for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
            ),
        ):
            cases.append(measure())
            print(cases[-1].row(), file=sys.stderr)
    text = HEAD.format(
        epochs=RECIPE.epochs,
        machine="\n".join(f"- {line}" for line in machine()),
        date=date.today().isoformat(),
        table="\n".join(case.row() for case in cases),
    )
    print(text)
    write_part(ROOT / "docs" / "reliability.md", "faults", text)


if __name__ == "__main__":
    main()
