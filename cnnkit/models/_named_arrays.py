"""Weights of a file by the names of Caffe's layers: `.npz`, or the authors' `.caffemodel`."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnnkit.errors import CorruptAssetError, IncompatibleError
from cnnkit.models._registry import model_info

if TYPE_CHECKING:
    from keras import Model, Variable

NETWORKS = ("googlenet", "squeezenet")  # that have such files
SUFFIXES = (".caffemodel", ".npz")  # of their layouts
AUXILIARY = ("loss1/", "loss2/")  # classifiers that only training needs
CAFFE_NAMES = {"logits": "loss3/classifier"}  # where the rule of names does not hold


def load_named_arrays(model: Model, path: Path | str) -> None:
    """Give a network the weights of a file, or none of them.

    The networks were trained on blue, green, red. Ours takes red, green, blue, so the
    first kernel is turned round instead of every image: the logits are the same, and
    the filters are in the order of colors that people draw. Auxiliary classifiers keep
    their weights: not every file has them.

    Args:
        model: "googlenet" or "squeezenet", of `create_model`, with 1000 classes and three
            channels. Images may have any size.
        path: the file; its suffix, one of `SUFFIXES`, says what it is.

    Raises:
        CorruptAssetError: the file is missing or damaged, or its arrays have other names,
            shapes or types than the network's.
        IncompatibleError: the network has other classes or channels than was published.
    """
    _check_model(model)
    path = Path(path)
    variables = _variables(model)
    arrays = _read(path)
    _check_arrays(path, variables, arrays)
    first = next(iter(variables))
    arrays[first] = arrays[first][:, :, ::-1]
    for name, variable in variables.items():
        variable.assign(arrays[name])


def arrays_digest(path: Path) -> str:
    """SHA-256 of the arrays in a file: the same for equal weights in any layout.

    Raises:
        CorruptAssetError: the file is missing or damaged.
    """
    digest = hashlib.sha256()
    for name, array in sorted(_read(path).items()):
        digest.update(f"{name} {array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _check_model(model: Model) -> None:
    if model.name not in NETWORKS:
        raise ValueError(f"`model` must be one of {', '.join(NETWORKS)}. Received: {model.name!r}.")
    spec = model_info(model.name)
    published = (spec.input_shape[-1], spec.classes)
    received = (model.input_shape[-1], model.get_layer("logits").output.shape[-1])
    if received != published:
        raise IncompatibleError(
            f"The weights of {spec.title} are for {published[0]} channels and {published[1]} "
            f"classes. This network has {received[0]} channels and {received[1]} classes."
        )


def _variables(model: Model) -> dict[str, Variable]:
    """The array's name → the variable, in the order an image meets them."""
    return {
        f"{_caffe_name(layer.name)}|{kind}": getattr(layer, kind)
        for layer in model.layers
        if hasattr(layer, "kernel") and not layer.name.startswith("auxiliary")
        for kind in ("kernel", "bias")
    }


def _caffe_name(layer: str) -> str:
    """`inception_3a_5x5_reduce` → `inception_3a/5x5_reduce`, `conv1` → `conv1`."""
    if layer in CAFFE_NAMES:
        return CAFFE_NAMES[layer]
    words = layer.split("_")
    first = 2 if words[0] == "inception" else 1
    return "/".join(filter(None, ("_".join(words[:first]), "_".join(words[first:]))))


def _read(path: Path) -> dict[str, np.ndarray]:
    """Without auxiliary classifiers."""
    if not path.is_file():
        raise CorruptAssetError(path, "is missing")
    if path.suffix != ".caffemodel":
        return _read_npz(path)
    from cnnkit.models._caffe import read_caffe_arrays

    arrays = read_caffe_arrays(path)
    return {name: arrays[name] for name in arrays if not name.startswith(AUXILIARY)}


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {key: file[key] for key in file}
    # TypeError: a file of a single array, which has no names.
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise CorruptAssetError(path, f"cannot be read as named arrays ({error})") from error


def _check_arrays(path: Path, variables: dict, arrays: dict[str, np.ndarray]) -> None:
    for name, variable in variables.items():
        if name not in arrays:
            raise CorruptAssetError(path, f"has no array {name!r}")
        shape, dtype = arrays[name].shape, arrays[name].dtype
        if shape != tuple(variable.shape):
            raise CorruptAssetError(
                path, f"has {name!r} of shape {shape} instead of {tuple(variable.shape)}"
            )
        if dtype != np.float32:
            raise CorruptAssetError(path, f"has {name!r} as {dtype} instead of float32")
    strangers = sorted(set(arrays) - set(variables))
    if strangers:
        raise CorruptAssetError(path, f"has the array {strangers[0]!r}, which the network lacks")
