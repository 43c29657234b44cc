from __future__ import annotations

import pytest

from cnnkit.errors import InvalidRecipeError
from cnnkit.models import list_models
from cnnkit.training import Augmentation, Recipe, Stopping, get_recipe, list_recipes
from cnnkit.training.fields import (
    FIELDS,
    GROUPS,
    differences,
    flatten,
    model_fields,
    recipe_fields,
    with_values,
)

CHOSEN_ELSEWHERE = {"name", "model", "dataset", "weights", "run"}
FINE_TUNING = get_recipe("mobilenet_v2", "fast")


def test_every_hyperparameter_of_a_recipe_is_in_the_table():
    recipe = Recipe(model="lenet_tutorial", stopping=Stopping(), augmentation=Augmentation())
    names = set(flatten(recipe.to_dict())) | set(flatten(FINE_TUNING.to_dict()))
    names = {name for name in names if not name.startswith(("model_options.", "phase"))}
    assert names - CHOSEN_ELSEWHERE == {f.name for f in FIELDS}


def _recipe_with(field):
    """A recipe in which a field has an effect."""
    scratch = Recipe(model="lenet_tutorial", stopping=Stopping())
    return scratch if field.name in flatten(scratch.to_dict()) else FINE_TUNING


@pytest.mark.parametrize("field", [f for f in FIELDS if f.range], ids=lambda f: f.name)
def test_both_ends_of_a_range_are_accepted_by_the_recipe(field):
    base = _recipe_with(field).replace(epochs=100_000)
    for value in field.range:
        value = int(value) if field.whole else value
        assert flatten(with_values(base, {field.name: value}).to_dict())[field.name] == value


@pytest.mark.parametrize("field", [f for f in FIELDS if f.choices], ids=lambda f: f.name)
def test_every_choice_is_accepted_by_the_recipe(field):
    base = _recipe_with(field)
    for value in field.choices:
        assert flatten(with_values(base, {field.name: value}).to_dict())[field.name] == value


@pytest.mark.parametrize(
    "recipe", list_recipes(fine_tuning=False), ids=lambda r: f"{r.model} {r.name}"
)
def test_a_recipe_written_field_by_field_trains_like_the_original(recipe):
    names = [f.name for f in (*model_fields(recipe.model), *FIELDS)]
    values = {name: v for name, v in flatten(recipe.to_dict()).items() if name in names}
    bare = Recipe(model=recipe.model, dataset=recipe.dataset)
    assert flatten(with_values(bare, values).to_dict()) == flatten(
        recipe.replace(name=bare.name).to_dict()
    )


def test_choosing_never_to_stop_removes_the_rule():
    stopped = Recipe(model="lenet_tutorial", stopping=Stopping(patience=3))
    changed = with_values(stopped, {"stopping.kind": None, "stopping.patience": 5})
    assert changed.stopping is None


@pytest.mark.parametrize("model", list_models("digits"))
def test_a_network_option_is_a_choice_or_a_range(model):
    for field in model_fields(model):
        assert bool(field.choices) != bool(field.range)


def test_groups_come_in_the_order_of_the_table():
    assert GROUPS[0] == FIELDS[0].group
    assert set(GROUPS) == {field.group for field in FIELDS}


def test_a_form_of_fine_tuning_has_its_phases_and_not_what_they_set_themselves():
    names = {field.name for field in recipe_fields(FINE_TUNING)}
    assert {"phase1.epochs", "phase2.learning_rate", "phase2.train_from", "variants"} <= names
    assert not {"epochs", "learning_rate", "model_options.activation"} & names
    assert "optimizer" in names and "phase1.optimizer" not in names
    scratch = {field.name for field in recipe_fields(Recipe(model="lenet_tutorial"))}
    assert "epochs" in scratch and not {"variants", "head.kind"} & scratch


def test_a_phase_is_changed_by_its_number():
    changed = with_values(FINE_TUNING, {"phase2.epochs": 3, "head.units": 64})
    assert [phase.epochs for phase in changed.phases] == [20, 3] and changed.head.units == 64


@pytest.mark.parametrize("name", ["phase3.epochs", "phase0.epochs", "phases.epochs"])
def test_a_phase_that_is_not_there_is_named(name):
    with pytest.raises(InvalidRecipeError, match="has 2 phases"):
        with_values(FINE_TUNING, {name: 3})


def test_a_setting_that_would_change_nothing_says_what_would():
    with pytest.raises(InvalidRecipeError, match="set phase1.epochs or phase2.epochs"):
        with_values(FINE_TUNING, {"epochs": 3})


def test_fine_tuning_and_training_from_scratch_are_compared():
    found = _differences(BASE, FINE_TUNING)
    assert found["weights"] == ("–", "imagenet") and found["phase1.epochs"] == ("–", "20")
    assert found["epochs"] == ("10", "–")


BASE = Recipe(model="lenet_tutorial", dataset="digits")


def _differences(*recipes):
    return {d.name: d.texts for d in differences([recipe.to_dict() for recipe in recipes])}


def test_equal_recipes_of_different_names_do_not_differ():
    assert _differences(BASE, BASE.replace(name="mine")) == {}


def test_only_what_differs_is_listed_in_the_order_of_the_recipes():
    other = BASE.replace(learning_rate=0.5, augmentation=Augmentation(shift=2))
    assert _differences(BASE, other) == {
        "learning_rate": ("0.001", "0.5"),
        "augmentation.shift": ("0", "2"),
    }


def test_an_option_left_out_equals_its_default():
    assert _differences(BASE, BASE.replace(model_options={"activation": "tanh"})) == {}
    assert _differences(BASE, BASE.replace(model_options={"activation": "relu"})) == {
        "model_options.activation": ("tanh", "relu")
    }


def test_what_a_recipe_does_not_have_is_a_dash():
    other = BASE.replace(stopping=Stopping(patience=3))
    found = _differences(BASE, other)
    assert found["stopping.kind"] == ("never", "keras")
    assert found["stopping.patience"] == ("–", "3")


def test_a_network_of_another_version_does_no_harm():
    found = {d.name: d.texts for d in differences([BASE.to_dict(), {"model": "gone"}])}
    assert found["model"] == ("lenet_tutorial", "gone")
    assert found["epochs"] == ("10", "–")
