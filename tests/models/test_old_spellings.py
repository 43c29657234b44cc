"""Files of Keras 1 and of early Keras 2: old names mean what they meant."""

from __future__ import annotations

import io

import numpy as np
import pytest

from cnnkit.errors import CnnkitError, InvalidModelError, UnsafeModelError
from cnnkit.models._uploads import open_uploaded_model
from cnnkit.models._uploads.spellings import modern_layer
from tests import numpy_networks
from tests.old_files import hdf5_file, teachable_machine

NUMBERS = np.random.default_rng(2)
IMAGES = NUMBERS.uniform(0, 1, (2, 8, 8, 3)).astype("f4")
KERNEL, BIAS = NUMBERS.normal(size=(3, 3, 3, 4)).astype("f4"), NUMBERS.normal(size=4).astype("f4")
LAST = NUMBERS.normal(size=(36, 3)).astype("f4")
FIRST = {"convolution2d_1_W": KERNEL, "convolution2d_1_b": BIAS}
WEIGHTS = [("convolution2d_1", FIRST), ("dense_1", {"dense_1_W": LAST})]


def layer(kind, name, **more):
    return {"class_name": kind, "config": {"name": name, "trainable": True, **more}}


def convolution(**more):
    return layer(
        *("Convolution2D", "convolution2d_1"),
        nb_filter=4,
        nb_row=3,
        nb_col=3,
        subsample=[1, 1],
        border_mode="valid",
        dim_ordering="tf",
        init="glorot_uniform",
        activation="relu",
        bias=True,
        W_regularizer={"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01},
        b_regularizer=None,
        W_constraint={"name": "MaxNorm", "m": 2, "axis": 0},
        b_constraint=None,
        activity_regularizer=None,
        input_dtype="float32",
        **more,
    )


def dense(**more):
    config = {"output_dim": 3, "init": "orthogonal", "bias": False, "input_dim": None}
    config |= {"W_regularizer": None, "W_constraint": None, "activation": "linear"}
    return layer("Dense", "dense_1", **{**config, **more})


def pooling():
    more = {"pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid", "dim_ordering": "tf"}
    return layer("MaxPooling2D", "maxpooling2d_1", **more)


def expected(images=IMAGES, combine=None):
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
    maps = np.maximum(np.tensordot(windows, KERNEL.transpose(2, 0, 1, 3), 3) + BIAS, 0)
    maps = combine(maps) if combine else maps
    maps = maps.reshape(len(images), 3, 2, 3, 2, -1).max((2, 4))
    return maps.reshape(len(images), -1) @ LAST


def sequential(*between):
    first = convolution(batch_input_shape=[None, 8, 8, 3])
    layers = [first, pooling(), *between, layer("Flatten", "flatten_1"), dense()]
    return {"class_name": "Sequential", "config": layers}


def test_a_sequential_network_of_keras_1_gives_the_right_answers():
    dropout = layer("Dropout", "dropout_1", p=0.5)
    model = open_uploaded_model(hdf5_file(sequential(dropout), WEIGHTS, version="1.2.2"))
    np.testing.assert_allclose(model(IMAGES), expected(), rtol=1e-4, atol=1e-4)
    assert model.get_layer("dropout_1").rate == 0.5
    assert model.get_layer("convolution2d_1").kernel_regularizer is None


@pytest.mark.parametrize(
    ("mode", "combine"),
    [
        ("sum", lambda x: x + np.maximum(x, 0)),
        ("mul", lambda x: x * np.maximum(x, 0)),
        ("ave", lambda x: (x + np.maximum(x, 0)) / 2),
        ("max", lambda x: np.maximum(x, np.maximum(x, 0))),
    ],
)
def test_a_network_of_keras_1_that_merges_gives_the_right_answers(mode, combine):
    def node(one, *sources):
        inbound = [[[source, 0, 0] for source in sources]] if sources else []
        return one | {"name": one["config"]["name"], "inbound_nodes": inbound}

    image = {"batch_input_shape": [None, 8, 8, 3], "input_dtype": "float32", "sparse": False}
    merge = {"mode": mode, "mode_type": "raw", "concat_axis": -1, "dot_axes": -1}
    merge |= {"output_shape": None, "output_shape_type": "raw", "output_mask": None}
    merge |= {"arguments": {}, "output_mask_type": "raw"}
    described = {
        "class_name": "Model",
        "config": {
            "name": "model_1",
            "layers": [
                node({"class_name": "InputLayer", "config": {"name": "input_1", **image}}),
                node(convolution(), "input_1"),
                node(layer("Activation", "activation_1", activation="relu"), "convolution2d_1"),
                node(
                    {"class_name": "Merge", "config": {"name": "merge_1", **merge}},
                    *("convolution2d_1", "activation_1"),
                ),
                node(pooling(), "merge_1"),
                node(layer("Flatten", "flatten_1"), "maxpooling2d_1"),
                node(dense(), "flatten_1"),
            ],
            "input_layers": [["input_1", 0, 0]],
            "output_layers": [["dense_1", 0, 0]],
        },
    }
    model = open_uploaded_model(hdf5_file(described, WEIGHTS, version="1.2.2"))
    np.testing.assert_allclose(model(IMAGES), expected(combine=combine), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "old", "modern", "arguments"),
    [
        ("AtrousConvolution2D", {"atrous_rate": [2, 2]}, "Conv2D", {"dilation_rate": [2, 2]}),
        ("MaxPool2D", {"pool_size": 2}, "MaxPooling2D", {"pool_size": 2}),
        ("GaussianNoise", {"sigma": 0.1}, "GaussianNoise", {"stddev": 0.1}),
        ("SpatialDropout2D", {"p": 0.1}, "SpatialDropout2D", {"rate": 0.1}),
        ("BatchNormalizationV1", {"axis": [3]}, "BatchNormalization", {"axis": 3}),
        ("BatchNormalization", {"mode": 0, "axis": -1}, "BatchNormalization", {"axis": -1}),
        ("Cropping2D", {"dim_ordering": "tf"}, "Cropping2D", {"data_format": "channels_last"}),
        ("DepthwiseConv2D", {"groups": 1, "kernel_initializer": "x"}, "DepthwiseConv2D", {}),
        ("Merge", {"mode": "concat", "concat_axis": 3}, "Concatenate", {"axis": 3}),
        ("Dense", {"dtype": {"class_name": "PolicyV1", "config": {"name": "infer"}}}, "Dense",
         {"dtype": "float32"}),
        ("Dense", {"kernel_initializer": {"class_name": "Orthogonal", "config": {}}}, "Dense",
         {"kernel_initializer": "zeros"}),
    ],
)  # fmt: skip
def test_an_old_name_becomes_the_one_of_today(kind, old, modern, arguments):
    assert modern_layer(kind, old) == (modern, arguments)


