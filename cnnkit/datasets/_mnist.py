"""The file `mnist.npz` as Keras publishes it."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from cnnkit import assets
from cnnkit.datasets._types import DIGIT_NAMES, register_dataset
from cnnkit.errors import CorruptAssetError

_SHAPES = {
    "x_train": (60_000, 28, 28),
    "y_train": (60_000,),
    "x_test": (10_000, 28, 28),
    "y_test": (10_000,),
}


@register_dataset(
    title="MNIST",
    class_names=DIGIT_NAMES,
    images=(60_000, 10_000),
    description="70,000 handwritten digits, each in the centre of 28×28 pixels.",
    asset="mnist",
)
def mnist(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What `read` gives, fetched where it is not on this machine."""
    del seed  # nothing is random
    return read(assets.fetch("mnist"))


def read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, test images and labels.

    Returns:
        uint8 (60000, 28, 28, 1), uint8 (60000,), uint8 (10000, 28, 28, 1), uint8 (10000,).

    Raises:
        CorruptAssetError: the file is not what it should be.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {key: file[key] for key in _SHAPES if key in file}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise CorruptAssetError(path, f"cannot be read as an .npz file ({error})") from error
    for key, shape in _SHAPES.items():
        _check(path, key, arrays.get(key), shape)
    return (
        arrays["x_train"][..., np.newaxis],
        arrays["y_train"],
        arrays["x_test"][..., np.newaxis],
        arrays["y_test"],
    )


def _check(path: Path, key: str, array: np.ndarray | None, shape: tuple[int, ...]) -> None:
    if array is None:
        raise CorruptAssetError(path, f"has no array {key!r}")
    if array.shape != shape or array.dtype != np.uint8:
        raise CorruptAssetError(
            path,
            f"has {key!r} of {array.dtype} {array.shape} where uint8 {shape} is needed",
        )
    if key.startswith("y") and array.max() > 9:
        raise CorruptAssetError(path, f"has labels up to {array.max()} in {key!r}, not 0 to 9")
