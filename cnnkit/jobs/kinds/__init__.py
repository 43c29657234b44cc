"""The kinds of jobs, by name. A kind is a function that takes a `JobContext`.

It returns the `Status` that the run ends with: FINISHED, PAUSED or CANCELLED. A task, of a
kind as of a session, is a generator that yields its `Progress`; `JobContext.drive` or a
`Session` carries it out and obeys commands between its steps. Training alone is none: Keras's
`fit` owns that loop, and asks `JobContext.control` in its callbacks.

A kind is registered as "module:function", so that knowing its name imports nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from cnnkit import imported_runs
from cnnkit.errors import UnknownNameError
from cnnkit.runs import Status

if TYPE_CHECKING:
    from cnnkit.jobs._context import JobContext

Kind = Callable[["JobContext"], Status]

# Kinds of runs that end with a network; fine-tunings of earlier versions have the second.
TRAINED = ("train", "fine_tune")
WITH_NETWORK = (*TRAINED, imported_runs.KIND)  # all that have one

_KINDS = {
    "train": "cnnkit.jobs.kinds.train:run",
    "fine_tune": "cnnkit.jobs.kinds.train:run",
    "mosaic": "cnnkit.jobs.kinds.mosaic:run",
    "experiment": "cnnkit.jobs.kinds.experiment:run",
    "embedding": "cnnkit.jobs.kinds.embedding:run",
    "rehearsal": "cnnkit.jobs.kinds.rehearsal:run",
}

IMAGE_RUN, RECORDED_IMAGE = "visualize", "image.png"  # runs that record finished images
# Tasks of the visualization worker's sessions, each a "module:class".
SESSION_KINDS = {
    "optimize": "cnnkit.jobs.kinds.optimize:OptimizeTask",
    "dream": "cnnkit.jobs.kinds.dream:DreamTask",
    "layers": "cnnkit.jobs.kinds.questions:LayersTask",
    "recheck": "cnnkit.jobs.kinds.questions:RecheckTask",
    "top_activations": "cnnkit.jobs.kinds.top_activations:TopActivationsTask",
    "explain": "cnnkit.jobs.kinds.explain:ExplainTask",
    "class_map": "cnnkit.jobs.kinds.questions:ClassMapTask",
}
MAPS = "maps"  # array of a cached explanation


class UnknownKindError(UnknownNameError):
    """No kind of job of this name is registered."""

    kind = "kind of job"


def list_kinds() -> list[str]:
    """Registered names."""
    return list(_KINDS)


def register_kind(name: str, place: str) -> None:
    """Add a kind of job: a "module:function" that a child process can import."""
    if name in _KINDS:
        raise ValueError(f"Kind {name!r} is already registered as {_KINDS[name]}.")
    _KINDS[name] = place


def check_kind(name: str) -> None:
    """Raise `UnknownKindError`, which lists the kinds that exist, if this is none."""
    if name not in _KINDS:
        raise UnknownKindError(name, _KINDS)


def find_kind(name: str) -> Kind:
    """Import a kind's function, if there is such a kind; see `check_kind`."""
    check_kind(name)
    module, _, function = _KINDS[name].partition(":")
    return getattr(importlib.import_module(module), function)


def snapshot_file(step: int) -> str:
    """Name of the file in a session's folder with the frame of a step that can be gone back to."""
    return f"snapshot-{step:06d}.npy"


def images_file(digest: str) -> str:
    """Name of the file in a session's folder with images that it explains."""
    return f"images-{digest}.npy"
