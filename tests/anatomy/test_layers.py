"""Networks read as people draw them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit.anatomy import (
    describe,
    filters,
    image_layers,
    kernel_layers,
    pixel_layer,
    stages,
    templates,
    vector_layers,
)
from cnnkit.errors import UnknownLayerError
from cnnkit.models import create_model, list_models


@pytest.fixture(scope="module")
def lenet():
    return create_model("lenet_tutorial", seed=3)


def test_the_stages_of_lenet_are_those_of_the_published_figure(lenet):
    labels = [stage.label for stage in stages(lenet)]
    assert labels == ["28×28", "24×24×20", "12×12×20", "8×8×50", "4×4×50", "800", "500", "10"]


def test_stages_say_what_each_layer_does_and_what_it_learns(lenet):
    by_name = {stage.name: stage for stage in stages(lenet)}
    assert by_name["block1_conv1"].detail == "20 filters of 5×5"
    assert by_name["block1_pool"].detail == "max pooling 2×2"
    assert by_name["fc1"].detail == "fully connected, 800 inputs"
    assert [by_name[name].parameters for name in ("block1_conv1", "block2_conv1", "fc1")] == [
        5 * 5 * 20 + 20,
        5 * 5 * 20 * 50 + 50,
        800 * 500 + 500,
    ]


@pytest.mark.parametrize("name", list_models("digits"))
def test_stages_of_every_network_hold_all_weights_but_those_of_normalization(name):
    model = create_model(name)
    found = stages(model)
    kernels = [layer.name for layer in model.layers if hasattr(layer, "kernel")]
    assert set(kernels) <= {stage.name for stage in found}
    assert found[0].shape == model.input_shape[1:] and found[-1].name == "logits"


def test_a_convolution_that_keeps_the_shape_is_a_stage_of_its_own():
    image = keras.Input((8, 8, 4), name="image")
    x = keras.layers.Conv2D(4, 3, padding="same", name="block1_conv1")(image)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.Activation("relu", name="relu")(x)
    names = [stage.name for stage in stages(keras.Model(image, x))]
    assert names == ["image", "block1_conv1"]


@pytest.mark.parametrize("name", list_models("digits"))
def test_every_layer_of_every_network_is_described(name):
    for layer in create_model(name).layers:
        assert describe(layer) not in ("", type(layer).__name__), layer.name


def test_filters_are_the_kernels_with_the_published_shapes(lenet):
    assert kernel_layers(lenet) == ["block1_conv1", "block2_conv1"]
    assert filters(lenet, "block1_conv1").shape == (5, 5, 1, 20)
    assert filters(lenet, "block2_conv1").shape == (5, 5, 20, 50)


def test_filters_before_training_come_again_from_the_seed(lenet):
    again = create_model("lenet_tutorial", seed=3)
    other = create_model("lenet_tutorial", seed=4)
    for layer in kernel_layers(lenet):
        np.testing.assert_array_equal(filters(lenet, layer), filters(again, layer))
        assert np.abs(filters(lenet, layer) - filters(other, layer)).max() > 0


def test_filters_of_a_layer_without_any_lists_those_that_have_some(lenet):
    with pytest.raises(UnknownLayerError, match="block1_conv1, block2_conv1"):
        filters(lenet, "fc1")


def test_layers_are_told_apart_by_what_they_give(lenet):
    assert image_layers(lenet)[:3] == ["rescaling", "block1_conv1", "block1_pool"]
    assert vector_layers(lenet) == ["flatten", "fc1", "fc1_activation", "logits"]


def test_templates_lay_the_weights_on_pixels_out_as_the_image():
    model = create_model("softmax_regression")
    kernel = np.arange(28 * 28 * 10, dtype=np.float32).reshape(784, 10)
    model.get_layer("logits").set_weights([kernel, np.zeros(10)])
    images = templates(model, "logits")
    assert images.shape == (28, 28, 1, 10)
    assert images[2, 3, 0, 7] == kernel[2 * 28 + 3, 7]


def test_only_networks_without_convolutions_have_templates(lenet):
    assert pixel_layer(lenet) is None
    assert pixel_layer(create_model("mlp_tutorial")) == "fc1"
    with pytest.raises(UnknownLayerError):
        templates(lenet, "fc1")


@pytest.fixture(scope="module")
def tangled():
    """Branches, bare operations, a nested network and a layer that is used twice."""
    core = keras.Sequential(
        [keras.Input((8, 8, 4)), keras.layers.Conv2D(4, 3, padding="same")], name="core"
    )
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, padding="same", name="conv")(image / 255 - 1)
    shared = keras.layers.ReLU(name="relu")
    x = keras.layers.Concatenate(name="both")([shared(x), shared(core(x))])
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(image, keras.layers.Dense(2, name="logits")(x))


def test_graphs_with_branches_operations_and_nesting_are_read_too(tangled):
    assert [stage.name for stage in stages(tangled)] == ["image", "conv", "both", "mean", "logits"]
    assert image_layers(tangled) == ["conv", "core", "relu", "both"]
    assert vector_layers(tangled) == ["mean", "logits"]
    assert describe(tangled.get_layer("core")) == "a network of 1 layers"
