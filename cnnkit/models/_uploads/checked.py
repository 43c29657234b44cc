"""The checked form of an uploaded network: its description, and its weights as plain arrays.

A child writes it, see `cnnkit.sandbox`; any process opens it without HDF5 and without reading
the stranger's file again. The description is held against the list once more, for the child
may have been taken over by the file that it read.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit._lazy import keras
from cnnkit.errors import InvalidModelError
from cnnkit.models._uploads.chains import SEQUENTIAL, Chain, register_chains
from cnnkit.models._uploads.config import read_config
from cnnkit.models._weights import ready_for_weights, without_weights

if TYPE_CHECKING:
    from keras import Model

    from cnnkit.models._uploads import UploadLimits

# Not "checked.json", which earlier versions wrote of networks within networks.
CONFIG, WEIGHTS = "flat.json", "flat.npz"
CHECKED_FILES = (CONFIG, WEIGHTS)


def write_checked(model: Model, config: str, folder: Path) -> int:
    """Write a network that was checked.

    Args:
        model: with its weights.
        config: its description.
        folder: to write to.

    Returns:
        How many of its weights are not finite.
    """
    odd = 0
    (folder / CONFIG).write_text(config, "utf-8")
    with zipfile.ZipFile(folder / WEIGHTS, "w", zipfile.ZIP_STORED) as archive:
        for place, layer in _layers(model):
            own: dict[str, Any] = {}
            layer.save_own_variables(own)
            for key, variable in own.items():
                values = _plain(np.asarray(variable))
                if values.dtype.kind == "f":
                    odd += int(values.size - np.isfinite(values).sum())
                with archive.open(f"{place}.{key}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, values, allow_pickle=False)
    return odd


def open_checked(folder: Path, limits: UploadLimits) -> Model:
    """The network that `write_checked` wrote.

    Raises:
        InvalidModelError: what is there is none.
    """
    config = read_config((folder / CONFIG).read_bytes(), limits)
    model = ready_for_weights(build(config))
    try:
        with (
            (folder / WEIGHTS).open("rb") as file,
            np.load(file, allow_pickle=False) as arrays,
        ):
            for place, layer in _layers(model):
                own: dict[str, Any] = {}
                layer.save_own_variables(own)  # for the names alone
                layer.load_own_variables({key: arrays[f"{place}.{key}"] for key in own})
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise InvalidModelError(f"The weights do not fit the network ({error}).") from error
    return model


def build(config: dict[str, Any]) -> Model:
    """The network of a checked description, without weights."""
    text = json.dumps(register_chains(config))
    return without_weights(
        lambda: keras.saving.deserialize_keras_object(
            json.loads(text), custom_objects={SEQUENTIAL: Chain}, safe_mode=True
        )
    )


def _layers(model: Model) -> Iterator[tuple[int, Any]]:
    return enumerate(model._flatten_layers(include_self=False))


def _plain(values: np.ndarray) -> np.ndarray:
    """Of a type that NumPy itself has: bfloat16 becomes float32."""
    return values if values.dtype.kind in "biuf" else values.astype(np.float32)
