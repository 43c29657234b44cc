"""Auxiliary classifiers: they weigh .3 while a network trains, and are gone afterwards."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit.models import create_model, load_model
from cnnkit.training import EpochEnded, Recipe, evaluate, fit, recipe_dataset
from cnnkit.training._compile import without_auxiliary
from cnnkit.training.fitting import PhaseTasks
from cnnkit.training.network import build_network
from cnnkit.training.results import write_result

RECIPE = Recipe(
    model="googlenet_digits",
    model_options={"auxiliary": True},
    dataset="digits",
    train_size=64,
    validation_size=32,
    epochs=2,
    batch_size=32,
    learning_rate=1e-3,
)


def two_helpers(name, *, input_shape, classes, seed, auxiliary):
    """As many outputs as GoogLeNet, named alike, and hardly any layers: its graph takes 20 s."""
    keras.utils.set_random_seed(seed)
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Rescaling(1 / 255, name="rescaling")(image)
    outputs = []
    for number in (1, 2):
        x = keras.layers.Conv2D(4, 5, 2, activation="relu", name=f"conv{number}")(x)
        pooled = keras.layers.Flatten(name=f"auxiliary{number}_flatten")(x)
        outputs.append(keras.layers.Dense(classes, name=f"auxiliary{number}_logits")(pooled))
    x = keras.layers.GlobalAveragePooling2D(name="pool5")(x)
    outputs.insert(0, keras.layers.Dense(classes, name="logits")(x))
    return keras.Model(image, outputs, name=name)


@pytest.fixture(scope="module", autouse=True)
def small_network():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cnnkit.training.network.create_model", two_helpers)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small_network):
    events = []
    file = tmp_path_factory.mktemp("checkpoint") / "checkpoint.npz"
    return fit(RECIPE, events.append, checkpoint=file), events, file


def test_what_was_trained_has_only_its_logits(trained):
    model = trained[0].model
    assert model.output_names == ["logits"] and model.name == "googlenet_digits"
    assert not any(layer.name.startswith("auxiliary") for layer in model.layers)


def test_validation_is_that_of_the_logits(trained):
    result, events, _ = trained
    best = min(row["val_loss"] for row in result.history)
    validation = evaluate(result.model, *recipe_dataset(RECIPE).part("validation"))
    assert validation.loss == pytest.approx(best, rel=1e-4)
    row = [event for event in events if isinstance(event, EpochEnded)][-1].logs
    # The reported loss is that of the logits, without the share of the others.
    assert row["loss"] < 3 and 0 <= row["accuracy"] <= 1


def test_a_finished_checkpoint_gives_the_same_network_again(trained):
    again = fit(RECIPE, checkpoint=trained[2])
    pairs = zip(again.model.get_weights(), trained[0].model.get_weights(), strict=True)
    assert all((a == b).all() for a, b in pairs)


def test_what_is_saved_answers_like_what_was_trained(trained, tmp_path):
    dataset = recipe_dataset(RECIPE)
    evaluation = evaluate(trained[0].model, *dataset.part("validation"))
    write_result(tmp_path, RECIPE, dataset, trained[0], evaluation)
    model, _ = load_model(tmp_path)
    logits = model(dataset.part("validation")[0])
    np.testing.assert_allclose(logits, evaluation.logits, atol=1e-4)


def test_each_auxiliary_loss_weighs_three_tenths():
    dataset = recipe_dataset(RECIPE)
    network = build_network(RECIPE, 10, image_shape=dataset.spec.input_shape)
    model = PhaseTasks(RECIPE, network, dataset).task(0).model
    images, labels = dataset.part("validation")
    losses = [
        evaluate(_only(model, output), images, labels).loss for output in range(len(model.outputs))
    ]
    logs = model.evaluate(images, [labels] * 3, batch_size=32, verbose=0, return_dict=True)
    expected = losses[0] + 0.3 * losses[1] + 0.3 * losses[2]
    assert logs["loss"] == pytest.approx(expected, rel=1e-4)
    assert logs["logits_loss"] == pytest.approx(losses[0], rel=1e-4)


def _only(model, output):
    return keras.Model(model.input, model.outputs[output])


def test_a_network_without_them_is_left_as_it_is():
    model = create_model("toy_cnn")
    assert without_auxiliary(model) is model


def test_googlenet_for_digits_has_the_outputs_that_are_trained_here():
    real = create_model("googlenet_digits", auxiliary=True)
    ours = two_helpers("ours", input_shape=(28, 28, 1), classes=10, seed=0, auxiliary=True)
    assert real.output_names == ours.output_names
    assert real.output_shape == ours.output_shape
