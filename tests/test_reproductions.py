"""What was published, and the recipes that repeat it."""

from __future__ import annotations

import pytest

from cnnkit.datasets import dataset_info
from cnnkit.errors import UnknownNameError
from cnnkit.models import list_pretrained, model_info
from cnnkit.published.references import reference_figures
from cnnkit.published.reproductions import get_reproduction, list_reproductions
from cnnkit.training import get_recipe

NAMES = [row.name for row in list_reproductions()]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_names_a_recipe_that_fits_its_data_and_a_source(name):
    row = get_reproduction(name)
    assert row.recipe.model == row.model
    if row.model not in list_pretrained():
        shape = row.recipe.input_shape(dataset_info(row.recipe.dataset).input_shape)
        assert model_info(row.model).input_shape == shape
    assert row.source and row.conditions and 0 < row.value < 1


def test_names_and_recipes_are_unique():
    fingerprints = [row.recipe.fingerprint() for row in list_reproductions()]
    assert len(set(NAMES)) == len(NAMES) == len(set(fingerprints))


def test_an_unknown_row_lists_those_that_exist():
    with pytest.raises(UnknownNameError, match="lenet"):
        get_reproduction("alexnet")


def test_a_row_knows_its_recipe_whatever_seed_and_name_it_has():
    row = get_reproduction("lenet")
    assert row.matches(row.recipe.replace(seed=7, name="mine"))
    assert not row.matches(row.recipe.replace(learning_rate=0.2))
    assert not row.matches(get_recipe("lenet_tutorial", "fast"))


def test_the_rows_of_the_toy_network_differ_in_what_learns_and_how_long():
    all_layers, dense, longer = (
        get_reproduction(name).recipe for name in ("toy_all", "toy_dense", "toy_dense_500")
    )
    assert dense.model_options["learn"] == longer.model_options["learn"] == "dense layers"
    assert (all_layers.epochs, dense.epochs, longer.epochs) == (200, 200, 500)
    assert "learn" not in all_layers.model_options


@pytest.mark.parametrize(
    ("name", "value", "reached"),
    [
        ("lenet", 0.0092, True),
        ("lenet", 0.00924, True),
        ("lenet", 0.0093, False),
        ("lenet", 0.0060, True),
        ("softmax_mean", 0.9152, True),
        ("softmax_mean", 0.9149, False),
        ("deep_mnist", 0.9914, False),
        ("deep_mnist", 0.9916, True),
        ("logistic_regression", 0.0750, False),
        ("toy_all", 0.9746, True),
        ("toy_all", 0.9744, False),
    ],
)
def test_a_figure_is_compared_as_finely_as_it_was_published(name, value, reached):
    assert get_reproduction(name).reached(value) is reached


def test_a_row_of_flowers_divides_them_by_its_seed_and_says_what_is_missing():
    row = get_reproduction("flowers_vgg16")
    assert row.seeded(3).split_seed == 3 and row.matches(row.seeded(3))
    if row.missing:
        assert "CNNKIT_DATA_DIR" in row.missing


@pytest.mark.parametrize(
    ("row", "preprocessing"),
    [("flowers_vgg16_published", "rescaling"), ("flowers_vgg16_seed", "pretrained")],
)
def test_the_seeds_vgg16_learns_what_the_seed_let_learn(row, preprocessing):
    recipe = get_reproduction(row).recipe
    assert recipe.preprocessing == preprocessing and recipe.total_epochs == 50
    (phase,) = recipe.phases
    assert (phase.train_from, recipe.optimizer, recipe.learning_rate) == ("block5", "sgd", 1e-4)
    assert (recipe.size, recipe.head.kind, recipe.head.units) == (150, "flatten", 256)


def test_the_images_that_the_author_asked_about_are_of_the_classes_he_says():
    from cnnkit.datasets import dataset_info
    from cnnkit.published.reproductions import EXAMPLE_ANSWERS, EXAMPLES_DATASET

    names = dataset_info(EXAMPLES_DATASET).class_names
    for one in EXAMPLE_ANSWERS:
        assert names[one.row // 80] == one.true == one.answers[0][0]
        values = [value for _, value in one.answers]
        assert set(dict(one.answers)) <= set(names) and values == sorted(values, reverse=True)


def test_figures_to_compare_with_name_what_was_measured_and_where_it_stands():
    for name in ("fashion_mnist", "kmnist", "cifar10"):
        figures = reference_figures(name)
        assert len(figures) >= 2 and dataset_info(name).files
        assert all(0.8 < one.accuracy < 1 and one.what and one.source for one in figures)
    assert reference_figures("mnist") == []
