from __future__ import annotations

import pytest

from cnnkit.errors import IncompatibleError
from cnnkit.models import list_models, model_info
from cnnkit.models.builder import get_template, set_value
from cnnkit.training import Augmentation, Recipe
from cnnkit.training.estimates import (
    count_parameters,
    definition_table,
    estimate,
    estimate_by_macs,
    images_per_epoch,
    images_per_second,
    known_parameters,
)

RECIPE = Recipe(model="lenet_tutorial", dataset="digits", train_size=1000, epochs=10)


def rows(*seconds):
    return [{"epoch": i, "seconds": value} for i, value in enumerate(seconds, start=1)]


def test_nothing_measured_means_nothing_known():
    assert estimate(RECIPE, []) is None
    assert estimate(RECIPE, [("just begun", RECIPE, [])]) is None


def test_the_time_is_the_measured_rate_times_the_images():
    found = estimate(RECIPE.replace(epochs=20), [("a", RECIPE, rows(9, 2, 2))])
    assert found.seconds == pytest.approx(40)  # the first epoch, which compiles, is left out
    assert found.alike
    assert found.source == "a"


def test_the_epoch_that_compiles_does_not_count():
    assert images_per_second(RECIPE, rows(9, 1)) == pytest.approx(1000)
    assert images_per_second(RECIPE, rows(9, 1, 2)) == pytest.approx(1000 / 1.5)


def test_the_first_epoch_counts_where_it_is_the_only_one():
    assert images_per_second(RECIPE, rows(4)) == pytest.approx(250)


def test_an_equal_training_is_preferred_to_a_newer_different_one():
    other = RECIPE.replace(augmentation=Augmentation(shift=2))
    measured = [("other", other, rows(8)), ("equal", RECIPE, rows(2))]
    assert estimate(RECIPE, measured).source == "equal"
    assert not estimate(RECIPE, measured[:1]).alike


def test_another_network_or_size_of_image_says_nothing():
    mlp = RECIPE.replace(model="mlp_tutorial")
    toy = Recipe(model="lenet_tutorial", dataset="toy_patterns")
    assert estimate(RECIPE, [("mlp", mlp, rows(1)), ("toy", toy, rows(1))]) is None


def test_images_of_an_epoch_follow_steps_and_remainder():
    assert images_per_epoch(RECIPE) == 1000
    assert images_per_epoch(RECIPE.replace(drop_remainder=True, batch_size=300)) == 900
    assert images_per_epoch(RECIPE.replace(steps_per_epoch=7, batch_size=50)) == 350
    assert images_per_epoch(Recipe(model="mlp_tutorial", dataset="digits")) == 1437 - 1437 // 6


@pytest.mark.parametrize("model", list_models("digits"))
def test_known_parameters_are_those_of_the_built_network(model):
    spec = model_info(model)
    dataset = "toy_patterns" if spec.classes == 3 else "mnist"
    recipe = Recipe(model=model, dataset=dataset)
    assert known_parameters(recipe) == count_parameters(recipe)


def test_a_network_that_is_not_as_published_is_counted():
    toy = Recipe(model="toy_cnn", dataset="digits")
    assert known_parameters(toy) is None
    assert count_parameters(toy) > model_info("toy_cnn").parameters
    relu = Recipe(model="lenet_tutorial", model_options={"activation": "relu"})
    assert known_parameters(relu) is None


def test_only_what_training_changes_is_counted():
    toy = Recipe(model="toy_cnn", dataset="toy_patterns")
    frozen = toy.replace(model_options={"learn": "dense layers"})
    assert count_parameters(frozen) < count_parameters(toy) == model_info("toy_cnn").parameters
    normalized = Recipe(model="resnet_digits", dataset="digits")
    assert known_parameters(normalized) == 269_434  # of 270,810, the rest are statistics


def test_images_that_are_too_small_are_refused():
    with pytest.raises(IncompatibleError):
        count_parameters(Recipe(model="lenet_tutorial", dataset="toy_patterns"))


def test_a_network_that_was_never_trained_takes_the_time_of_the_one_that_costs_as_much():
    recipe = Recipe(model=get_template("small_cnn").code, dataset="digits", epochs=4)
    measured = [
        ("cheap", RECIPE.replace(model="softmax_regression"), [{"seconds": 1.0}]),
        ("as dear", RECIPE.replace(model="lenet_tutorial"), [{"seconds": 2.0}]),
        ("unknown", RECIPE.replace(model="toy_cnn"), [{"seconds": 9.0}]),
    ]
    costs = {"softmax_regression": 7_840, "lenet_tutorial": 2_000_000}
    alike = estimate_by_macs(recipe, 2_000_000, measured, lambda one: costs.get(one.model))
    assert alike.source == "as dear" and not alike.alike
    dearer = estimate_by_macs(recipe, 4_000_000, measured, lambda one: costs.get(one.model))
    assert dearer.seconds == pytest.approx(2 * alike.seconds)
    cheaper = estimate_by_macs(recipe, 1_000_000, measured, lambda one: costs.get(one.model))
    assert cheaper.seconds == alike.seconds
    assert estimate_by_macs(recipe, 1, [], lambda one: 1) is None


def test_a_definition_is_counted_for_the_images_of_its_data_set():
    recipe = Recipe(model=get_template("small_cnn").code, dataset="digits")
    assert known_parameters(recipe) == definition_table(recipe).trainable == 105_866
    assert definition_table(Recipe(model="lenet_tutorial")) is None
    wide = set_value(get_template("lenet_tutorial"), 1, "kernel_size", 31)
    with pytest.raises(IncompatibleError, match="31×31 on a 28×28 map"):
        known_parameters(recipe.replace(model=wide.code))
