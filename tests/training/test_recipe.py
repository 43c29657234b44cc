import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnkit.errors import InvalidRecipeError, UnknownRecipeError
from cnnkit.models import list_models
from cnnkit.training import Augmentation, Recipe, Stopping, get_recipe, list_recipes


@pytest.mark.parametrize("recipe", list_recipes(), ids=lambda r: f"{r.model}-{r.name}")
def test_every_shipped_recipe_survives_json(recipe):
    assert Recipe.from_json(recipe.to_json()) == recipe


@given(
    st.builds(
        Recipe,
        model=st.sampled_from(list_models("digits")),
        epochs=st.integers(1, 500),
        learning_rate=st.floats(1e-6, 10),
        augmentation=st.builds(Augmentation, shift=st.floats(0, 14), elastic=st.floats(0, 10)),
        stopping=st.none() | st.builds(Stopping, patience=st.integers(0, 10_000)),
        seed=st.integers(0, 2**31 - 1),
    )
)
def test_any_recipe_survives_json(recipe):
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.fingerprint() == recipe.fingerprint()


PUBLISHED = (
    "deep_mnist",
    "keras_mnist_cnn",
    "lenet_tutorial",
    "mlp_tutorial",
    "photo_cnn",
    "softmax_regression",
    "toy_cnn",
)


def test_every_network_has_a_fast_recipe_and_those_of_a_publication_its_own():
    for model in list_models("digits"):
        names = {recipe.name for recipe in list_recipes(model)}
        assert "fast" in names, model
    for model in PUBLISHED:
        assert [recipe for recipe in list_recipes(model) if "published" in recipe.name], model


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.5),
        ("learning_rate", -1),
        ("learning_rate", float("nan")),
        ("batch_size", True),
        ("optimizer", "adagad"),
        ("schedule", "one_cycle"),
        ("keep_best", "accuracy"),
        ("seed", -1),
    ],
)
def test_a_bad_value_names_its_field_and_what_came(field, value):
    with pytest.raises(InvalidRecipeError, match=f"{field} must be .*Received: "):
        Recipe(model="lenet_tutorial", **{field: value})


def test_an_unknown_field_is_named():
    with pytest.raises(InvalidRecipeError, match="no field 'learningrate'"):
        Recipe.from_dict({"model": "lenet_tutorial", "learningrate": 1})


@pytest.mark.parametrize("text", ["{", "[]", '{"epochs": 3}', '{"model": "x", "stopping": 3}'])
def test_text_that_is_no_recipe_says_so(text):
    with pytest.raises(InvalidRecipeError):
        Recipe.from_json(text)


def test_a_recipe_cannot_be_changed():
    recipe = get_recipe("lenet_tutorial", "published")
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.epochs = 3


def test_the_fingerprint_is_of_what_trains_not_of_its_name():
    recipe = get_recipe("lenet_tutorial", "published")
    assert recipe.replace(name="mine").fingerprint() == recipe.fingerprint()
    assert recipe.replace(seed=1).fingerprint() != recipe.fingerprint()


def test_moved_to_another_data_set_the_sizes_are_its_own():
    moved = get_recipe("lenet_tutorial", "published").on("digits")
    assert moved.dataset == "digits" and moved.validation_size is None


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(UnknownRecipeError, match="published"):
        get_recipe("lenet_tutorial", "quick")


def test_the_published_hyper_parameters_are_the_authors():
    lenet = get_recipe("lenet_tutorial", "published")
    assert (lenet.learning_rate, lenet.batch_size, lenet.epochs) == (0.1, 500, 200)
    assert lenet.stopping == Stopping(kind="tutorial", monitor="val_error", patience=10_000)
    deep = get_recipe("deep_mnist", "published")
    assert deep.epochs * deep.steps_per_epoch == 20_000 and deep.batch_size == 50
    assert (deep.optimizer, deep.learning_rate) == ("adam", 1e-4)
    mlp = get_recipe("mlp_tutorial", "published")
    assert (mlp.learning_rate, mlp.l2, mlp.batch_size, mlp.epochs) == (0.01, 1e-4, 20, 1000)
    assert json.loads(mlp.to_json())["validation_size"] == 10_000
