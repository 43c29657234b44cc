"""Data sets in the format of MNIST's own files: Fashion-MNIST and Kuzushiji-MNIST."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from cnnkit import assets
from cnnkit.datasets._types import register_dataset
from cnnkit.errors import CorruptAssetError

SIDE = 28  # pixels
TRAINING, TESTING = 60_000, 10_000
_UNSIGNED_BYTES = 0x08  # third byte of an IDX file; the fourth is the number of dimensions
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _files(name: str) -> tuple[str, ...]:
    parts = ("train_images", "train_labels", "test_images", "test_labels")
    return tuple(f"{name}_{part}" for part in parts)


@register_dataset(
    title="Fashion-MNIST",
    class_names=(
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    images=(TRAINING, TESTING),
    description="70,000 gray images of clothes, shoes and bags, 28×28 pixels: harder than digits.",
    files=_files("fashion_mnist"),
)
def fashion_mnist(seed: int) -> Arrays:
    """Training images and labels, test images and labels: see `read_mnist_like`."""
    del seed  # nothing is random
    return read_mnist_like("fashion_mnist")


@register_dataset(
    title="Kuzushiji-MNIST",
    class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    images=(TRAINING, TESTING),
    description=(
        "70,000 handwritten characters from old Japanese books, 28×28 pixels; each of the ten "
        "classes was written in several forms."
    ),
    files=_files("kmnist"),
)
def kmnist(seed: int) -> Arrays:
    """Training images and labels, test images and labels: see `read_mnist_like`."""
    del seed  # nothing is random
    return read_mnist_like("kmnist")


def read_mnist_like(name: str) -> Arrays:
    """The four files of a data set, fetched where they are not on this machine.

    Args:
        name: how the names of its assets begin.

    Returns:
        uint8 (60000, 28, 28, 1), uint8 (60000,), uint8 (10000, 28, 28, 1), uint8 (10000,).

    Raises:
        AssetUnavailableError: a file is not here and cannot be fetched.
        CorruptAssetError: a file is not what it should be.
    """
    paths = [assets.fetch(file) for file in _files(name)]
    arrays = []
    for count, images, labels in ((TRAINING, *paths[:2]), (TESTING, *paths[2:])):
        arrays.append(read_idx(images, (count, SIDE, SIDE))[..., np.newaxis])
        arrays.append(read_idx(labels, (count,)))
        if arrays[-1].max() > 9:
            raise CorruptAssetError(labels, f"has labels up to {arrays[-1].max()}, not 0 to 9")
    return tuple(arrays)


def read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The bytes of a compressed IDX file.

    Args:
        path: ends in ".gz".
        shape: that it must have.

    Returns:
        uint8, of this shape.

    Raises:
        CorruptAssetError: it is damaged, or holds something else.
    """
    length = 4 + 4 * len(shape)
    try:
        with gzip.open(path, "rb") as file:
            head = file.read(length)
            values = file.read(math.prod(shape) + 1)  # no more, however much it would expand to
    except (OSError, EOFError, zlib.error) as error:
        raise CorruptAssetError(path, f"cannot be read as a gzip file ({error})") from error
    if len(head) < length or head[:3] != bytes((0, 0, _UNSIGNED_BYTES)):
        raise CorruptAssetError(path, "is no IDX file of bytes")
    found = tuple(int(size) for size in np.frombuffer(head[4:], ">u4"))
    if head[3] != len(shape) or found != shape:
        raise CorruptAssetError(path, f"has the shape {found} where {shape} is needed")
    if len(values) != math.prod(shape):
        raise CorruptAssetError(path, "holds more or fewer values than it says")
    return np.frombuffer(values, np.uint8).reshape(shape)
