"""Any layer of any network, and only as much of it as is needed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnkit.errors import IncompatibleError, UnknownLayerError
from cnnkit.models import create_model
from cnnkit.visualize.network import ActivationModel, target_layers
from cnnkit.visualize.objectives import channel, class_logit
from cnnkit.visualize.optimize import maximize
from cnnkit.visualize.plan import Plan


@pytest.fixture(scope="module")
def nested(small):
    keras.utils.set_random_seed(2)
    inner = keras.Sequential(
        [keras.Input((14, 14, 4)), keras.layers.Conv2D(3, 3, name="deep")], name="inner"
    )
    image = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 128, offset=-1)(image)
    x = keras.layers.Conv2D(4, 3, activation="tanh", name="first")(x)
    x = inner(x)
    return keras.Model(image, keras.layers.Flatten(name="flat")(x), name="outer")


def test_what_it_answers_is_what_the_network_answers(small, images):
    network = ActivationModel(small, ("conv2", "", "pool1"))
    found = network(tf.constant(images))
    for name, layer in {"conv2": "conv2", "": "logits", "pool1": "pool1"}.items():
        expected = keras.Model(small.inputs[0], small.get_layer(layer).output)(images)
        np.testing.assert_allclose(found[name], expected, atol=1e-5)
    assert network.shapes == {"conv2": (5, 5, 6), "": (5,), "pool1": (7, 7, 4)}


def test_only_what_leads_to_the_layer_is_called(small):
    called = [step.path for step in ActivationModel(small, ("conv1",))._steps]
    assert called == ["rescaling", "conv1"]


def test_images_of_another_size_are_taken_where_no_dense_layer_is_on_the_way(small):
    assert ActivationModel(small, ("conv2",), (40, 28)).shapes["conv2"] == (17, 11, 6)
    with pytest.raises(IncompatibleError, match="logits"):
        ActivationModel(small, ("",), (40, 28))


def test_layers_inside_a_nested_network_are_reached(nested, images):
    network = ActivationModel(nested, ("inner/deep",))
    first = nested.get_layer("first")(images / 128 - 1)
    np.testing.assert_allclose(
        network(tf.constant(images))["inner/deep"],
        nested.get_layer("inner")(first),
        atol=1e-5,
    )
    steps = list(maximize(nested, Plan(objective=channel("inner/deep", 2), steps=3)))
    name = "channel(inner/deep, unit=2)"
    assert steps[2].values[name] > steps[0].values[name]


def test_a_network_that_was_saved_and_opened_again_does_the_same(nested, tmp_path):
    nested.save(tmp_path / "nested.keras")
    again = keras.saving.load_model(tmp_path / "nested.keras")
    plan = Plan(objective=channel("inner/deep", 2), steps=3)
    pairs = zip(maximize(nested, plan), maximize(again, plan), strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(one.images, other.images, atol=1e-3)


def test_a_sequential_network_of_gray_images_works():
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(3, 3, name="conv", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, name="out"),
        ]
    )
    steps = list(maximize(model, Plan(objective=class_logit(1), steps=3)))
    assert steps[-1].images.shape == (1, 12, 12, 1)


def test_a_network_without_top_takes_any_size():
    image = keras.Input((None, None, 3))
    model = keras.Model(image, keras.layers.Conv2D(2, 3, name="conv")(image))
    plan = Plan(objective=channel("conv", 1), steps=1, size=(600, 600))
    assert next(maximize(model, plan)).images.shape == (1, 600, 600, 3)
    with pytest.raises(IncompatibleError, match="any size: say which"):
        next(maximize(model, Plan(objective=channel("conv", 1))))


def test_the_target_layers_are_the_layers_that_can_be_targets(small, nested):
    assert [choice.name for choice in target_layers(small)] == [
        "conv1",
        "pool1",
        "conv2",
        "flatten",
        "logits",
    ]
    assert {choice.name: choice.units for choice in target_layers(nested)}["inner/deep"] == 3


@pytest.mark.parametrize("name", ["conv3", "inner/none", "input"])
def test_an_unknown_layer_lists_those_there_are(nested, name):
    with pytest.raises(UnknownLayerError, match="inner/deep"):
        ActivationModel(nested, (name,))


def test_a_network_of_two_images_is_refused():
    left, right = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    model = keras.Model([left, right], keras.layers.Add()([left, right]))
    with pytest.raises(IncompatibleError, match="must take one image"):
        ActivationModel(model, ("",))


@pytest.mark.parametrize(
    "name", ["lenet_tutorial", "deep_mnist", "toy_cnn", "compact_cnn", "googlenet_digits"]
)
def test_the_projects_own_networks_can_be_optimized_at_any_layer(name):
    model = create_model(name, seed=0)
    found = target_layers(model)
    for choice in (found[0], found[len(found) // 2], found[-1]):
        step = next(maximize(model, Plan(objective=channel(choice.name, 0), steps=1)))
        assert np.isfinite(step.images).all()
