"""Near-duplicates across the split, in images made for it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cnnkit.datasets import Dataset, dataset_info, load_dataset
from cnnkit.datasets.near_duplicates import near_duplicates


def scene(number, size=64):
    """A smooth color image that no other number gives."""
    noise = np.random.default_rng(number).integers(0, 256, (5, 5, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC))


def dataset_of(images, train, validation, test):
    return Dataset(
        spec=dataset_info("drawn_flowers"),
        images=np.stack(images),
        labels=np.zeros(len(images), np.int64),
        splits={
            "train": np.array(train, np.int64),
            "validation": np.array(validation, np.int64),
            "test": np.array(test, np.int64),
        },
    )  # fmt: skip


def smaller_and_back(image):
    return np.asarray(Image.fromarray(image).resize((24, 24)).resize(image.shape[1::-1]))


def darker(image):
    return (image * 0.8).astype(np.uint8)


def the_next_shot(image):
    return np.roll(image, 1, axis=1)


@pytest.mark.parametrize("changed", [np.copy, smaller_and_back, darker, the_next_shot])
def test_a_changed_copy_is_found_on_the_other_side_of_the_split(changed):
    images = [scene(n) for n in range(6)]
    images += [changed(images[1]), changed(images[3])]
    data = dataset_of(images, train=[0, 1, 2], validation=[3], test=[4, 5, 6, 7])
    assert sorted(map(tuple, near_duplicates(data).tolist())) == [(1, 6), (3, 7)]


def test_different_images_of_one_gray_and_copies_on_one_side_are_none():
    gray = np.full_like(scene(0), 90)
    images = [scene(0), scene(0), gray, scene(1), gray]
    assert near_duplicates(dataset_of(images, [0, 1, 2], [], [3, 4])).shape == (0, 2)


@pytest.mark.parametrize(("train", "test"), [([0, 1], []), ([], [0, 1])])
def test_an_empty_part_has_none(train, test):
    assert near_duplicates(dataset_of([scene(0), scene(0)], train, [], test)).shape == (0, 2)


def test_the_most_similar_pairs_come_first():
    images = [scene(0), the_next_shot(scene(1)), scene(1), scene(0)]
    assert near_duplicates(dataset_of(images, [0, 1], [], [2, 3])).tolist() == [[0, 3], [1, 2]]


@pytest.mark.flowers
@pytest.mark.endurance  # decodes all photos
def test_the_17_flowers_have_fourteen():
    data = load_dataset("flowers17")
    pairs = near_duplicates(data)
    assert len(pairs) == 14
    assert (data.labels[pairs[:, 0]] == data.labels[pairs[:, 1]]).all()
