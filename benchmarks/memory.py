"""Memory growth over 500 epochs of `toy_patterns`: a job's, and that of plain Keras.

The job is a real one, with its checkpoint after each epoch and its record; its child's
resident memory is read from outside. The peer is `model.fit` in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time

import psutil

from benchmarks._measure import ROOT, Row, save
from cnnkit.jobs import JobPool
from cnnkit.runs import RunStore
from cnnkit.settings import Settings
from cnnkit.training import Recipe, get_recipe

EARLY = 20  # epochs after which nothing more should be needed

PLAIN_KERAS = """
import json, sys, keras, psutil
from benchmarks.memory import EARLY
from cnnkit.datasets import load_dataset
from cnnkit.models import create_model
epochs, batch_size, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
data = load_dataset("toy_patterns", validation_size=30)
model = create_model("toy_cnn")
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.SGD(rate), loss, metrics=["accuracy"], jit_compile=False)
taken = {}
def remember(epoch, logs):
    taken[epoch + 1] = psutil.Process().memory_info().rss
model.fit(
    *data.part("train"), batch_size=batch_size, epochs=epochs,
    validation_data=data.part("validation"), verbose=0,
    callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=remember)],
)
print(json.dumps([taken[EARLY], taken[epochs]]))
"""


def of_job(recipe: Recipe) -> tuple[int, int]:
    """Bytes of a job's child after the first epochs and at the end of its training."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings.from_environment({"CNNKIT_HOME": home, "CNNKIT_WARM_WORKERS": "0"})
        store = RunStore(settings)
        pool = JobPool(settings, store)
        try:
            return _watch(store, pool.submit(spec=recipe.to_dict(), name="memory").id)
        finally:
            pool.close()


def _watch(store: RunStore, run_id: str) -> tuple[int, int]:
    early = latest = 0
    while not (run := store.get(run_id)).status.over:
        if run.pid and run.progress and run.progress.epoch > EARLY:
            try:
                latest = psutil.Process(run.pid).memory_info().rss
            except psutil.NoSuchProcess:
                continue
            early = early or latest
        time.sleep(0.05)
    if run.status != "finished":
        raise SystemExit(f"The job is {run.status}: {run.reason}")
    return early, latest


def of_keras(recipe: Recipe) -> tuple[int, int]:
    """The same of plain Keras."""
    numbers = (str(recipe.epochs), str(recipe.batch_size), str(recipe.learning_rate))
    command = [sys.executable, "-c", PLAIN_KERAS, *numbers]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    early, late = json.loads(output)
    return early, late


def growth(early: int, late: int) -> float:
    """Per cent."""
    return 100 * (late / early - 1)


def main() -> None:
    """Measure both and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=500)
    arguments = parser.parse_args()
    recipe = get_recipe("toy_cnn", "published").replace(epochs=arguments.epochs)
    job, keras = of_job(recipe), of_keras(recipe)
    row = Row(
        what=f"Memory growth of a `toy_cnn` job from epoch {EARLY} to {arguments.epochs}",
        ours=f"{growth(*job):+.1f} % of {job[0] / 2**20:.0f} MiB",
        peer=f"{growth(*keras):+.1f} % of {keras[0] / 2**20:.0f} MiB",
        ratio=f"{job[1] / keras[1]:.2f} of the peer's at the end",
        target="growth under 5 %",
    )
    save([row], ["The peer is plain `model.fit`; the job also writes its checkpoint and record."])


if __name__ == "__main__":
    main()
