import numpy as np
import pytest

from cnnkit.datasets import load_dataset, mnist_or_digits, read_ahead
from cnnkit.errors import CorruptAssetError
from cnnkit.settings import get_settings


@pytest.fixture
def data_dir(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    get_settings.cache_clear()
    return tmp_path


def write(folder, **changes):
    arrays = {
        "x_train": np.zeros((60_000, 28, 28), np.uint8),
        "y_train": np.zeros(60_000, np.uint8),
        "x_test": np.zeros((10_000, 28, 28), np.uint8),
        "y_test": np.zeros(10_000, np.uint8),
    } | changes
    kept = {key: array for key, array in arrays.items() if array is not None}
    np.savez_compressed(folder / "mnist.npz", **kept)


def test_a_right_file_is_read_whatever_its_hash(data_dir):
    write(data_dir)
    dataset = load_dataset("mnist", validation_size=10_000)
    assert dataset.images.shape == (70_000, 28, 28, 1)
    assert dataset.images.dtype == np.uint8


def test_what_was_read_ahead_is_used_once_and_then_read_anew(data_dir):
    write(data_dir)
    read_ahead("mnist")
    write(data_dir, y_train=np.ones(60_000, np.uint8))
    assert load_dataset("mnist").part("train")[1].max() == 0
    assert load_dataset("mnist").part("train")[1].max() == 1


def test_reading_ahead_what_is_not_here_does_nothing(data_dir):
    read_ahead("mnist")
    read_ahead("digits")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"x_test": None}, "has no array 'x_test'"),
        ({"x_test": np.zeros((10_000, 8, 8), np.uint8)}, r"\(10000, 8, 8\)"),
        ({"x_test": np.zeros((10_000, 28, 28), np.float32)}, "float32"),
        ({"y_test": np.full(10_000, 12, np.uint8)}, "labels up to 12"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(data_dir, change, problem):
    write(data_dir, **change)
    with pytest.raises(CorruptAssetError, match=problem) as caught:
        load_dataset("mnist")
    assert str(data_dir / "mnist.npz") in str(caught.value)


def test_a_truncated_file_is_named(data_dir):
    write(data_dir)
    path = data_dir / "mnist.npz"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CorruptAssetError, match=r"mnist\.npz.*cannot be read"):
        load_dataset("mnist")


def test_a_flipped_byte_is_noticed(data_dir):
    write(data_dir, x_train=np.arange(60_000 * 784, dtype=np.uint8).reshape(60_000, 28, 28))
    path = data_dir / "mnist.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(CorruptAssetError, match="cannot be read"):
        load_dataset("mnist")


def test_without_the_file_the_embedded_digits_say_what_they_are(data_dir):
    dataset = mnist_or_digits()
    assert dataset.name == "digits" and dataset.embedded
    assert "embedded" in dataset.title


@pytest.mark.mnist
def test_real_mnist_has_its_known_counts():
    dataset = load_dataset("mnist", validation_size=10_000)
    _, test_labels = dataset.part("test")
    assert np.bincount(test_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    train_images, _ = dataset.part("train")
    assert train_images.shape == (50_000, 28, 28, 1)
    # The mean of the sixty thousand, as it is quoted everywhere: .1307.
    assert dataset.images[:60_000].mean() / 255 == pytest.approx(0.1307, abs=5e-5)
