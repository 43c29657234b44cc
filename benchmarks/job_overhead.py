"""What a job costs beside the training in it: the wait for its first step, and in all.

The peer is `cnnkit.training.fit` alone in a new Python process, with no record, no queue
and nobody watching. A job that takes the warm worker, or is forked from the fork server, need
not import TensorFlow; one without them must, like the peer.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

import psutil

from benchmarks._measure import ROOT, Row, ratio_text, save
from cnnkit.jobs import JobPool, fork_server, wake_fork_server
from cnnkit.runs import RunStore
from cnnkit.settings import Settings, get_settings
from cnnkit.training import Recipe, get_recipe

BARE_FIT = """
import sys, time
from cnnkit.training import Recipe, StepsEnded, EpochEnded, fit
first = []
def report(event):
    if isinstance(event, StepsEnded | EpochEnded) and not first:
        first.append(time.time())
fit(Recipe.from_json(sys.argv[1]), report)
print(first[0])
"""


def bare(recipe: Recipe) -> tuple[float, float]:
    """Seconds to the first report of a step and to the end, from starting a process."""
    began = time.time()
    command = [sys.executable, "-c", BARE_FIT, recipe.to_json()]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(output) - began, time.time() - began


def job(recipe: Recipe, *, warm: bool = False, forked: bool = False) -> tuple[float, float]:
    """The same of a job, from pressing Train, as its run shows it."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"CNNKIT_HOME": home, "CNNKIT_WARM_WORKERS": str(int(warm))}
        if data_dir := get_settings().data_dir:
            environment["CNNKIT_DATA_DIR"] = str(data_dir)
        settings = Settings.from_environment(environment)
        store = RunStore(settings)
        store.list()  # makes the database, as the first page that is opened does
        pool = JobPool(settings, store)
        try:
            if forked:
                wake_fork_server(settings)
            _wait_until_ready(warm)
            began = time.time()
            return _watch(store, pool.submit(spec=recipe.to_dict(), name="overhead").id, began)
        finally:
            pool.close()
            fork_server.close()


def _wait_until_ready(warm: bool) -> None:
    """Until Dask has opened, and fork server and warm worker, if there are to be any, are."""
    time.sleep(5)
    fork_server.wait(120)
    while warm and not any(child.cpu_percent(interval=1.5) < 3 for child in _forked()):
        time.sleep(0.5)


def _forked() -> list[psutil.Process]:
    return psutil.Process(fork_server.pid).children()


def _watch(store: RunStore, run_id: str, began: float) -> tuple[float, float]:
    first = None
    while not (run := store.get(run_id)).status.over:
        if first is None and run.progress and run.progress.step:
            first = time.time()
        time.sleep(0.03)
    if run.status != "finished" or first is None:
        raise SystemExit(f"The job is {run.status}: {run.reason}")
    return first - began, time.time() - began


def main() -> None:
    """Measure in turns and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    recipe = get_recipe("lenet_tutorial", "fast").replace(
        train_size=10_000, epochs=arguments.epochs, warmup_epochs=0.0
    )
    contenders = {
        "bare": lambda: bare(recipe),
        "without warm worker": lambda: job(recipe),
        "forked, without warm worker": lambda: job(recipe, forked=True),
        "with warm worker": lambda: job(recipe, warm=True),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for number in range(arguments.rounds):
        for name, measure in contenders.items():
            times[name].append(measure())
            print(f"  round {number + 1} {name}: {times[name][-1]}", file=sys.stderr)
    save([_row(times, name, moment) for moment in (0, 1) for name in list(times)[1:]], [NOTE])


def _row(times: dict[str, list[tuple[float, float]]], name: str, moment: int) -> Row:
    ours = [pair[moment] for pair in times[name]]
    peer = [pair[moment] for pair in times["bare"]]
    ratio = ratio_text(ours, peer)
    what = ("from submitting to the first steps shown", "from submitting to finished")[moment]
    return Row(
        what=f"Job {name}, {what}",
        ours=f"{statistics.median(ours):.1f} s",
        peer=f"{statistics.median(peer):.1f} s",
        ratio=ratio,
        target="under 3 s" if moment == 0 and name == "with warm worker" else "",
    )


NOTE = (
    "Jobs train `lenet_tutorial` on 10,000 images. The peer is `fit` alone in a new process, "
    "from starting Python; a job also evaluates the test part, and stores network, card and "
    "predictions."
)


if __name__ == "__main__":
    main()
