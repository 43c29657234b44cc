import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnkit.errors import InvalidRecipeError, UnknownRecipeError
from cnnkit.models import list_models
from cnnkit.models.builder import LayerEntry, NetworkDefinition, get_template, set_value
from cnnkit.training import (
    Augmentation,
    Head,
    Phase,
    Recipe,
    Stopping,
    get_recipe,
    list_recipes,
)
from cnnkit.training.recipe import network_name


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
    with pytest.raises(UnknownRecipeError, match="Did you mean 'lenet_tutorial/fast'"):
        get_recipe("lenet_totorial", "fast")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 3}, "A recipe has no field 'epoch'. Did you mean 'epochs'?"),
        ({"augmentation": 3}, r"augmentation must be Augmentation\(...\). Received: 3"),
        ({"stopping": "no"}, r"stopping must be Stopping\(...\) or None. Received: 'no'"),
        ({"head": True}, "head must be"),
        ({"phases": [{"train_from": "head"}]}, "A phase must be"),
    ],
)
def test_fields_and_parts_that_a_recipe_does_not_have_are_named(changes, message):
    with pytest.raises(InvalidRecipeError, match=message):
        get_recipe("lenet_tutorial", "fast").replace(**changes)


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


# Written, as JSON, when fine-tuning had a recipe of its own; with the fingerprints of then.
OLD_TRAINING = """
{
 "name": "custom",
 "model": "toy_cnn",
 "model_options": {},
 "dataset": "toy_patterns",
 "size": null,
 "split_seed": 0,
 "per_class": null,
 "train_size": null,
 "validation_size": null,
 "validation_from": "end",
 "epochs": 10,
 "steps_per_epoch": null,
 "batch_size": 128,
 "drop_remainder": false,
 "shuffle": true,
 "optimizer": "adam",
 "learning_rate": 0.001,
 "momentum": 0.0,
 "nesterov": false,
 "schedule": "constant",
 "warmup_epochs": 0.0,
 "final_learning_rate": 0.0,
 "loss_reduction": "mean",
 "l1": 0.0,
 "l2": 0.0001,
 "weight_decay": 0.0,
 "label_smoothing": 0.0,
 "augmentation": {
  "shift": 0.0,
  "rotation": 0.0,
  "zoom": 0.0,
  "shear": 0.0,
  "elastic": 0.0,
  "elastic_smoothness": 4.0,
  "flip": false,
  "flip_vertical": false,
  "crop": 0.0,
  "fill": "black",
  "brightness": 0.0,
  "contrast": 0.0,
  "hue": 0.0,
  "pca": 0.0,
  "cutout": 0.0,
  "mixup": 0.0
 },
 "stopping": {
  "kind": "keras",
  "monitor": "val_loss",
  "patience": 3,
  "min_delta": 0.0,
  "patience_increase": 2.0,
  "improvement_threshold": 0.995
 },
 "keep_best": "val_loss",
 "seed": 0
}
"""
OLD_FINE_TUNING = """
{
 "name": "mobilenet_v2",
 "model": "mobilenet_v2",
 "weights": "imagenet",
 "run": "",
 "size": 224,
 "dataset": "flowers17",
 "split_seed": 0,
 "per_class": null,
 "head": {
  "kind": "pool",
  "units": 0,
  "dropout": 0.2
 },
 "phases": [
  {
   "train_from": "head",
   "epochs": 20,
   "optimizer": "adamw",
   "learning_rate": 0.002,
   "momentum": 0.0,
   "nesterov": false,
   "schedule": "cosine",
   "warmup_epochs": 0.0,
   "final_learning_rate": 0.0,
   "weight_decay": 0.0
  },
  {
   "train_from": "block_15",
   "epochs": 8,
   "optimizer": "adamw",
   "learning_rate": 0.0003,
   "momentum": 0.0,
   "nesterov": false,
   "schedule": "cosine",
   "warmup_epochs": 0.0,
   "final_learning_rate": 0.0,
   "weight_decay": 0.0
  }
 ],
 "batch_size": 32,
 "augmentation": {
  "shift": 0.0,
  "rotation": 8,
  "zoom": 0.0,
  "shear": 0.0,
  "elastic": 0.0,
  "elastic_smoothness": 4.0,
  "flip": true,
  "flip_vertical": false,
  "crop": 0.35,
  "fill": "nearest",
  "brightness": 0.08,
  "contrast": 0.15,
  "hue": 0.0,
  "pca": 0.0,
  "cutout": 0.0,
  "mixup": 0.0
 },
 "cached": true,
 "variants": 5,
 "feature_type": "float16",
 "balanced": false,
 "label_smoothing": 0.1,
 "stopping": null,
 "keep_best": null,
 "precision": "auto",
 "seed": 4
}
"""


