"""Strangers' `.h5` files, of Keras 3 and of Keras 2, pass the same door as `.keras` files."""

from __future__ import annotations

import io
import json

import h5py
import keras
import numpy as np
import pytest

from cnnkit.errors import CnnkitError, InvalidModelError, UnsafeModelError
from cnnkit.models import UploadLimits, create_model, open_uploaded
from cnnkit.models._uploads import open_uploaded_model
from cnnkit.models._uploads import uploaded_bytes as bytes_in_memory
from cnnkit.predict import softmax

layers = keras.layers
IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)


def saved(model, folder, name="model.h5") -> bytes:
    path = folder / name
    model.save(path) if not name.endswith(".weights.h5") else model.save_weights(path)
    return path.read_bytes()


def written(config, weights=(), *, change=None) -> bytes:
    """A file as Keras 2 wrote it.

    Args:
        config: class_name and config of the network.
        weights: (layer, its arrays by name), in the order of the layers.
        change: does what it likes to the open file.
    """
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.attrs["keras_version"] = b"2.4.0"
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(config).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.encode() for layer, _ in weights]
        group.attrs["backend"] = b"tensorflow"
        group.attrs["keras_version"] = b"2.4.0"
        for layer, arrays in weights:
            place = group.create_group(layer)
            place.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in arrays]
            for name, values in arrays.items():
                place[f"{layer}/{name}:0"] = values
        if change:
            change(file)
    return out.getvalue()


def convolution(name="conv", **more):
    initializer = {"class_name": "GlorotUniform", "config": {"seed": None}}
    return {
        "class_name": "Conv2D",
        "config": {
            "name": name,
            "trainable": True,
            "dtype": "float32",
            "filters": 2,
            "kernel_size": [3, 3],
            "strides": [1, 1],
            "padding": "valid",
            "data_format": "channels_last",
            "dilation_rate": [1, 1],
            "groups": 1,
            "activation": "relu",
            "use_bias": True,
            "kernel_initializer": initializer,
            "bias_initializer": {"class_name": "Zeros", "config": {}},
            "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}},
            "bias_regularizer": None,
            "activity_regularizer": None,
            "kernel_constraint": None,
            "bias_constraint": None,
            **more,
        },
    }


def plain(kind, name, **more):
    config = {"name": name, "trainable": True, "dtype": "float32", **more}
    return {"class_name": kind, "config": config}


def image_input(name="input_1", shape=(None, 8, 8, 3)):
    config = {"batch_input_shape": shape, "dtype": "float32", "sparse": False, "ragged": False}
    return {"class_name": "InputLayer", "config": {**config, "name": name}}


def dense(name="dense"):
    return plain("Dense", name, units=3, activation="softmax", use_bias=True)


NUMBERS = np.random.default_rng(1)
KERNEL, BIAS = NUMBERS.normal(size=(3, 3, 3, 2)).astype("f4"), NUMBERS.normal(size=2).astype("f4")
LAST, LAST_BIAS = NUMBERS.normal(size=(2, 3)).astype("f4"), np.zeros(3, "f4")
WEIGHTS = [
    ("conv", {"kernel": KERNEL, "bias": BIAS}),
    ("dense", {"kernel": LAST, "bias": LAST_BIAS}),
]
MEAN = plain("GlobalAveragePooling2D", "mean", data_format="channels_last")


def expected(images=IMAGES):
    """The logits of the files here, worked out without Keras's reading of them."""
    maps = np.maximum(keras.ops.conv(images, KERNEL, padding="valid") + BIAS, 0)
    return np.asarray(maps).mean((1, 2)) @ LAST + LAST_BIAS


def sequential(**more):
    first = convolution(batch_input_shape=[None, 8, 8, 3])
    return {
        "class_name": "Sequential",
        "config": {"name": "sequential", "layers": [first, MEAN, dense()], **more},
    }


def node(layer, *sources):
    inbound = [[[*source, {}] for source in sources]] if sources else []
    return layer | {"name": layer["config"]["name"], "inbound_nodes": inbound}


def functional(*, name="model", before=()):
    return {
        "class_name": "Functional",
        "config": {
            "name": name,
            "layers": [
                node(image_input()),
                *before,
                node(convolution(), (before[-1]["name"] if before else "input_1", 0, 0)),
                node(MEAN, ("conv", 0, 0)),
                node(dense(), ("mean", 0, 0)),
            ],
            "input_layers": [["input_1", 0, 0]],
            "output_layers": [["dense", 0, 0]],
        },
    }


