"""CIFAR-10, from its binary version: nothing in it is run as code."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

import numpy as np

from cnnkit import assets
from cnnkit.datasets._types import register_dataset
from cnnkit.errors import CorruptAssetError

SIDE = 32  # pixels
IN_A_FILE = 10_000  # images
ROW = 1 + 3 * SIDE * SIDE  # bytes of an image: its label, then red, green and blue
FOLDER = "cifar-10-batches-bin"
TRAINING = tuple(f"{FOLDER}/data_batch_{number}.bin" for number in range(1, 6))
TEST = f"{FOLDER}/test_batch.bin"


@register_dataset(
    title="CIFAR-10",
    class_names=(
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
    images=(50_000, 10_000),
    description="60,000 color photos of animals and vehicles, 32×32 pixels.",
    input_shape=(SIDE, SIDE, 3),
    files=("cifar10",),
)
def cifar10(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What `read_cifar10` gives, fetched where it is not on this machine."""
    del seed  # nothing is random
    return read_cifar10(assets.fetch("cifar10"))


def read_cifar10(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, test images and labels.

    Returns:
        uint8 (50000, 32, 32, 3), uint8 (50000,), uint8 (10000, 32, 32, 3), uint8 (10000,).

    Raises:
        CorruptAssetError: the file is not what it should be.
    """
    rows: dict[str, np.ndarray] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.name in (*TRAINING, TEST):
                    rows[member.name] = _rows(path, archive, member)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise CorruptAssetError(path, f"cannot be read as a .tar.gz file ({error})") from error
    for name in (*TRAINING, TEST):
        if name not in rows:
            raise CorruptAssetError(path, f"has no file {name}")
    training = np.concatenate([rows[name] for name in TRAINING])
    return *_images_and_labels(training), *_images_and_labels(rows[TEST])


def _rows(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> np.ndarray:
    """A file of the archive: uint8 (images, bytes of one)."""
    if not member.isfile() or member.size != IN_A_FILE * ROW:
        raise CorruptAssetError(
            path, f"has {member.size:,} bytes in {member.name} where {IN_A_FILE * ROW:,} are needed"
        )
    file = archive.extractfile(member)
    values = np.frombuffer(file.read() if file else b"", np.uint8)
    if len(values) != member.size:
        raise CorruptAssetError(path, f"ends within {member.name}")
    rows = values.reshape(IN_A_FILE, ROW)
    if rows[:, 0].max() > 9:
        raise CorruptAssetError(path, f"has labels up to {rows[:, 0].max()} in {member.name}")
    return rows


def _images_and_labels(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    planes = rows[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), rows[:, 0].copy()
