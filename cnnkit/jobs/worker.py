"""The child's side of a job: take a run, do it, write down how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from cnnkit.errors import CnnkitError, JobError
from cnnkit.files import disk_problem
from cnnkit.jobs._child import ATTEMPT, log_file
from cnnkit.jobs._context import JobContext
from cnnkit.jobs._controls import Lease, take_lease
from cnnkit.jobs.kinds import find_kind
from cnnkit.runs import RunStore, Status
from cnnkit.settings import Settings

if TYPE_CHECKING:
    from cnnkit.datasets import Dataset

WARM_UP_BATCH = 16  # images
WRITER_SECONDS = 15.0  # for an older attempt on this machine to notice and leave


def work(settings: Settings, run_id: str, lease: str | None = None, shared: bool = False) -> Status:
    """Do one run from beginning to end in this process.

    Args:
        settings: where things are.
        run_id: a run that is queued, or that `lease` was taken for.
        lease: the right to write it; None: take it now.
        shared: keep checkpoints in the artifact store too.

    Raises:
        JobError: the run is not queued, or another process on this machine has it.
    """
    store = RunStore(settings)
    mine = Lease.parse(lease) if lease else _take(store, run_id)
    (settings.jobs / run_id).mkdir(parents=True, exist_ok=True)
    # An older attempt on this machine still has this lock until it has left.
    writer = FileLock(settings.jobs / run_id / "writer.lock", timeout=WRITER_SECONDS)
    try:
        with writer:
            return _do(JobContext(store, store.get(run_id), mine, shared))
    except Timeout as error:
        raise JobError(f"Another process on this machine still works on run {run_id}.") from error


def wait_for_work(settings: Settings) -> None:
    """Be the warm worker: import everything, wait on standard input, then do the run it names.

    Returns when the input ends, which it does at the latest with the parent process.
    """
    # Control-C in the parent's terminal reaches this process too.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _warm_up(settings)
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        return
    order = json.loads(line)
    # From here on, neither the end of the parent nor that of its terminal ends this.
    os.setsid()
    _redirect(settings, order["run_id"])
    work(settings, **order)


def _do(job: JobContext) -> Status:
    print(f"{ATTEMPT} {job.lease.number} at {job.run.kind} {job.run.name!r}", flush=True)
    job.begin()
    try:
        job.fetch_inputs()
        status, reason = find_kind(job.run.kind)(job), ""
    except CnnkitError as error:
        traceback.print_exc()
        status, reason = Status.FAILED, str(error)
    except Exception as error:
        # Whatever it was, the person who started the run has to read it.
        traceback.print_exc()
        last = traceback.format_exc().strip().splitlines()[-15:]
        summary = f"{type(error).__name__}: {str(error).strip() or 'no message'}".splitlines()[0]
        if isinstance(error, OSError):
            summary = disk_problem(error) or summary
        status, reason = Status.FAILED, "\n".join([summary, *last])
    job.end(status, reason)
    return status


def _take(store: RunStore, run_id: str) -> Lease:
    lease = take_lease(store, run_id, lambda run: run.status is Status.QUEUED)
    if lease is None:
        raise JobError(f"Run {run_id} is {store.get(run_id).status}; it must be queued.")
    return lease


def _redirect(settings: Settings, run_id: str) -> None:
    """Let the run's log be standard output and error, below Python as well."""
    sys.stdout.flush()
    sys.stderr.flush()
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(log_file(settings, run_id), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(nothing)
    os.close(log)


def _warm_up(settings: Settings) -> None:
    """Import Keras, TensorFlow and MLflow, open the record, and learn something tiny.

    The first training in a process translates Python functions to graphs, starts threads
    and chooses kernels; later ones find them ready. That is a second of CPU less between
    pressing Train and the first step. Reading MNIST takes another third.
    """
    import keras

    from cnnkit.datasets import read_ahead
    from cnnkit.training import Augmentation, Recipe, evaluate, fit

    _ = RunStore(settings).client
    recipe = Recipe(
        model="lenet_tutorial",
        epochs=1,
        batch_size=WARM_UP_BATCH,
        optimizer="sgd",
        momentum=0.9,
        schedule="cosine",
        augmentation=Augmentation(shift=1, rotation=5, zoom=0.1, elastic=0.5),
    )
    blank = _blank()
    evaluate(fit(recipe, dataset=blank).model, *blank.part("test"))
    # Most runs learn from it. A file that is damaged is the business of the run that reads it.
    with contextlib.suppress(CnnkitError):
        read_ahead("mnist")
    # The run's network gets the names it would have had in a new process.
    keras.utils.clear_session()


def _blank() -> Dataset:
    """Empty images in the format of MNIST: reading real ones would warm nothing more."""
    import numpy as np

    from cnnkit.datasets import Dataset, dataset_info

    spec = dataset_info("mnist")
    count = 4 * WARM_UP_BATCH
    return Dataset(
        spec=spec,
        images=np.zeros((count, *spec.input_shape), np.uint8),
        labels=np.arange(count) % spec.classes,
        splits={
            "train": slice(0, 2 * WARM_UP_BATCH),
            "validation": slice(2 * WARM_UP_BATCH, 3 * WARM_UP_BATCH),
            "test": slice(3 * WARM_UP_BATCH, count),
        },
    )