def test_old_initializers_are_read():
    old = {"scale": 2, "mode": "fan_in", "distribution": "normal", "seed": None, "dtype": "float32"}
    _, arguments = modern_layer(
        "Conv2D", {"kernel_initializer": {"class_name": "VarianceScaling", "config": old}}
    )
    read = arguments["kernel_initializer"]
    assert (read["module"], read["class_name"]) == ("keras.initializers", "VarianceScaling")
    assert read["config"]["distribution"] == "truncated_normal" and "dtype" not in read["config"]


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("Convolution2D", {"dim_ordering": "th"}, "channels before rows"),
        ("BatchNormalization", {"mode": 2}, "mode of Keras 1"),
        ("Merge", {"mode": "cos"}, "merges layers by 'cos'"),
    ],
)
def test_what_keras_3_cannot_do_gets_a_sentence(kind, more, words):
    with pytest.raises(InvalidModelError, match=words):
        open_uploaded_model(hdf5_file(sequential(layer(kind, "old", **more)), WEIGHTS))


@pytest.mark.parametrize(
    "hostile",
    [
        layer("Lambda", "x", function="AAAA", function_type="lambda"),
        layer("Convolution2D", "x", nb_filter=1, nb_row=1, nb_col=1, activation="system"),
        layer("Dense", "x", output_dim=1, init="get_file"),
        layer("Dense", "x", output_dim=1, init={"class_name": "func_load", "config": {}}),
        layer("Merge", "x", mode="<script>"),
        layer("Merge", "x", mode=["sum"]),
        layer("Dense", "x", output_dim=10**9),
        layer("Convolution2D", "x", nb_filter=-1, nb_row=1, nb_col=None),
        {"class_name": "Sequential", "config": [{"class_name": "Sequential"}]},
    ],
    ids=lambda hostile: hostile["class_name"],
)
def test_a_hostile_file_of_keras_1_is_refused_with_one_sentence(hostile):
    with pytest.raises(CnnkitError) as refused:
        open_uploaded_model(hdf5_file(sequential(hostile), WEIGHTS))
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 500
    assert isinstance(refused.value, UnsafeModelError | InvalidModelError)


def test_weights_that_stand_in_another_order_in_a_nested_network_are_found_by_name():
    """As Keras 2.2 wrote a frozen network: all that is trained, though nothing is."""
    config, weights = teachable_machine()
    frozen = config["config"]["layers"][1]["config"]["layers"][1]["config"]["layers"]
    for one in frozen[1:]:
        one["config"]["trainable"] = False
    data = hdf5_file(config, weights)
    model = open_uploaded_model(data)
    images = NUMBERS.uniform(-1, 1, (2, 16, 16, 3)).astype("f4")
    np.testing.assert_allclose(
        model(images), numpy_networks.probabilities(io.BytesIO(data), images), atol=1e-5
    )
