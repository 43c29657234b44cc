from __future__ import annotations

from cnnkit.training import Augmentation, Recipe, Stopping
from cnnkit.training.comparison import differences

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
