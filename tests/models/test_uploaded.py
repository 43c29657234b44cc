"""Networks from files: what they say is what their author's program says."""

import keras
import numpy as np
import pytest

from cnnkit.errors import IncompatibleError
from cnnkit.models import create_model, open_uploaded
from cnnkit.predict import softmax
from cnnkit.visualize.network import target_layers

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)


def saved(tmp_path, activation, units=4, size=16) -> tuple[keras.Model, bytes]:
    model = keras.Sequential(
        [
            keras.Input((size, size, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(5, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(units, activation=activation),
        ]
    )
    path = tmp_path / "mine.keras"
    model.save(path)
    return model, path.read_bytes()


@pytest.mark.parametrize("size", [16, None])
def test_a_network_that_ends_in_softmax_keeps_its_probabilities(tmp_path, size):
    model, data = saved(tmp_path, "softmax", size=size)
    network = open_uploaded(data, title="mine.keras", class_names=["cat"])
    assert network.card.class_names == ("cat", "class 1", "class 2", "class 3")
    height = network.card.input_shape[0]
    images = np.repeat(np.repeat(IMAGES, height // 16, axis=1), height // 16, axis=2)
    np.testing.assert_allclose(
        softmax(network.logits(images)), model(np.float32(images)), atol=1e-5
    )


def ended_by(end):
    """A network that ends in softmax in one of the ways there are."""
    image = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(5, 3, activation="relu", name="conv")(image)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(image, end(keras.layers.Dense(4, name="dense")(x)))


def in_a_nested_network(x):
    dense = keras.layers.Dense(4, activation="softmax", name="inner")
    return keras.Sequential([keras.Input((4,)), dense], name="nested")(x)


@pytest.mark.parametrize(
    ("end", "more"),
    [
        (keras.layers.Dense(4, activation="softmax", name="end"), ["end"]),
        (keras.layers.Activation("softmax", name="end"), ["end"]),
        (keras.layers.Softmax(name="end"), []),
        (keras.activations.softmax, []),
        (in_a_nested_network, ["inner"]),
    ],
)
def test_only_layers_of_the_file_are_listed_whatever_softmax_is_written_as(tmp_path, end, more):
    model = ended_by(end)
    model.save(tmp_path / "mine.keras")
    network = open_uploaded((tmp_path / "mine.keras").read_bytes(), title="mine.keras")
    assert [one.name for one in target_layers(network.model)] == ["conv", "mean", "dense", *more]
    np.testing.assert_allclose(
        softmax(network.logits(IMAGES)), model(np.float32(IMAGES)), atol=1e-5
    )


def test_softmax_at_the_end_of_a_nested_network_is_taken_out_too(tmp_path):
    nested = keras.Sequential([keras.Input((4,)), keras.layers.Softmax()], name="nested")
    model = ended_by(nested)
    model.save(tmp_path / "mine.keras")
    network = open_uploaded((tmp_path / "mine.keras").read_bytes(), title="mine.keras")
    assert [one.name for one in target_layers(network.model)] == ["conv", "mean", "dense"]
    np.testing.assert_allclose(
        softmax(network.logits(IMAGES)), model(np.float32(IMAGES)), atol=1e-5
    )


def test_logits_stay_logits(tmp_path):
    model, data = saved(tmp_path, None)
    network = open_uploaded(data, title="mine.keras")
    np.testing.assert_allclose(network.logits(IMAGES), model(np.float32(IMAGES)), atol=1e-5)


def test_a_sigmoid_that_stands_alone_is_refused_as_one_within_a_layer(tmp_path):
    ended_by(keras.activations.sigmoid).save(tmp_path / "mine.keras")
    with pytest.raises(IncompatibleError, match="ends in sigmoid"):
        open_uploaded((tmp_path / "mine.keras").read_bytes(), title="mine.keras")


@pytest.mark.parametrize(("activation", "units"), [("sigmoid", 4), ("softmax", 1)])
def test_what_is_no_choice_among_classes_is_refused(tmp_path, activation, units):
    with pytest.raises(IncompatibleError, match="works"):
        open_uploaded(saved(tmp_path, activation, units)[1], title="mine.keras")


def test_a_network_of_ours_with_its_own_kind_of_layer_opens(tmp_path):
    model = create_model("lenet5")
    path = tmp_path / "lenet5.keras"
    model.save(path)
    network = open_uploaded(path.read_bytes(), title="lenet5")
    images = np.zeros((1, 32, 32, 1), np.uint8)
    np.testing.assert_allclose(network.logits(images), model(images), atol=1e-5)
