"""Handwritten digits: `mnist.npz` as Keras publishes it, and those that scikit-learn ships."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

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
    description="70,000 handwritten digits, each in the center of 28×28 pixels.",
    files=("mnist",),
)
def mnist(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What `read_mnist` gives, fetched where it is not on this machine."""
    del seed  # nothing is random
    return read_mnist(assets.fetch("mnist"))


def read_mnist(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
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
        _check_mnist(path, key, arrays.get(key), shape)
    return (
        arrays["x_train"][..., np.newaxis],
        arrays["y_train"],
        arrays["x_test"][..., np.newaxis],
        arrays["y_test"],
    )


def _check_mnist(path: Path, key: str, array: np.ndarray | None, shape: tuple[int, ...]) -> None:
    if array is None:
        raise CorruptAssetError(path, f"has no array {key!r}")
    if array.shape != shape or array.dtype != np.uint8:
        raise CorruptAssetError(
            path,
            f"has {key!r} of {array.dtype} {array.shape} where uint8 {shape} is needed",
        )
    if key.startswith("y") and array.max() > 9:
        raise CorruptAssetError(path, f"has labels up to {array.max()} in {key!r}, not 0 to 9")


TRAINING = 1437
TESTING = 360


@register_dataset(
    title="Digits (embedded)",
    class_names=DIGIT_NAMES,
    images=(TRAINING, TESTING),
    description=(
        "1,797 handwritten digits that scikit-learn ships, 8×8 pixels, enlarged to the "
        "format of MNIST. Not MNIST: fewer, coarser, easier."
    ),
    source="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (UCI)",
    license="CC BY 4.0",
)
def digits(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, test images and labels.

    The 8×8 images (0 to 16) are enlarged to the 20×20 box in which MNIST's digits
    stand, with a border of 4 pixels. The last fifth is the test part.

    Returns:
        uint8 (1437, 28, 28, 1), int64 (1437,), uint8 (360, 28, 28, 1), int64 (360,).
    """
    from sklearn.datasets import load_digits  # a second to import, and only needed here

    del seed  # nothing is random
    small, labels = load_digits(return_X_y=True)
    images = np.stack([_enlarge(image) for image in small.reshape(-1, 8, 8)])
    return (
        images[:TRAINING],
        labels[:TRAINING],
        images[TRAINING:],
        labels[TRAINING:],
    )


def _enlarge(image: np.ndarray) -> np.ndarray:
    scaled = Image.fromarray(np.uint8(image * 255 / 16))
    canvas = np.zeros((28, 28, 1), np.uint8)
    canvas[4:24, 4:24, 0] = np.asarray(scaled.resize((20, 20), Image.Resampling.BICUBIC))
    return canvas