def test_a_file_of_keras_3_gives_the_same_answers(tmp_path):
    image = keras.Input((8, 8, 3), name="image")
    x = image / 127.5 - 1.0
    x = layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2")(x)
    x = layers.BatchNormalization()(x)
    core = keras.Sequential([keras.Input((6, 6, 4)), layers.DepthwiseConv2D(3)], name="core")
    x = layers.Add()([x, layers.SeparableConv2D(4, 3, padding="same")(x)])
    x = keras.activations.relu(core(x), max_value=6)
    model = keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))
    model.compile("adam", "mse")
    model.fit(IMAGES, np.zeros((2, 2)), verbose=0)
    data = saved(model, tmp_path)
    opened = open_uploaded_model(data)
    np.testing.assert_array_equal(opened(IMAGES), model(IMAGES))
    own = [layer.name for layer in model.layers]
    place = own.index("core")  # a network: its layer takes its place
    assert [layer.name for layer in opened.layers] == [
        *own[:place],
        core.layers[0].name,
        *own[place + 1 :],
    ]
    assert not opened.compiled
    assert bytes_in_memory(data) == 4 * model.count_params()


@pytest.mark.parametrize("name", ["lenet5", "compact_cnn"])
def test_our_own_networks_open(name, tmp_path):
    model = create_model(name)
    image = np.ones((1, *model.input_shape[1:]), np.float32)
    opened = open_uploaded_model(saved(model, tmp_path))
    np.testing.assert_array_equal(opened(image), model(image))


def test_a_sequential_network_of_keras_2_gives_the_right_answers():
    data = written(sequential(), WEIGHTS)
    network = open_uploaded(data, title="old.h5", class_names=["cat"])
    np.testing.assert_allclose(network.logits(IMAGES), expected(), rtol=1e-4, atol=1e-3)
    assert network.card.class_names == ("cat", "class 1", "class 2")
    assert [layer.name for layer in network.model.layers] == ["conv", "mean", "dense"]


def test_a_sequential_network_of_the_first_keras_2_opens():
    old = {"class_name": "Sequential", "config": sequential()["config"]["layers"]}
    assert open_uploaded_model(written(old, WEIGHTS)).count_params() == 65


def test_a_functional_network_of_keras_2_gives_the_right_answers():
    network = open_uploaded(written(functional(), WEIGHTS), title="old.h5")
    np.testing.assert_allclose(network.logits(IMAGES), expected(), rtol=1e-4, atol=1e-3)
    # One array, not a list of one.
    assert tuple(network.model(IMAGES).shape) == (2, 3)


@pytest.mark.parametrize("number", [0, 1])
def test_a_nested_network_of_keras_2_opens_wherever_its_uses_are_counted_from(number):
    inner = functional(name="inner") | {"name": "inner", "inbound_nodes": [[["outer", 0, 0, {}]]]}
    flat = node(plain("Flatten", "flat", data_format="channels_last"), ("inner", number, 0))
    nested = {
        "class_name": "Model",
        "config": {
            "name": "nested",
            "layers": [node(image_input("outer")), inner, flat],
            "input_layers": [["outer", 0, 0]],
            "output_layers": [["flat", 0, 0]],
        },
    }
    weights = [
        (
            "inner",
            {f"{layer}/{name}": one for layer, arrays in WEIGHTS for name, one in arrays.items()},
        )
    ]
    opened = open_uploaded_model(written(nested, weights))
    images = IMAGES / 255  # else softmax rounds to 0 and 1
    np.testing.assert_allclose(opened(images), softmax(expected(images)), atol=1e-5)


def test_a_sequential_network_that_begins_with_a_nested_one_opens():
    top = plain("Dense", "top", units=2, activation="linear", use_bias=False)
    config = {"name": "transfer", "layers": [functional(name="base"), top]}
    base = {f"{layer}/{name}": one for layer, arrays in WEIGHTS for name, one in arrays.items()}
    weights = [("base", base), ("top", {"kernel": np.ones((3, 2), "f4")})]
    opened = open_uploaded_model(written({"class_name": "Sequential", "config": config}, weights))
    np.testing.assert_allclose(opened(IMAGES), np.ones((2, 2)), rtol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        plain("BatchNormalization", "old", axis=[3], momentum=0.99, epsilon=1e-3),
        plain("DepthwiseConv2D", "old", kernel_size=[3, 3], groups=1, padding="same"),
        plain(
            "SeparableConv2D",
            "old",
            filters=3,
            kernel_size=[3, 3],
            groups=1,
            padding="same",
            kernel_initializer={"class_name": "GlorotUniform", "config": {"seed": None}},
            kernel_regularizer=None,
            kernel_constraint=None,
        ),
        plain("Conv2DTranspose", "old", filters=3, kernel_size=[3, 3], groups=1, padding="same"),
        plain("LeakyReLU", "old", alpha=0.1),
        plain("Rescaling", "old", scale=2.0, offset=0.0)
        | {"config": {"name": "old", "trainable": True, "scale": 2.0, "offset": 0.0}},
        plain("Dropout", "old", rate=0.5, noise_shape=None, seed=None)
        | {
            "config": {
                "name": "old",
                "trainable": True,
                "dtype": {"class_name": "Policy", "config": {"name": "float32"}},
                "rate": 0.5,
                "noise_shape": None,
                "seed": None,
            }
        },
    ],
    ids=lambda layer: layer["class_name"],
)
def test_arguments_that_only_keras_2_wrote_are_understood(layer):
    same = keras.Sequential([keras.Input((8, 8, 3)), _built(layer)])
    own = {weight.path.split("/")[-1]: weight.numpy() for weight in same.weights}
    weights = [*([("old", own)] if own else []), *WEIGHTS]
    config = functional(before=[node(layer, ("input_1", 0, 0))])
    network = open_uploaded(written(config, weights), title="old.h5")
    between = np.asarray(same(IMAGES))
    np.testing.assert_allclose(network.logits(IMAGES), expected(between), rtol=1e-3, atol=1e-2)


