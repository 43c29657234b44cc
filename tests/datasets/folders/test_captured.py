"""Images by class that lie in no folder: what a camera took."""

import numpy as np
import pytest

from cnnkit.datasets import dataset_info, load_dataset
from cnnkit.datasets.folders import (
    image_folder,
    import_report,
    labeled_images,
    list_own,
    newest_own,
    versions,
)
from cnnkit.errors import InvalidImagesError, LimitError, NotAllowedError, UnknownDatasetError
from cnnkit.people import Person

from .conftest import classes, image


def taken(*names, count=4, first=0):
    return {
        name: [image(100 * k + n) for n in range(first, first + count)]
        for k, name in enumerate(names)
    }


def test_the_same_images_are_the_same_set_whether_taken_or_imported(pack):
    imported = image_folder(pack(classes("daisy", "rose")), title="Garden")
    found = labeled_images(taken("daisy", "rose"))
    assert (found.name, found.new) == (imported.name, False)


def test_a_set_has_a_title_a_report_an_owner_and_names_by_class():
    ada = Person("a" * 16, "Ada")
    images = taken("cup", "pen")
    images["pen"] += [b"no image", images["pen"][0]]
    found = labeled_images(images, title="  My \n desk ", owner=ada)
    spec, dataset = dataset_info(found.name), load_dataset(found.name)
    assert (spec.title, spec.owner, spec.source) == ("My desk", ada.id, "taken with a camera here")
    assert dataset.class_names == ("cup", "pen") and dataset.images.shape == (8, 256, 256, 3)
    assert dataset.names[:2] == ("cup/0001", "cup/0002")
    left_out = {one.file: one.kind for one in import_report(found.name).left_out}
    assert left_out == {"pen/0005": "text", "pen/0006": "duplicate"}


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        ({}, "holds no image"),
        (taken("only"), "of one class, 'only'"),
        (taken("a", "b", count=2), "none of them with 3"),
        ({"a": [image(1)] * 3, "b": taken("b")["b"]}, "one of them with 3"),
        ({" ": [image(1)], "b": [image(2)]}, "at least one letter"),
        ({"x\u202e": [image(1)], "x": [image(2)]}, "same name, 'x'"),
        ({"a": [b""] * 3, "b": [b"GIF89a"] * 3}, "holds no image"),
    ],
)
def test_what_no_network_can_learn_from_is_refused_and_leaves_nothing(images, sentence, own_home):
    with pytest.raises(InvalidImagesError, match=sentence):
        labeled_images(images)
    assert not any((own_home / "images").glob("own-*")) and list_own() == []


def test_more_than_there_is_room_for_is_refused_before_it_is_decoded():
    with pytest.raises(LimitError, match="you may store 0 MB more"):
        labeled_images(taken("a", "b"), room=1000, progress=lambda *now: pytest.fail("decoded"))


def test_added_images_make_the_next_version_and_the_first_stays():
    first = labeled_images(taken("cup", "pen"), title="Desk").name
    before = load_dataset(first)
    more = taken("cup", "key", count=3, first=50)
    more["cup"].append(image(0))  # is there already
    second = labeled_images(more, add_to=first)
    dataset = load_dataset(second.name)
    assert second.new and versions(first) == versions(second.name) == [first, second.name]
    assert dataset_info(second.name).title == "Desk, version 2"
    assert dataset.class_names == ("cup", "key", "pen") and len(dataset.images) == 14
    np.testing.assert_array_equal(dataset.images[:8], before.images)
    assert [one.kind for one in second.report.left_out] == ["duplicate"]
    assert second.report.notes == ("Version 2: 6 images added.",)
    assert len(load_dataset(first).images) == 8 and newest_own() == [second.name]


def test_nobody_adds_to_a_set_of_somebody_else_or_one_that_is_not_there():
    name = labeled_images(taken("cup", "pen"), owner=Person("a" * 16, "Ada")).name
    with pytest.raises(NotAllowedError, match="belongs to somebody else"):
        labeled_images(taken("cup"), add_to=name, owner=Person("b" * 16, "Bob"))
    with pytest.raises(UnknownDatasetError):
        labeled_images(taken("cup"), add_to="own-0000")
    assert versions(name) == [name]
