"""CIFAR-10, read from archives that are made here in the format of its binary version."""

import io
import tarfile

import numpy as np
import pytest

from cnnkit.datasets.cifar import TEST, TRAINING, read_cifar10
from cnnkit.errors import CorruptAssetError

ROW = 3073
COUNT = 10_000
NOTHING = dict.fromkeys((*TRAINING, TEST))


def rows(number):
    """Images whose first red, green and blue values tell the file and the place."""
    found = np.zeros((COUNT, ROW), np.uint8)
    found[:, 0] = np.arange(COUNT) % 10
    found[:, 1] = number
    found[:, 1 + 1024] = np.arange(COUNT) % 251
    found[:, 1 + 2048 + 33] = 9  # blue, second row, second column
    return found


def pack(path, changes=()):
    files = {name: rows(k) for k, name in enumerate((*TRAINING, TEST))} | dict(changes)
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            if content is not None:
                data = content.tobytes()
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return path


def test_planes_become_pixels_and_the_five_files_follow_each_other(tmp_path):
    images, labels, test_images, test_labels = read_cifar10(pack(tmp_path / "cifar.tar.gz"))
    assert images.shape == (50_000, 32, 32, 3) and test_images.shape == (10_000, 32, 32, 3)
    assert images.dtype == labels.dtype == np.uint8 and labels.shape == (50_000,)
    assert images[20_007, 0, 0].tolist() == [2, 7, 0] and images[3, 1, 1].tolist() == [0, 0, 9]
    assert test_images[7, 0, 0].tolist() == [5, 7, 0] and test_labels[:3].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (NOTHING | {TRAINING[0]: np.zeros(10, np.uint8)}, "has 10 bytes in"),
        (NOTHING | {TRAINING[0]: np.full((COUNT, ROW), 11, np.uint8)}, "labels up to 11"),
        (NOTHING | {TRAINING[0]: np.zeros((COUNT, ROW), np.uint8)}, f"has no file {TRAINING[1]}"),
        (NOTHING, f"has no file {TRAINING[0]}"),
    ],
)
def test_a_wrong_archive_is_named_with_what_is_wrong(tmp_path, changes, problem):
    path = pack(tmp_path / "cifar.tar.gz", changes)
    with pytest.raises(CorruptAssetError, match=problem) as caught:
        read_cifar10(path)
    assert str(path) in str(caught.value)


def test_what_is_no_archive_or_ends_early_is_said(tmp_path):
    path = tmp_path / "cifar.tar.gz"
    path.write_bytes(b"<html>")
    with pytest.raises(CorruptAssetError, match="cannot be read"):
        read_cifar10(path)
    whole = pack(path, NOTHING | {TRAINING[0]: rows(0)}).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptAssetError, match="cannot be read|ends within"):
        read_cifar10(path)
