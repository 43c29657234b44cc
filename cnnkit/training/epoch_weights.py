"""The weights of some epochs, kept so that one can watch filters form."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnnkit.errors import CorruptResultError
from cnnkit.files import replacing

if TYPE_CHECKING:
    import keras

    from cnnkit.training.network import FreezableNetwork
    from cnnkit.training.recipe import Recipe

MOST_BYTES = 256 * 2**20  # of a run
EPOCHS_FILE = "epochs.json"  # which epochs a run has kept
_PATTERN = "weights-epoch-{:05d}.npz"


def epoch_file(epoch: int) -> str:
    """Name of the file with the weights after an epoch; 0: before the first."""
    return _PATTERN.format(epoch)


def epochs_to_keep(total: int, most: int, size: int = 0) -> list[int]:
    """Epochs spread evenly over a training, its beginning (0) and its last epoch among them.

    Args:
        total: epochs of the training.
        most: how many are kept at most, beside the beginning; 0: none, nor that.
        size: bytes of each; fewer are kept where all would be more than `MOST_BYTES`.
    """
    fitting = MOST_BYTES // size - 1 if size else most
    count = min(most, total, fitting)
    if count < 1:
        return []
    return [0, *sorted({round(epoch) for epoch in np.linspace(total, 1, count)})]


class EpochWeights:
    """Writes the weights of some epochs into a folder: those of the layers that train.

    Args:
        recipe: how many epochs, and which layers.
        network: that is trained.
        folder: for the files.
    """

    def __init__(self, recipe: Recipe, network: FreezableNetwork, folder: Path):
        """Find out which layers train in any phase, and how much their weights take."""
        names = {row.name for row in network.rows}
        if network.new_head:
            first = min(network.first_row(phase.train_from) for phase in recipe.training_phases)
            names = {row.name for row in network.rows[first:]}
        layers = [layer for layer in network.whole.layers if layer.weights]
        self._layers = [layer for layer in layers if layer.name in names]
        self.folder = folder
        size = sum(weight.nbytes for layer in self._layers for weight in layer.get_weights())
        self.epochs = epochs_to_keep(recipe.total_epochs, recipe.keep_checkpoints, size)

    def save(self, epoch: int) -> None:
        """Write the weights as they are after an epoch, if it is one of those that are kept."""
        if epoch not in self.epochs:
            return
        arrays = {
            f"{layer.name}/{number}": weight
            for layer in self._layers
            for number, weight in enumerate(layer.get_weights())
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self.folder / epoch_file(epoch)) as aside, aside.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)


def write_epochs(path: Path, epochs: Sequence[int]) -> None:
    """Write down which epochs a run has kept."""
    path.write_text(json.dumps(list(epochs)), encoding="utf-8")


def read_epochs(path: Path) -> list[int]:
    """The inverse of `write_epochs`.

    Raises:
        CorruptResultError: the file is damaged.
    """
    try:
        return [int(epoch) for epoch in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise CorruptResultError(path, f"holds no list of epochs ({error})") from error


def load_epoch(model: keras.Model, path: Path) -> None:
    """Give the network of a run the weights that it had after an epoch.

    Layers that never trained keep theirs, and files of layers that the network no longer has,
    such as auxiliary classifiers, are passed over.

    Raises:
        CorruptResultError: the file is damaged, or of another network.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file}
        for layer in model.layers:
            found = [arrays[key] for key in _keys(layer.name, arrays)]
            if found:
                layer.set_weights(found)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CorruptResultError(path, f"does not fit the network ({error})") from error


def _keys(layer: str, arrays: dict[str, np.ndarray]) -> list[str]:
    count = sum(key.rpartition("/")[0] == layer for key in arrays)
    return [f"{layer}/{number}" for number in range(count)]
