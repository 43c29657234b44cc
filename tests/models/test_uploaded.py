"""Networks from files: what they say is what their author's program says."""

import keras
import numpy as np
import pytest

from cnnkit.errors import IncompatibleError
from cnnkit.models import create_model, open_brought
from cnnkit.predict import softmax

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
    network = open_brought(data, title="mine.keras", class_names=["cat"])
    assert network.card.class_names == ("cat", "class 1", "class 2", "class 3")
    height = network.card.input_shape[0]
    images = np.repeat(np.repeat(IMAGES, height // 16, axis=1), height // 16, axis=2)
    np.testing.assert_allclose(
        softmax(network.logits(images)), model(np.float32(images)), atol=1e-5
    )


def test_logits_stay_logits(tmp_path):
    model, data = saved(tmp_path, None)
    network = open_brought(data, title="mine.keras")
    np.testing.assert_allclose(network.logits(IMAGES), model(np.float32(IMAGES)), atol=1e-5)


@pytest.mark.parametrize(("activation", "units"), [("sigmoid", 4), ("softmax", 1)])
def test_what_is_no_choice_among_classes_is_refused(tmp_path, activation, units):
    with pytest.raises(IncompatibleError, match="works"):
        open_brought(saved(tmp_path, activation, units)[1], title="mine.keras")


def test_a_network_of_ours_with_its_own_kind_of_layer_opens(tmp_path):
    model = create_model("lenet5")
    path = tmp_path / "lenet5.keras"
    model.save(path)
    network = open_brought(path.read_bytes(), title="lenet5")
    images = np.zeros((1, 32, 32, 1), np.uint8)
    np.testing.assert_allclose(network.logits(images), model(images), atol=1e-5)