def _built(layer):
    own = ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint", "dtype")
    made = {key: value for key, value in layer["config"].items() if key not in own}
    made |= {"axis": -1} if "axis" in made else {}
    made |= {"negative_slope": made.pop("alpha")} if "alpha" in made else {}
    return getattr(layers, layer["class_name"])(**made)


def test_a_lambda_of_either_keras_is_refused(tmp_path):
    scale = layers.Lambda(lambda x: x / 255, output_shape=(8, 8, 3), name="scale")
    data = saved(keras.Sequential([keras.Input((8, 8, 3)), scale]), tmp_path)
    with pytest.raises(UnsafeModelError, match=r"holds a Lambda layer \('scale'\), whose code"):
        open_uploaded_model(data)
    code = plain("Lambda", "evil", function=["AAAA", None, None], function_type="lambda")
    old = functional(before=[node(code, ("input_1", 0, 0))])
    with pytest.raises(UnsafeModelError, match=r"holds a Lambda layer \('evil'\), whose code"):
        open_uploaded_model(written(old, WEIGHTS))


@pytest.mark.parametrize(
    "layer",
    [
        plain("StringLookup", "x", vocabulary="/etc/passwd"),
        plain("TFSMLayer", "x", filepath="/tmp/x"),
        plain("Custom>Layer", "x"),
        plain("Functional_", "x"),
        plain("cnnkit>Missing", "x"),
        plain("Activation", "x", activation="strangers>anything"),
        plain("Activation", "x", activation={"class_name": "Lambda", "config": {}}),
        plain("Activation", "x", activation={"class_name": "function", "config": "system"}),
        plain("Dense", "x", units=1, kernel_initializer={"class_name": "func_load", "config": {}}),
        {"class_name": "get_file", "config": {"name": "x", "origin": "http://x"}},
    ],
    ids=lambda layer: layer["class_name"],
)
def test_what_is_not_on_the_list_is_refused(layer):
    old = functional(before=[node(layer, ("input_1", 0, 0))])
    with pytest.raises(UnsafeModelError):
        open_uploaded_model(written(old, WEIGHTS))


def external_link(file):
    file["model_weights/x"] = h5py.ExternalLink("/etc/x.h5", "/a")


def external_array(file):
    file.create_dataset("a", (4,), "f4", external=[("/etc/hostname", 0, 16)])


def gigantic_array(file):
    file.create_dataset("a", (2**20, 2**20), "f4", chunks=(1, 1024))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (external_link, "ExternalLink"),
        (external_array, "another file"),
        (gigantic_array, "MiB when read"),
    ],
)
def test_weights_that_lead_out_of_the_file_or_lie_are_refused(change, words):
    with pytest.raises(UnsafeModelError, match=words):
        open_uploaded_model(written(functional(), WEIGHTS, change=change))


def test_a_gigantic_layer_and_description_are_refused_before_they_take_memory():
    config = sequential()
    config["config"]["layers"][2] = plain("Dense", "dense", units=10**9)
    with pytest.raises(UnsafeModelError, match="parameters; at most"):
        open_uploaded_model(written(config, WEIGHTS))
    with pytest.raises(UnsafeModelError, match="description of the network has more than"):
        open_uploaded_model(written(sequential()), limits=UploadLimits(config_bytes=100))


def test_weights_of_another_size_are_refused():
    other = [("conv", {"kernel": KERNEL[..., :1], "bias": BIAS[:1]}), WEIGHTS[1]]
    for weights in (other, WEIGHTS[:1], []):
        with pytest.raises(InvalidModelError, match="cannot be opened"):
            open_uploaded_model(written(functional(), weights))


