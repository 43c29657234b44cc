"""Everything a training run is made of at the end of an epoch, in one file.

Keras's `BackupAndRestore` gives back weights and optimizer, but not the states of
dropout's generators, the best weights so far or the patience that is left, and it
writes in place. Here a run that goes on is the run that never stopped.
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cnnkit.errors import CorruptResultError, IncompatibleError
from cnnkit.files import replacing


@dataclass(kw_only=True)
class TrainingState:
    """What changes while a network learns, besides the network and its optimizer."""

    phase: int = 0  # of a training in several, 0-based
    begins: int = 0  # epochs done before this phase
    epoch: int = 0  # epochs done, of all phases
    history: list[dict[str, float]] = field(default_factory=list)  # one row an epoch
    stopping: dict[str, float] = field(default_factory=dict)  # state of the stopping rule
    stopped: bool = False  # the rule has said so
    best_epoch: int | None = None  # 1-based
    best_value: float | None = None
    best_weights: list[np.ndarray] | None = None  # as `model.get_weights()`


def save_checkpoint(path: Path, model: keras.Model, state: TrainingState, recipe: str) -> None:
    """Write aside, then rename: a crash leaves the old file or the new one, never half.

    Args:
        path: the file.
        model: compiled.
        state: of the end of an epoch.
        recipe: fingerprint, so that no other recipe goes on from here.
    """
    values = map(keras.ops.convert_to_numpy, _variables(model))
    arrays = {f"variable{i}": value for i, value in enumerate(values)}
    arrays |= {f"best{i}": array for i, array in enumerate(state.best_weights or ())}
    facts = {key: value for key, value in vars(state).items() if key != "best_weights"}
    arrays["facts"] = np.array(json.dumps(facts | {"recipe": recipe}))
    with replacing(path) as aside, aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())


def restore_checkpoint(path: Path, model: keras.Model, recipe: str) -> TrainingState:
    """Give a freshly built and compiled model the values of a checkpoint.

    Raises:
        CorruptResultError: the file is damaged.
        IncompatibleError: it is of another recipe or another network.
    """
    arrays, facts = _read(path)
    if facts.pop("recipe") != recipe:
        raise IncompatibleError(f"{path} was written by another recipe. Start a new run instead.")
    variables = _variables(model)
    values = _numbered(arrays, "variable")
    shapes = [tuple(variable.shape) for variable in variables]
    if [value.shape for value in values] != shapes:
        raise IncompatibleError(f"{path} was written for another network. Start a new run instead.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    best = _numbered(arrays, "best")
    return TrainingState(**facts, best_weights=best or None)


def saved_phase(path: Path | None) -> int | None:
    """Which phase a checkpoint was written in; None: there is no checkpoint.

    Raises:
        CorruptResultError: the file is damaged.
    """
    return _read(path)[1].get("phase", 0) if path and path.exists() else None


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file}
        return arrays, json.loads(str(arrays.pop("facts")))
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise CorruptResultError(path, f"cannot be read as a checkpoint ({error})") from error


def _numbered(arrays: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    return [arrays[f"{name}{i}"] for i in range(sum(key.startswith(name) for key in arrays))]


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Weights, generator states and optimizer, always in the same order."""
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]
