"""Whole networks taken apart: known totals, nesting, sharing, sizes left open."""

from __future__ import annotations

import csv
import io
import json

import keras
import numpy as np
import pytest

from cnnkit.anatomy import layer_table
from cnnkit.errors import IncompatibleError
from cnnkit.models import create_model, list_models, without_weights

layers = keras.layers


def application(name, **options):
    return without_weights(lambda: getattr(keras.applications, name)(weights=None, **options))


@pytest.fixture(scope="module")
def vgg16():
    return layer_table(application("VGG16"))


def test_vgg16_has_the_parameters_and_macs_that_everybody_counts(vgg16):
    assert vgg16.parameters == vgg16.trainable == 138_357_544
    assert vgg16.macs == 15_470_264_320
    assert vgg16.depth == 16 and vgg16.not_counted == ()
    by_name = {row.name: row for row in vgg16.rows}
    assert by_name["block1_conv1"].macs == 224 * 224 * 9 * 3 * 64
    assert by_name["fc1"].macs == 7 * 7 * 512 * 4096
    # Araujo, Norris, Sim, 2019: 212 pixels at the last pooling.
    assert by_name["block5_pool"].receptive_field == (212, 212)
    assert by_name["block5_pool"].stride == (32, 32)
    assert by_name["fc1"].whole_image and by_name["fc1"].receptive_field == (224, 224)


def test_vgg16_keeps_two_large_maps_at_once(vgg16):
    first = 224 * 224 * 64 * 4
    assert vgg16.rows[1].activation_bytes == first
    assert vgg16.peak_activation_bytes == 2 * first


@pytest.mark.parametrize(
    ("name", "parameters", "macs", "depth", "layer", "field"),
    [
        ("ResNet50", 25_636_712, (3.8e9, 4.1e9), 50, "conv5_block3_out", 483),
        ("MobileNetV2", 3_538_984, (0.295e9, 0.305e9), 53, "out_relu", 491),
        ("DenseNet121", 8_062_504, (2.8e9, 2.9e9), 121, None, None),
    ],
)
def test_known_totals_of_other_networks(name, parameters, macs, depth, layer, field):
    found = layer_table(application(name))
    assert found.parameters == parameters and found.depth == depth
    assert macs[0] < found.macs < macs[1] and found.not_counted == ()
    if layer:  # Araujo, Norris, Sim, 2019
        assert {row.name: row for row in found.rows}[layer].receptive_field == (field, field)


def test_a_network_that_keras_nests_is_counted_through():
    found = layer_table(application("ConvNeXtTiny"))
    assert found.parameters == 28_589_128 and 4.4e9 < found.macs < 4.6e9
    assert found.not_counted == ()
    nested = [row.name for row in found.rows if "/" in row.name]
    assert "convnext_tiny_downsampling_block_0/convnext_tiny_downsampling_conv_0" in nested


@pytest.mark.parametrize("name", list_models())
def test_every_registered_network_is_counted_whole(name):
    found = layer_table(without_weights(lambda: create_model(name)))
    assert found.not_counted == () and found.macs > 0
    assert found.rows[0].kind == "InputLayer"
    assert found.receptive_field == found.input_shape[:2]  # of a class


def test_lenet_is_counted_by_hand():
    found = layer_table(create_model("lenet_tutorial"))
    assert found.macs == 24 * 24 * 25 * 20 + 8 * 8 * 25 * 20 * 50 + 800 * 500 + 500 * 10
    by_name = {row.name: row for row in found.rows}
    assert by_name["block2_pool"].receptive_field == (16, 16)
    assert by_name["block2_pool"].stride == (4, 4)


def nested_model():
    core = keras.Sequential(
        [keras.Input((None, None, 4)), layers.Conv2D(4, 3, name="conv")], name="core"
    )
    inside = keras.Input((None, None, 4))
    middle = keras.Model(inside, core(layers.ReLU(name="relu")(inside)), name="middle")
    image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(4, 3, strides=2, name="stem")(image)
    return keras.Model(image, layers.Dense(2, name="logits")(layers.Flatten()(middle(x))))


