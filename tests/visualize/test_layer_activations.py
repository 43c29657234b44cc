"""All activations of a network in one pass, and where each value comes from."""

import keras
import numpy as np
import pytest

from cnnkit.errors import IncompatibleError, UnknownLayerError
from cnnkit.visualize.layer_activations import ActivationReader


@pytest.fixture(scope="module")
def reader(small):
    return ActivationReader(small, (16, 16, 3))


@pytest.fixture(scope="module")
def flipped():
    """Pixels turned to BGR, padded, and looked at by a convolution with normalization."""
    image = keras.Input((8, 8, 3))
    x = keras.ops.flip(image, axis=-1)
    x = keras.layers.Rescaling(2.0, name="rescaling")(x)
    x = keras.layers.ZeroPadding2D(1)(x)
    x = keras.layers.Conv2D(3, 3, name="first")(x)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.MaxPooling2D(name="pool")(x)
    return keras.Model(image, keras.layers.Conv2D(2, 1, name="second")(x))


def test_one_pass_gives_what_the_layers_give(small, reader, images):
    found = reader(images[0])
    assert list(found) == [layer.name for layer in small.layers]
    for layer in small.layers[1:]:
        expected = keras.Model(small.inputs[0], layer.output)(images[:1])[0]
        np.testing.assert_allclose(found[layer.name], expected, atol=1e-5)


def test_nested_layers_are_read_by_their_path(images):
    inner = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Conv2D(2, 3, name="deep")])
    image = keras.Input((16, 16, 3))
    model = keras.Model(image, keras.layers.Flatten(name="flat")(inner(image)))
    found = ActivationReader(model, (16, 16, 3))(images[0])
    (path,) = [name for name in found if name.endswith("/deep")]
    np.testing.assert_allclose(found[path].ravel(), found["flat"], atol=1e-6)


def test_a_map_is_led_back_to_its_convolution(flipped):
    reader = ActivationReader(flipped, (8, 8, 3))
    assert reader.convolution("relu") == reader.convolution("bn") == "first"
    assert reader.convolution("pool") is None and reader.source("second") == "pool"


def test_the_colors_that_a_first_convolution_reads_are_known(flipped, reader):
    turned = ActivationReader(flipped, (8, 8, 3))
    assert turned.colors_read_by("first") == (2, 1, 0)
    assert turned.colors_read_by("second") is None, "its three input maps are no colors"
    assert reader.colors_read_by("conv1") == (0, 1, 2)


def test_what_does_not_fit_is_refused_by_name(reader):
    with pytest.raises(IncompatibleError, match=r"images of \(16, 16, 3\)"):
        reader(np.zeros((8, 8, 3)))
    with pytest.raises(UnknownLayerError, match="conv1"):
        reader.row("conv9")
    image = keras.Input((4, 4, 1))
    both = keras.Model([image, keras.Input((4, 4, 1))], keras.layers.Conv2D(1, 1)(image))
    with pytest.raises(IncompatibleError, match="2 inputs"):
        ActivationReader(both, (4, 4, 1))
