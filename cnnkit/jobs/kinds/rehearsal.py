"""A job that learns nothing: it counts, for trying out queues, pauses and crashes.

It needs no Keras, so it starts quickly. Its state is a number that every step changes,
so a run that was stopped and resumed can be told from one that was done twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cnnkit.errors import CnnkitError, CorruptResultError
from cnnkit.files import write_atomic
from cnnkit.runs import Progress, Status

if TYPE_CHECKING:
    from cnnkit.jobs._context import JobContext

MODULUS = 1_000_003


def run(job: JobContext) -> Status:
    """Count `epochs` times `steps`, `seconds` a step; `fail`: "error", "crash" or nothing."""
    spec = {"epochs": 3, "steps": 10, "seconds": 0.02, "fail": ""} | dict(job.run.spec)
    job.params(spec)
    job.fetch_checkpoint(_read)
    state = {"epoch": 0, "value": 1, "losses": []}
    if job.checkpoint.exists():
        state = _read(job.checkpoint)
    for epoch, loss in enumerate(state["losses"], start=1):
        # The last attempt may have ended between a checkpoint and its figures.
        job.log(epoch, {"loss": loss})
    status = job.drive(_count(job, spec, state))
    if status is Status.FINISHED:
        job.metrics({"value": state["value"]})
        job.drop_checkpoint()
    return status


def _count(job: JobContext, spec: dict, state: dict) -> Iterator[Progress | None]:
    """Count epoch after epoch; see `JobContext.drive`."""
    for epoch in range(state["epoch"] + 1, spec["epochs"] + 1):
        yield None
        for step in range(1, spec["steps"] + 1):
            yield _step(spec, state, epoch, step)
        state["epoch"] = epoch
        state["losses"].append(state["value"] / MODULUS)
        job.log(epoch, {"loss": state["losses"][-1]})
        _save(job, state)


def _step(spec: dict, state: dict, epoch: int, step: int) -> Progress:
    time.sleep(spec["seconds"])
    state["value"] = (state["value"] * 31 + step) % MODULUS
    done = (epoch - 1) * spec["steps"] + step
    total = spec["epochs"] * spec["steps"]
    if spec["fail"] == "error" and done == total // 2:
        raise CnnkitError("This rehearsal was told to fail.")
    if spec["fail"] == "crash" and done == total // 2:
        raise ZeroDivisionError("This rehearsal was told to crash.")
    return Progress(epoch=epoch, epochs=spec["epochs"], step=done, steps=total)


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except ValueError as error:  # no JSON, or no text
        raise CorruptResultError(path, f"cannot be read as a checkpoint ({error})") from error


def _save(job: JobContext, state: dict) -> None:
    write_atomic(job.checkpoint, json.dumps(state))
    job.share_checkpoint(state["epoch"])