@pytest.mark.parametrize("name", ["model.weights.h5", "old"])
def test_weights_alone_say_how_to_save_the_network(name, tmp_path):
    if name == "old":
        stream = io.BytesIO()
        with h5py.File(stream, "w") as file:
            file.attrs["layer_names"] = [b"conv"]
            file["conv/kernel"] = KERNEL
        data = stream.getvalue()
    else:
        data = saved(create_model("toy_cnn"), tmp_path, name)
    with pytest.raises(InvalidModelError, match=r"weights alone.*model\.save\('network\.keras'\)"):
        open_uploaded_model(data)


def test_an_hdf5_file_that_is_not_keras_s_says_so():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["temperatures"] = np.zeros(9)
    with pytest.raises(InvalidModelError, match="not saved by Keras as a network"):
        open_uploaded_model(stream.getvalue())


@pytest.mark.parametrize("config", ["", "[", "[]", "{}", '{"class_name": "Mine", "config": {}}'])
def test_a_description_that_is_none_says_so(config):
    def change(file):
        file.attrs["model_config"] = config

    with pytest.raises(InvalidModelError, match="model_config|no functional or Sequential"):
        open_uploaded_model(written({}, change=change))


def test_an_attribute_that_is_no_text_says_so():
    def change(file):
        file.attrs["model_config"] = np.zeros((4, 4))

    with pytest.raises(InvalidModelError, match="is no text"):
        open_uploaded_model(written({}, change=change))


def operation(function, *use, name="tf.math.op"):
    config = {"name": name, "trainable": True, "dtype": "float32", "function": function}
    return {"class_name": "TFOpLambda", "name": name, "config": config, "inbound_nodes": [[*use]]}


@pytest.mark.parametrize(
    ("function", "options", "compute"),
    [
        ("math.truediv", {"y": 2.0, "name": None}, lambda x: x / 2),
        ("math.multiply", {"y": 3}, lambda x: 3 * x),
        ("math.subtract", {"y": 1.0}, lambda x: x - 1),
        ("__operators__.add", {"y": 1.0}, lambda x: x + 1),
        ("nn.relu6", {"name": None}, lambda x: np.clip(x, 0, 6)),
    ],
)
def test_arithmetic_of_keras_2_with_a_number_becomes_a_layer(function, options, compute):
    one = operation(function, "input_1", 0, 0, options)
    network = open_uploaded(written(functional(before=[one]), WEIGHTS), title="old.h5")
    expected_logits = expected(compute(IMAGES).astype("f4"))
    np.testing.assert_allclose(network.logits(IMAGES), expected_logits, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(
    "one",
    [
        operation("math.truediv", "_CONSTANT_VALUE", -1, 1.0, {"y": ["input_1", 0, 0]}),
        operation("math.truediv", "input_1", 0, 0, {"y": ["input_1", 0, 0]}),
        operation("math.truediv", "input_1", 0, 0, {"y": True}),
        operation("io.read_file", "input_1", 0, 0, {"y": 1.0}),
        operation("math.truediv"),
        {"class_name": "SlicingOpLambda", "name": "tf.math.op"},
    ],
)
def test_other_arithmetic_of_keras_2_says_what_to_write_instead(one):
    with pytest.raises(InvalidModelError, match="'tf.math.op'.*Rescaling"):
        open_uploaded_model(written(functional(before=[one]), WEIGHTS))


def test_a_layer_that_keras_3_does_not_take_is_named_with_the_way_to_convert_it():
    strange = functional(before=[node(convolution("x", filters=3, rate=7), ("input_1", 0, 0))])
    with pytest.raises(InvalidModelError, match=r"'rate': 7.*load_weights\('old.h5'\)"):
        open_uploaded_model(written(strange, WEIGHTS))


def test_a_truncated_file_is_refused_or_opens():
    data = written(functional(), WEIGHTS)
    with pytest.raises(InvalidModelError, match="damaged, or its end is missing"):
        open_uploaded_model(data[: len(data) // 2])
    for length in range(0, len(data), len(data) // 40):
        opens_or_is_refused(data[:length])


def test_a_file_with_flipped_bits_is_refused_or_opens():
    data, generator = written(functional(), WEIGHTS), np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(data)
        broken[generator.integers(len(data))] ^= 1 << int(generator.integers(8))
        opens_or_is_refused(bytes(broken))


def test_a_description_with_a_value_changed_is_refused_or_opens():
    generator = np.random.default_rng(0)
    strange = [None, -1, 10**30, "", "x", [], {}, [[]], True, {"class_name": "Dense"}]
    for _ in range(60):
        config = json.loads(json.dumps(functional()))
        places = list(_places(config))
        holder, key = places[generator.integers(len(places))]
        holder[key] = strange[generator.integers(len(strange))]
        opens_or_is_refused(written(config, WEIGHTS))


def opens_or_is_refused(data: bytes) -> None:
    try:
        open_uploaded_model(data)
    except CnnkitError as error:
        assert "\n" not in str(error) and len(str(error)) < 500


def _places(value):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
