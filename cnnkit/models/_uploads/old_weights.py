"""Weights of files that are older than Keras 3: arrays in the order of their layers.

A layer takes its arrays in their order. Those of a network within the network stand in one list
whose order depends on the version that wrote it and on what was frozen; their names say to which
layer each belongs, and where they do not, the order is Keras's: first what is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.anatomy.graph import is_graph
from cnnkit.errors import InvalidModelError

OTHER = "The network cannot be opened: its weights do not fit its layers, {why}."


@dataclass(frozen=True)
class StoredArray:
    """An array of a file, which is read when it is needed."""

    name: str  # "conv1/kernel"
    read: Callable[[], np.ndarray]

    @property
    def places(self) -> list[str]:
        """The names of layers around it, the innermost last."""
        return self.name.split("/")[:-1]


def read_hdf5(path: Path, model: Any) -> None:
    """Give a network the weights of a file that Keras 1 or 2 wrote, or Keras 3 in their format.

    Raises:
        InvalidModelError: they are not those of this network.
    """
    import h5py

    with h5py.File(path, "r") as file:
        group = file["model_weights"] if "model_weights" in file else file
        stored = [list(_arrays(group[name])) for name in _attribute(group, "layer_names")]
        layers = [layer for layer in model.layers if layer.weights]
        stored = [arrays for arrays in stored if arrays]
        if len(stored) != len(layers):
            raise _misfit(f"{len(layers)} layers have weights, and the file has {len(stored)}")
        for layer, arrays in zip(layers, stored, strict=True):
            assign(layer, arrays)


def assign(layer: Any, arrays: Sequence[StoredArray]) -> None:
    """Give a layer, or a network, its arrays.

    Raises:
        InvalidModelError: their number or their shapes are others.
    """
    if is_graph(layer):
        leaves = list({id(leaf): leaf for leaf in _leaves(layer)}.values())
        by_name = _by_layer(leaves, arrays)
        if by_name is not None:
            for leaf, own in zip(leaves, by_name, strict=True):
                assign(leaf, own)
            return
    variables = layer.trainable_weights + layer.non_trainable_weights
    if len(variables) != len(arrays):
        raise _misfit(f"{layer.name!r} has {len(variables)}, and the file {len(arrays)} for it")
    for variable, array in zip(variables, _ordered(variables, arrays), strict=True):
        values = array.read()
        if tuple(variable.shape) != values.shape:
            raise _misfit(
                f"{array.name[:80]!r} has the shape {values.shape}, and {layer.name!r} takes "
                f"{tuple(variable.shape)}"
            )
        variable.assign(values)
    for leaf in _leaves(layer) if is_graph(layer) else [layer]:
        if hasattr(leaf, "finalize_state"):
            leaf.finalize_state()


def _ordered(variables: Sequence[Any], arrays: Sequence[StoredArray]) -> Sequence[StoredArray]:
    """The arrays in the order of the variables where they have the same names, else as they are."""
    by_name = {array.name.rpartition("/")[2]: array for array in arrays}
    names = [variable.name for variable in variables]
    same = len(by_name) == len(arrays) and set(by_name) == set(names)
    return [by_name[name] for name in names] if same else arrays


def _leaves(network: Any) -> Iterator[Any]:
    for layer in network.layers:
        if is_graph(layer):
            yield from _leaves(layer)
        elif layer.weights:
            yield layer


def _by_layer(
    leaves: Sequence[Any], arrays: Iterable[StoredArray]
) -> list[list[StoredArray]] | None:
    """The arrays of each layer as their names say; None: they do not say it of all."""
    own: dict[str, list[StoredArray]] = {leaf.name: [] for leaf in leaves}
    if len(own) < len(leaves):  # two of one name, in different networks
        return None
    for array in arrays:
        layer = next((place for place in reversed(array.places) if place in own), None)
        if layer is None:
            return None
        own[layer].append(array)
    fits = all(len(own[leaf.name]) == len(leaf.weights) for leaf in leaves)
    return [own[leaf.name] for leaf in leaves] if fits else None


def _arrays(group: Any) -> Iterator[StoredArray]:
    for name in _attribute(group, "weight_names"):
        yield StoredArray(name.removesuffix(":0"), lambda name=name: np.asarray(group[name]))


def _attribute(group: Any, name: str) -> list[str]:
    """A list of names; Keras cuts those that are too long for one attribute into numbered ones."""
    names: list[Any] = []
    if name in group.attrs:
        names += list(group.attrs[name])
    number = 0
    while f"{name}{number}" in group.attrs:
        names += list(group.attrs[f"{name}{number}"])
        number += 1
    return [one.decode("utf-8") if isinstance(one, bytes) else str(one) for one in names]


def _misfit(why: str) -> InvalidModelError:
    return InvalidModelError(OTHER.format(why=why))