def test_a_stored_training_of_an_earlier_version_is_read_and_keeps_its_fingerprint():
    recipe = Recipe.from_json(OLD_TRAINING)
    assert recipe.l2 == 1e-4 and recipe.stopping == Stopping(patience=3)
    assert recipe.head is None and recipe.phases == () and recipe.total_epochs == 10
    assert recipe.fingerprint() == "065698a822a9"


def test_a_stored_fine_tuning_of_an_earlier_version_is_read_and_keeps_its_fingerprint():
    recipe = Recipe.from_json(OLD_FINE_TUNING)
    assert recipe == get_recipe("mobilenet_v2", "fast").replace(name="mobilenet_v2", seed=4)
    assert recipe.optimizer == "adamw" and recipe.phases[1] == Phase(
        train_from="block_15", epochs=8, learning_rate=3e-4
    )
    assert recipe.replace(seed=0).fingerprint() == "811755c7293b"
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_phases_of_an_earlier_version_keep_what_differs_between_them():
    values = json.loads(OLD_FINE_TUNING)
    values["phases"][1] |= {"optimizer": "sgd", "momentum": 0.9}
    first, second = Recipe.from_dict(values).training_phases
    assert (first.optimizer, first.momentum) == ("adamw", 0)
    assert (second.optimizer, second.momentum) == ("sgd", 0.9)


def test_a_phase_has_its_own_settings_and_else_those_of_the_recipe():
    recipe = Recipe(
        model="vgg16",
        weights="imagenet",
        head=Head(),
        optimizer="sgd",
        epochs=4,
        phases=(Phase(), Phase(train_from="block5", epochs=2, optimizer="adam")),
    )
    assert [phase.epochs for phase in recipe.training_phases] == [4, 2]
    assert [recipe.for_phase(n).optimizer for n in (0, 1)] == ["sgd", "adam"]
    assert recipe.total_epochs == 6 and recipe.caches_features
    spelled_out = recipe.replace(phases=recipe.training_phases)
    assert spelled_out.fingerprint() == recipe.fingerprint()


def test_phases_and_weights_need_a_head():
    with pytest.raises(InvalidRecipeError, match="needs a head"):
        Recipe(model="vgg16", weights="imagenet")
    with pytest.raises(InvalidRecipeError, match="Without a head every phase"):
        Recipe(model="lenet_tutorial", phases=(Phase(train_from="conv1"),))
    with pytest.raises(InvalidRecipeError, match="model_options are for training from scratch"):
        Recipe(model="vgg16", head=Head(), model_options={"depth": 3})


def test_more_epochs_are_shared_among_the_phases():
    recipe = get_recipe("mobilenet_v2", "fast").for_epochs(7)
    assert [phase.epochs for phase in recipe.phases] == [5, 2]
    assert recipe.phases[1].learning_rate == 3e-4
    assert get_recipe("lenet_tutorial", "fast").for_epochs(20).total_epochs == 20


def test_unfreezing_is_known_by_the_epochs_before_it():
    phases = (
        Phase(train_from="head", epochs=10),
        Phase(train_from="block5", epochs=4),
        Phase(train_from="block5", epochs=2),
        Phase(train_from="all"),
    )
    recipe = Recipe(model="vgg16", head=Head(), phases=phases, epochs=7)
    assert recipe.unfreezing == {10: "block5", 16: "all"}
    assert recipe.replace(phases=phases[:1]).unfreezing == {}
    assert recipe.replace(stopping=Stopping()).unfreezing == {}, "a phase may end at any epoch"


def test_a_recipe_of_a_definition_holds_it_readably_and_reads_it_again():
    definition = get_template("small_cnn")
    recipe = Recipe(model=definition.code, dataset="digits")
    values = json.loads(recipe.to_json())
    assert values["model"] == "built"
    assert values["definition"]["layers"][1] == {
        "kind": "Conv2D", "name": "block1_conv1", "filters": 16
    }  # fmt: skip
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert network_name(values) == recipe.model
    titled = dataclasses.replace(definition, title="Another").on((32, 32, 3), 4)
    assert recipe.replace(model=titled.code).fingerprint() == recipe.fingerprint()
    other = set_value(definition, 1, "filters", 17)
    assert recipe.replace(model=other.code).fingerprint() != recipe.fingerprint()


def test_a_recipe_with_a_hostile_definition_is_refused_in_one_sentence():
    values = Recipe(model=get_template("small_cnn").code).to_dict()
    values["definition"]["layers"][1]["filters"] = -1
    with pytest.raises(InvalidRecipeError, match="Layer 2: filters of Conv2D"):
        Recipe.from_dict(values)


def test_a_long_definition_is_recorded_as_its_code():
    values = {"filters": 3, "kernel_initializer": "he_normal"}
    layers = [
        *(LayerEntry("Conv2D", f"layer{n}", values) for n in range(90)),
        LayerEntry("Flatten"),
    ]
    recipe = Recipe(model=NetworkDefinition(layers=layers).code)
    assert "definition" not in recipe.to_dict() and len(recipe.to_json()) < 8000
    assert Recipe.from_json(recipe.to_json()) == recipe
