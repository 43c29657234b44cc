import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.datasets._splits import Split, divide
from cnnkit.errors import IncompatibleError

FLOWERS = np.repeat(np.arange(4), 80)
NO_TWINS = np.arange(len(FLOWERS))
AS_FLOWERS = {"test": 10, "validation": 40}


def parts(**split):
    return divide(FLOWERS, NO_TWINS, Split(**{**AS_FLOWERS, **split}), "Four flowers")


def counts(indices):
    return np.bincount(FLOWERS[indices], minlength=4).tolist()


def test_every_class_gives_the_same_number_to_each_part():
    found = parts()
    assert counts(found["test"]) == [10] * 4
    assert counts(found["validation"]) == [10] * 4
    assert counts(found["train"]) == [60] * 4


def test_the_seed_names_the_division():
    np.testing.assert_array_equal(parts(seed=3)["test"], parts(seed=3)["test"])
    assert not np.array_equal(parts(seed=3)["test"], parts(seed=4)["test"])


def test_the_test_part_stays_whatever_is_chosen_for_the_others():
    for other in ({"validation": 0}, {"validation": 100}, {"train": 7}, {"per_class": 5}):
        np.testing.assert_array_equal(parts()["test"], parts(**other)["test"])


def test_fewer_images_to_learn_from_are_always_among_more():
    smaller = [set(parts(per_class=count)["train"]) for count in (5, 10, 20, 70)]
    assert [len(one) for one in smaller] == [20, 40, 80, 240]
    assert smaller[0] < smaller[1] < smaller[2] < smaller[3]


def test_own_images_give_15_percent_of_each_class_to_validation_and_as_much_to_the_test():
    labels = np.repeat([0, 1], [100, 40])
    found = divide(labels, np.arange(140), Split(), "Own")
    for part, expected in (("train", [70, 28]), ("validation", [15, 6]), ("test", [15, 6])):
        assert np.bincount(labels[found[part]]).tolist() == expected


def test_a_number_over_all_classes_is_spread_evenly():
    assert counts(parts(train=10)["train"]) == [3, 3, 2, 2]
    assert counts(parts(validation=17)["validation"]) == [5, 4, 4, 4]


@pytest.mark.parametrize(
    "wrong",
    [{"train": 241}, {"validation": 300}, {"per_class": 0}, {"validation": -1}, {"train": 0}],
)
def test_what_cannot_be_divided_says_how_many_there_are(wrong):
    with pytest.raises(IncompatibleError, match="Four flowers has 280 images") as refused:
        parts(**wrong)
    assert "-" not in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "validation", "train"),
    [
        ({"validation": 5_000}, 40, 240),  # the usual ones
        ({"validation": 5_000, "usual": None}, 48, 232),  # a share of each class
        ({"validation": 100, "train": 9_000}, 100, 180),
        ({"validation": 100, "train": 50}, 100, 50),  # what fits stays
        ({"train": 9_000, "per_class": 5}, 40, 20),
    ],
)
def test_sizes_that_do_not_fit_are_adapted(asked, validation, train):
    split = Split(**{"test": 10, "usual": 40, "adapt": True, **asked})
    found = divide(FLOWERS, NO_TWINS, split, "Four flowers")
    assert {name: len(part) for name, part in found.items()} == {
        "train": train,
        "validation": validation,
        "test": 40,
    }


def test_a_seed_below_nought_is_refused():
    with pytest.raises(IncompatibleError, match="Received: -1"):
        parts(seed=-1)


@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(st.integers(0, 4), min_size=8, max_size=60),
    pixel_groups=st.lists(st.integers(0, 30), min_size=60, max_size=60),
    seed=st.integers(0, 5),
)
def test_no_image_nor_its_duplicate_is_on_two_sides(labels, pixel_groups, seed):
    labels, pixel_groups = np.array(labels), np.array(pixel_groups[: len(labels)])
    found = divide(labels, pixel_groups, Split(seed=seed), "Own")
    taken = np.concatenate(list(found.values()))
    assert len(set(taken)) == len(taken)
    pixels = [set(pixel_groups[part]) for part in found.values()]
    assert not (pixels[0] & pixels[1] or pixels[0] & pixels[2] or pixels[1] & pixels[2])
    for k in range(5):  # where there are three to choose from, each part has one
        ours = set(pixel_groups[labels == k]) - set(pixel_groups[labels != k])
        if len(ours) >= 3:
            assert all((labels[part] == k).any() for part in found.values())


def test_images_whose_class_is_in_doubt_are_only_used_for_training():
    labels = np.repeat([0, 1], 10)
    pixel_groups = np.arange(20)
    pixel_groups[[3, 13]] = 99
    for seed in range(5):
        assert {3, 13} <= set(divide(labels, pixel_groups, Split(seed=seed), "Own")["train"])