def test_nested_networks_bear_the_path_to_them():
    model = nested_model()
    found = layer_table(model)
    assert [row.name for row in found.rows if "/" in row.name] == [
        "middle/relu",
        "middle/core/conv",
    ]
    assert found.parameters == model.count_params()
    assert found.macs == 7 * 7 * 9 * 3 * 4 + 5 * 5 * 9 * 4 * 4 + 100 * 2
    assert found.rows[3].receptive_field == (7, 7)


def test_a_network_is_left_as_it_was():
    model = nested_model()
    before = [len(layer._inbound_nodes) for layer in model.layers]
    layer_table(model)
    assert [len(layer._inbound_nodes) for layer in model.layers] == before
    assert model.get_layer("stem").output.shape == (None, 7, 7, 4)


def test_a_layer_that_is_used_twice_costs_twice_and_weighs_once():
    image = keras.Input((8, 8, 3))
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    model = keras.Model(image, shared(shared(image)))
    first, second = layer_table(model).rows[1:]
    assert first.macs == second.macs == 64 * 9 * 3 * 3
    assert (first.parameters, second.parameters) == (84, 0)
    assert layer_table(model).parameters == model.count_params()


def test_frozen_and_moving_weights_are_not_trainable():
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, trainable=False, name="frozen")(image)
    model = keras.Model(image, layers.BatchNormalization()(x))
    found = layer_table(model)
    assert (found.parameters, found.trainable) == (112 + 16, 8)
    assert found.trainable == sum(np.prod(w.shape) for w in model.trainable_weights)


def test_branches_several_outputs_and_bare_operations_are_rows_too():
    image = keras.Input((8, 8, 3))
    x = image[..., ::-1] / 127.5 - 1
    left, right = layers.Conv2D(2, 3, name="left")(x), layers.Conv2D(2, 3, name="right")(x)
    model = keras.Model(image, [layers.Concatenate()([left, right]), layers.Flatten()(left)])
    found = layer_table(model)
    assert {"GetItem", "TrueDivide", "Subtract", "Concatenate"} <= {row.kind for row in found.rows}
    assert found.depth == 1 and found.macs == 2 * 36 * 9 * 3 * 2


def test_half_precision_takes_half_the_memory():
    image = keras.Input((8, 8, 3), dtype="float16")
    model = keras.Model(image, layers.Conv2D(4, 3, dtype="float16")(image))
    assert layer_table(model).rows[1].activation_bytes == 6 * 6 * 4 * 2
    image = keras.Input((8, 8, 3), dtype="uint8")
    assert (
        layer_table(keras.Model(image, layers.Rescaling(1.0)(image))).rows[0].activation_bytes
        == 192
    )


@pytest.fixture(scope="module")
def open_sizes():
    image = keras.Input((None, None, 3), name="image")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="conv")(image))
    return keras.Model(image, layers.Dense(2)(x), name="open")


def test_sizes_that_are_left_open_are_asked_for(open_sizes):
    with pytest.raises(IncompatibleError, match=r"\(None, None, 3\).*input_shape=\(224, 224, 3\)"):
        layer_table(open_sizes)
    assert layer_table(open_sizes, (10, 12, 3)).rows[1].output_shape == (8, 10, 4)


@pytest.mark.parametrize("shape", [(10, 10, 1), (10, 10), (2, 2, 3)])
def test_a_size_that_cannot_be_says_so(open_sizes, shape):
    with pytest.raises(IncompatibleError):
        layer_table(open_sizes, shape)


def test_a_network_without_a_graph_says_so():
    class Own(keras.Model):
        def call(self, x):
            return x

    for model in (Own(name="own"), keras.Sequential([layers.Dense(2)], name="own")):
        with pytest.raises(IncompatibleError, match="'own'.*functional or built Sequential"):
            layer_table(model)


def test_json_and_csv_hold_every_row():
    found = layer_table(nested_model())
    values = json.loads(found.to_json())
    assert values["macs"] == found.macs and len(values["layers"]) == len(found.rows)
    assert values["layers"][1]["receptive_field"] == [3, 3]
    assert "one addition" in values["convention"]
    lines = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [line["name"] for line in lines] == [row.name for row in found.rows]
    assert lines[1]["output_shape"] == "7x7x4" and lines[-1]["macs"] == "200"
