import dataclasses

import numpy as np
import pytest

from cnnkit.datasets import load_dataset
from cnnkit.errors import UnknownSplitError


@pytest.fixture
def digits():
    return load_dataset("digits")


def test_a_part_that_is_a_slice_is_not_copied(digits):
    images, labels = digits.part("train")
    assert np.shares_memory(images, digits.images) and np.shares_memory(labels, digits.labels)
    assert digits.size("train") == len(images)
    np.testing.assert_array_equal(digits.labels[digits.indices("train")], labels)


def test_a_part_may_be_any_images_of_a_file_that_is_mapped(digits, tmp_path):
    np.save(tmp_path / "images.npy", digits.images)
    mapped = dataclasses.replace(
        digits,
        images=np.load(tmp_path / "images.npy", mmap_mode="r"),
        splits={"train": np.array([7, 3, 5]), "test": slice(10, 12)},
    )
    images, labels = mapped.part("train")
    np.testing.assert_array_equal(images, digits.images[[7, 3, 5]])
    np.testing.assert_array_equal(labels, digits.labels[[7, 3, 5]])
    assert type(images) is np.ndarray
    assert mapped.indices("test").tolist() == [10, 11] and mapped.size("train") == 3
    assert np.shares_memory(mapped.part("test")[0], mapped.images)
    with pytest.raises(ValueError, match="read-only"):
        mapped.part("test")[0][0] = 0


@pytest.mark.parametrize("ask", ["part", "indices", "size"])
def test_an_unknown_split_lists_those_there_are(ask, digits):
    with pytest.raises(UnknownSplitError, match="'tset'. Did you mean 'test'.*train, validation"):
        getattr(digits, ask)("tset")
