"""A training that is killed, beside one that is not: dropout, shuffling and augmentation."""

from __future__ import annotations

import hashlib
import json
from functools import cache

import numpy as np

from benchmarks._fault_site import Broken, Site
from cnnkit.runs import Run, Status
from cnnkit.training import Augmentation, Recipe

RECIPE = Recipe(
    model="keras_mnist_cnn",
    dataset="digits",
    train_size=1024,
    validation_size=128,
    epochs=3,
    batch_size=32,
    augmentation=Augmentation(shift=1, rotation=5),
)


def compare_killed_training(site: Site) -> str:
    """Kill a training after a random epoch, resume it, and compare every figure bit for bit.

    Returns:
        What the record says of the killed run.

    Raises:
        Broken: it ends otherwise than the undisturbed one.
    """
    expected = _undisturbed(site)
    with site.pool() as pool:
        run = pool.submit(spec=RECIPE.to_dict(), name="killed")
        site.until(run, lambda run: run.status.over or site.store.history(run.id))
        site.pause(1)
        site.kill_child(run)
        seen = site.ended(run).reason.splitlines()
    run = site.finish(run)
    if _digest(site, run) != expected:
        raise Broken(f"The resumed training differs from the undisturbed one: {run}")
    return seen[0] if seen else ""


@cache
def _undisturbed(site: Site) -> str:
    with site.pool() as pool:
        run = site.ended(pool.submit(spec=RECIPE.to_dict(), name="undisturbed"))
    if run.status is not Status.FINISHED:
        raise Broken(f"The undisturbed training is {run.status}: {run.reason}")
    return _digest(site, run)


def _digest(site: Site, run: Run) -> str:
    """Of the logits on the test set and the metrics of every epoch, without the seconds."""
    with np.load(site.store.artifact(run.id, "predictions.npz")) as file:
        digest = hashlib.sha256(file["logits"].tobytes())
    rows = [{**row, "seconds": 0} for row in site.store.history(run.id)]
    digest.update(json.dumps(rows, sort_keys=True).encode())
    return digest.hexdigest()
