import numpy as np
import pytest

from cnnkit.datasets import dataset_info, dataset_title, list_datasets, load_dataset
from cnnkit.errors import IncompatibleError, UnknownDatasetError

EMBEDDED = [name for name in list_datasets("small") if dataset_info(name).embedded]


@pytest.mark.parametrize("name", EMBEDDED)
def test_every_embedded_data_set_is_what_its_record_says(name):
    dataset, spec = load_dataset(name), dataset_info(name)
    assert dataset.images.dtype == np.uint8
    assert dataset.images.shape[1:] == spec.input_shape
    assert len(dataset.images) == len(dataset.labels) == sum(spec.images)
    assert set(dataset.labels) == set(range(spec.classes))
    assert len(dataset.part("test")[0]) == spec.images[1]
    assert dataset.images.max() > 200
    assert spec.source and spec.license and spec.available


@pytest.mark.parametrize("where", ["start", "end"])
def test_no_image_is_in_two_parts(where):
    dataset = load_dataset("digits", validation_size=200, validation_from=where)
    taken = np.zeros(len(dataset.images), int)
    for part in dataset.splits.values():
        taken[part] += 1
    assert (taken == 1).all()
    first = dataset.splits["validation" if where == "start" else "train"]
    assert first.start == 0


def test_a_smaller_training_part_leaves_validation_and_test_alone():
    whole = load_dataset("digits", validation_size=200)
    less = load_dataset("digits", validation_size=200, train_size=50)
    assert len(less.part("train")[0]) == 50
    for part in ("validation", "test"):
        np.testing.assert_array_equal(less.part(part)[0], whole.part(part)[0])


def test_asking_for_too_many_says_how_many_there_are():
    asked = {"validation_size": 10_000}, {"train_size": 10_000}, {"validation_size": -1}
    for sizes in asked:
        with pytest.raises(IncompatibleError, match="1,437 images") as refused:
            load_dataset("digits", **sizes)
        assert "-" not in str(refused.value)  # a count below zero is of no use to anyone


@pytest.mark.parametrize(
    ("asked", "validation", "train"),
    [
        ({"validation_size": 5_000}, 239, 1_198),
        ({"validation_size": 1_437}, 239, 1_198),
        ({"validation_size": 200, "train_size": 10_000}, 200, 1_237),
        ({"validation_size": 200, "train_size": 1_000}, 200, 1_000),  # what fits stays
    ],
)
def test_sizes_that_do_not_fit_are_adapted_where_one_asks_for_it(asked, validation, train):
    dataset = load_dataset("digits", adapt_sizes=True, **asked)
    assert (dataset.size("validation"), dataset.size("train")) == (validation, train)
    assert dataset.size("test") == 360


def test_a_data_set_of_another_machine_has_its_name_for_a_title():
    assert dataset_title("mnist") == "MNIST" and dataset_title("own-0123") == "own-0123"


def test_an_unknown_data_set_lists_the_known_ones():
    with pytest.raises(UnknownDatasetError, match=", ".join(sorted(list_datasets()))):
        load_dataset("mnits")
