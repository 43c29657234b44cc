"""Fashion-MNIST and Kuzushiji-MNIST, read from files that are made here in their format."""

import functools
import gzip

import numpy as np
import pytest

from cnnkit.assets import ASSETS
from cnnkit.datasets import dataset_info, load_dataset
from cnnkit.errors import AssetUnavailableError, CorruptAssetError
from cnnkit.settings import get_settings

SHAPES = {
    "train_images": (60_000, 28, 28),
    "train_labels": (60_000,),
    "test_images": (10_000, 28, 28),
    "test_labels": (10_000,),
}


@pytest.fixture
def data_dir(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    get_settings.cache_clear()
    return tmp_path


def values(part):
    """Numbers that tell whether each went to its place."""
    count, *rest = SHAPES[part]
    if not rest:
        return (np.arange(count) % 10).astype(np.uint8)
    images = np.zeros((count, *rest), np.uint8)
    images[:, 0, 1] = np.arange(count) % 251
    return images


@functools.cache
def right(part):
    return packed(values(part))


def packed(array, dimensions=None, kind=8):
    """An IDX file: two zeros, the type, the number of dimensions, each of them, the values."""
    shape = array.shape if dimensions is None else dimensions
    head = bytes((0, 0, kind, len(shape))) + np.array(shape, ">u4").tobytes()
    return gzip.compress(head + array.tobytes(), 1, mtime=0)


def write(name, folder, **changes):
    for part in SHAPES:
        asset = ASSETS[f"{name}_{part}"]
        path = folder / asset.data_folder / asset.filename
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(changes[part] if part in changes else right(part))


@pytest.mark.parametrize("name", ["fashion_mnist", "kmnist"])
def test_the_four_files_become_a_data_set_of_its_folder(data_dir, name):
    assert not dataset_info(name).available and len(dataset_info(name).missing) == 4
    write(name, data_dir)
    assert dataset_info(name).available
    dataset = load_dataset(name, validation_size=5_000)
    assert dataset.images.shape == (70_000, 28, 28, 1) and dataset.images.dtype == np.uint8
    assert dataset.size("train") == 55_000
    images, labels = dataset.part("test")
    assert labels[:12].tolist() == [*range(10), 0, 1] and len(set(dataset.class_names)) == 10
    assert images[7, 0, 1, 0] == 7 and images[7, 1, 0, 0] == 0


def test_the_files_of_two_sets_do_not_take_each_others_place(data_dir):
    write("kmnist", data_dir)
    with pytest.raises(AssetUnavailableError, match=r"fashion-mnist.*train-images-idx3-ubyte"):
        load_dataset("fashion_mnist")


@pytest.mark.parametrize(
    ("part", "data", "problem"),
    [
        ("train_images", b"<html>not found</html>", "cannot be read as a gzip file"),
        ("train_images", packed(values("test_images")), r"shape \(10000, 28, 28\) where"),
        ("test_labels", packed(values("test_labels"), kind=9), "is no IDX file of bytes"),
        ("test_labels", packed(values("test_labels")[:-1], (10_000,)), "more or fewer values"),
        ("test_labels", packed(np.zeros(10_001, np.uint8), (10_000,)), "more or fewer values"),
        ("test_labels", packed(np.full(10_000, 12, np.uint8)), "labels up to 12"),
        ("test_labels", packed(values("test_labels"))[:60], "cannot be read as a gzip file"),
        ("test_labels", gzip.compress(b"\0\0", mtime=0), "is no IDX file"),
    ],
    ids=["text", "shape", "kind", "shorter", "longer", "labels", "cut_off", "empty"],
)
def test_a_wrong_file_is_named_with_what_is_wrong(data_dir, part, data, problem):
    asset = ASSETS[f"fashion_mnist_{part}"]
    write("fashion_mnist", data_dir, **{part: data})
    with pytest.raises(CorruptAssetError, match=problem) as caught:
        load_dataset("fashion_mnist")
    assert str(data_dir / "fashion-mnist" / asset.filename) in str(caught.value)
