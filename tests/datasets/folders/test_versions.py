"""Labels corrected in place: each change makes the next version, and the old ones stay."""

import numpy as np
import pytest

from cnnkit.datasets import dataset_info, load_dataset
from cnnkit.datasets._store import IMAGES, ImageStore
from cnnkit.datasets.folders import (
    delete,
    image_folder,
    import_report,
    list_own,
    move_images,
    newest_own,
    own_bytes,
    rename,
    versions,
)
from cnnkit.errors import InvalidImagesError, NotAllowedError
from cnnkit.files import folder_bytes
from cnnkit.people import Person

from .conftest import classes


@pytest.fixture
def first(pack):
    return image_folder(pack(classes("cup", "pen", count=5) | {"a.txt": b"x"}), title="Desk").name


def labels(name):
    dataset = load_dataset(name)
    return [dataset.class_names[label] for label in dataset.labels]


def test_moved_images_are_in_another_class_in_the_next_version_alone(first):
    second = move_images(first, [0, 2], "pen")
    assert labels(first) == 5 * ["cup"] + 5 * ["pen"]
    assert labels(second.name) == ["pen", "cup", "pen", "cup", "cup"] + 5 * ["pen"]
    old, new = load_dataset(first), load_dataset(second.name)
    assert new.fingerprint == old.fingerprint and new.names == old.names
    np.testing.assert_array_equal(new.images, old.images)
    assert dataset_info(second.name).title == "Desk, version 2"
    report = import_report(second.name)
    assert report.notes == ("Version 2: 2 from cup moved to pen.",)
    assert [one.file for one in report.left_out] == ["a.txt"]


def test_versions_share_the_file_of_the_images_and_outlive_each_other(first):
    store, before = ImageStore.of(), own_bytes("")
    second = move_images(first, [0], "pen").name
    files = [store.folder / name / IMAGES for name in (first, second)]
    assert files[0].samefile(files[1])
    assert own_bytes("") < before + 20_000  # a card and a list, and no image
    assert folder_bytes(store.folder) < before + 20_000
    delete(first)
    assert len(load_dataset(second).images) == 10 and versions(second) == [second]
    assert dataset_info(first).deleted and versions(first) == [second]


def test_changes_follow_each_other_whichever_version_was_looked_at(first):
    second = move_images(first, [0], "pen").name
    third = move_images(first, [1], "pen").name
    assert labels(third)[:3] == ["pen", "pen", "cup"]
    assert versions(second) == [first, second, third] and newest_own() == [third]
    fourth = move_images(second, [0, 1], "cup")
    assert labels(fourth.name) == labels(first) and fourth.name not in (first, second, third)
    assert fourth.report.notes[-1] == "Version 4: 2 from pen moved to cup."
    assert len(list_own()) == 4


def test_a_class_that_lost_its_images_is_gone_from_the_next_version(pack):
    name = image_folder(pack(classes("cup", "pen", "key"))).name
    dataset = load_dataset(name)
    keys = [n for n, label in enumerate(dataset.labels) if dataset.class_names[label] == "key"]
    second = move_images(name, keys, "cup").name
    assert dataset_info(second).class_names == ("cup", "pen")
    with pytest.raises(InvalidImagesError, match="has no class 'key'"):
        move_images(name, keys, "key")


def test_a_renamed_set_keeps_its_version(first):
    second = move_images(first, [0], "pen").name
    rename(second, title=dataset_info(second).title)
    assert dataset_info(second).title == "Desk, version 2"
    rename(second, title="Table", classes=["mug", "pen"])
    third = move_images(first, [1], "pen").name
    assert dataset_info(third).class_names == ("mug", "pen")
    assert dataset_info(third).title == "Table, version 3"
    assert dataset_info(second).title == "Table, version 2"


@pytest.mark.parametrize(
    ("numbers", "to", "sentence"),
    [
        ([0], "cup", "of class 'cup' already"),
        ([], "pen", "already"),
        ([0], "<b>", "has no class '<b>'. It has: cup, pen"),
        ([-1], "pen", "has images 0 to 9"),
        ([10], "pen", "has images 0 to 9"),
        ([0, 1, 2, 3], "pen", "one of them with 3"),
        ([0, 1, 2, 3, 4], "pen", "of one class, 'pen'"),
    ],
)
def test_what_cannot_be_moved_is_refused_and_makes_no_version(first, numbers, to, sentence):
    with pytest.raises(InvalidImagesError, match=sentence):
        move_images(first, numbers, to)
    assert list_own() == [first]


def test_only_its_owner_corrects_a_set(pack):
    ada, bob = Person("a" * 16, "Ada"), Person("b" * 16, "Bob")
    name = image_folder(pack(classes("cup", "pen")), owner=ada).name
    with pytest.raises(NotAllowedError):
        move_images(name, [0], "pen", person=bob)
    moved = move_images(name, [0], "pen", person=Person("c" * 16, "Cleo", admin=True)).name
    assert dataset_info(moved).owner == ada.id
