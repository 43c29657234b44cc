from __future__ import annotations

import pytest

from cnnkit.models import list_models
from cnnkit.training import Augmentation, Recipe, Stopping, list_recipes
from cnnkit.training.fields import FIELDS, GROUPS, flatten, model_fields, with_values

CHOSEN_ELSEWHERE = {"name", "model", "dataset"}


def test_every_hyperparameter_of_a_recipe_is_in_the_table():
    recipe = Recipe(model="lenet_tutorial", stopping=Stopping(), augmentation=Augmentation())
    options = {name for name in flatten(recipe.to_dict()) if name.startswith("model_options.")}
    assert set(flatten(recipe.to_dict())) - options - CHOSEN_ELSEWHERE == {f.name for f in FIELDS}


@pytest.mark.parametrize("field", [f for f in FIELDS if f.range], ids=lambda f: f.name)
def test_both_ends_of_a_range_are_accepted_by_the_recipe(field):
    base = Recipe(model="lenet_tutorial", stopping=Stopping(), epochs=100_000)
    for value in field.range:
        value = int(value) if field.whole else value
        assert flatten(with_values(base, {field.name: value}).to_dict())[field.name] == value


@pytest.mark.parametrize("field", [f for f in FIELDS if f.choices], ids=lambda f: f.name)
def test_every_choice_is_accepted_by_the_recipe(field):
    base = Recipe(model="lenet_tutorial", stopping=Stopping())
    for value in field.choices:
        assert flatten(with_values(base, {field.name: value}).to_dict())[field.name] == value


@pytest.mark.parametrize("recipe", list_recipes(), ids=lambda r: f"{r.model} {r.name}")
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
