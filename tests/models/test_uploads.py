"""Strangers' files: what can be opened opens alike, everything else is refused in a sentence."""

from __future__ import annotations

import copy
import io
import json
import sys
import tempfile
import zipfile

import h5py
import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnkit.errors import CnnkitError, IncompatibleError, InvalidModelError, UnsafeModelError
from cnnkit.models import UploadLimits, create_model
from cnnkit.models._local_response import LocalResponseNormalization
from cnnkit.models._uploads import open_uploaded_model, uploaded_bytes

layers = keras.layers
OWN = "cnnkit>LocalResponseNormalization"


def saved(model, folder) -> bytes:
    path = folder / "model.keras"
    model.save(path)
    return path.read_bytes()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive(parts: dict[str, bytes], compression=zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, value in parts.items():
            file.writestr(name, value)
    return out.getvalue()


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> bytes:
    image = keras.Input((8, 8, 3), name="image")
    x = image[..., ::-1] / 127.5 - np.array([1.0, 1.0, 1.0], "float32")
    x = layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2", name="conv")(x)
    x = layers.BatchNormalization(name="bn")(x)
    x = keras.activations.relu(x, max_value=6)
    model = keras.Model(image, layers.Dense(2, name="logits")(layers.Flatten()(x)))
    model.compile("adam", "mse")
    return saved(model, tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def parts(good):
    return members(good)


@pytest.fixture
def config(parts):
    return copy.deepcopy(json.loads(parts["config.json"]))


@pytest.fixture
def forged(parts):
    """Bytes of a file with another description, or other members."""

    def forge(config=None, **others):
        own = parts if config is None else parts | {"config.json": json.dumps(config).encode()}
        return archive(own | {name.replace("_h5", ".h5"): v for name, v in others.items()})

    return forge


def layer(config, name):
    return next(one for one in config["config"]["layers"] if one["name"] == name)


def test_a_good_file_gives_the_same_answers(good, tmp_path):
    path = tmp_path / "mine.keras"
    path.write_bytes(good)
    model = keras.saving.load_model(path, compile=False)
    images = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
    for source in (good, path, str(path)):
        opened = open_uploaded_model(source)
        np.testing.assert_array_equal(opened(images), model(images))
    assert not opened.compiled


def test_sequential_and_nested_networks_and_those_of_open_size_open(tmp_path):
    core = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3)], name="core")
    core.compile("sgd", "mse")  # Keras would compile the nested one, with what the file names
    image = keras.Input((None, None, 3))
    pooled = layers.GlobalAveragePooling2D()(core(image))
    nested = keras.Model(image, layers.Dense(2)(pooled))
    for model in (nested, core):
        opened = open_uploaded_model(saved(model, tmp_path))
        assert opened.count_params() == model.count_params()


@pytest.mark.parametrize("name", ["lenet_tutorial", "compact_cnn", "mlp_tutorial"])
def test_our_own_networks_open(name, tmp_path):
    model = create_model(name)
    opened = open_uploaded_model(saved(model, tmp_path))
    image = np.ones((1, *model.input_shape[1:]), np.float32)
    np.testing.assert_array_equal(opened(image), model(image))


def test_a_network_that_keras_nests_opens(tmp_path):
    convnext = keras.applications.ConvNeXtTiny(
        weights=None, include_top=False, input_shape=(32, 32, 3)
    )
    description = json.loads(convnext.to_json())
    from cnnkit.models._uploads.config import read_config

    assert read_config(json.dumps(description).encode(), UploadLimits())["config"]


def test_a_lambda_is_named(tmp_path):
    image = keras.Input((8, 8, 3))
    x = layers.Lambda(lambda x: x / 255, output_shape=(8, 8, 3), name="scale")(image)
    data = saved(keras.Model(image, x), tmp_path)
    with pytest.raises(UnsafeModelError, match=r"holds a Lambda layer \('scale'\), whose code"):
        open_uploaded_model(data)


@keras.saving.register_keras_serializable("strangers")
class Custom(layers.Layer):
    def call(self, x):
        return x


def test_a_registered_class_of_others_is_refused(tmp_path):
    image = keras.Input((8, 8, 3))
    data = saved(keras.Model(image, Custom(name="own")(image)), tmp_path)
    with pytest.raises(UnsafeModelError, match="Custom.*'own'"):
        open_uploaded_model(data)


def test_our_own_layer_opens(tmp_path):
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, LocalResponseNormalization(alpha=0.5)(image))
    pixels = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)
    opened = open_uploaded_model(saved(model, tmp_path))
    np.testing.assert_array_equal(opened(pixels), model(pixels))


@pytest.mark.parametrize(
    ("module", "kind", "registered"),
    [
        ("os", "system", None),
        ("subprocess", "Popen", None),
        ("keras.src.utils.python_utils", "func_load", None),
        ("keras.utils", "get_file", None),
        ("keras.saving", "load_model", None),
        ("keras.layers", "TFSMLayer", None),
        ("keras.layers", "StringLookup", None),
        ("keras.layers", "TextVectorization", None),
        ("keras.layers", "Layer", None),
        ("keras.layers", "Conv2D", "cnnkit>Missing"),
        ("keras.layers", "Conv2D", "strangers>Custom"),
        ("cnnkit.jobs.worker", "main", "cnnkit>main"),
        # The name of a registered class opens no other one, with or without a module.
        (None, "Lambda", OWN),
        (None, "Hashing", OWN),
        (None, "IntegerLookup", OWN),
        (None, "LocalResponseNormalization", OWN),
        ("keras.layers", "Lambda", OWN),
        ("keras.layers", "Conv2D", OWN),
        ("cnnkit.models._local_response", "Lambda", OWN),
        ("cnnkit.models._local_response", "LocalResponseNormalization", None),
        ("cnnkit.models.googlenet", "LocalResponseNormalization", OWN),
        ("cnnkit.models.nowhere", "X", "cnnkit>X"),
        (None, "Conv2D", None),
        (None, "__lambda__", None),
        (None, "__typespec__", None),
        ([], "Conv2D", None),
        ("keras.layers", {"a": 1}, None),
    ],
)
def test_classes_that_are_not_on_the_list_are_refused(forged, config, module, kind, registered):
    layer(config, "conv").update(module=module, class_name=kind, registered_name=registered)
    with pytest.raises(InvalidModelError):
        open_uploaded_model(forged(config))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("activation", {"module": "os", "class_name": "function", "config": "system"}),
        ("activation", {"module": "builtins", "class_name": "function", "config": "eval"}),
        ("activation", {"class_name": "__lambda__", "config": {"value": "x"}}),
        ("activation", "strangers>anything"),
        ("activation", "get_file"),
        ("kernel_initializer", "orthogonal"),
        ("kernel_initializer", "Orthogonal"),
        ("kernel_initializer", "OrthogonalInitializer"),
        ("bias_initializer", {"class_name": "Orthogonal", "config": {}}),
        ("bias_initializer", {"module": None, "class_name": "Orthogonal", "config": {}}),
        ("kernel_regularizer", "orthogonal_regularizer"),
        ("kernel_constraint", "get_file"),
        ("dtype", "int8_from_float32"),
        (
            "dtype",
            {
                "module": "keras.dtype_policies",
                "class_name": "DTypePolicy",
                "config": {"name": "int8_from_float32"},
            },
        ),
        (
            "activation",
            {
                "module": "builtins",
                "class_name": "function",
                "config": "relu",
                "registered_name": OWN,
            },
        ),
        (
            "kernel_initializer",
            {
                "module": "keras.initializers",
                "class_name": "Zeros",
                "config": {},
                "registered_name": OWN,
            },
        ),
        ("kernel_initializer", {"module": "os", "class_name": "system", "config": {}}),
        (
            "kernel_regularizer",
            {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://x"}},
        ),
    ],
)
def test_what_stands_inside_a_layer_is_looked_at_too(forged, config, key, value):
    layer(config, "conv")["config"][key] = value
    with pytest.raises(UnsafeModelError):
        open_uploaded_model(forged(config))


def test_a_nested_network_is_looked_at_too(forged, config):
    inner = copy.deepcopy(config)
    layer(inner, "conv").update(class_name="Lambda")
    inner |= {"name": "inner", "inbound_nodes": []}
    config["config"]["layers"].append(inner)
    with pytest.raises(UnsafeModelError, match=r"Lambda layer \('conv'\)"):
        open_uploaded_model(forged(config))


def test_a_layer_used_on_numbers_is_refused_before_it_computes(forged, config):
    own = next(one for one in config["config"]["layers"] if one["class_name"] == "Subtract")
    own["inbound_nodes"][0]["args"] = [1.0, 2.0]
    with pytest.raises(InvalidModelError, match="without an input"):
        open_uploaded_model(forged(config))


def test_a_gigantic_layer_is_refused_before_it_takes_memory(forged, config):
    layer(config, "logits")["config"]["units"] = 10**9
    with pytest.raises(UnsafeModelError, match="parameters; at most 200,000,000"):
        open_uploaded_model(forged(config))


def test_a_layer_whose_answer_fills_the_memory_is_refused(tmp_path):
    image = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(layers.UpSampling2D(20_000, name="huge")(image))
    with pytest.raises(UnsafeModelError, match="'huge' gives"):
        open_uploaded_model(saved(keras.Model(image, x), tmp_path))


def test_twenty_thousand_layers_are_refused(forged, config):
    small = {"module": "keras.layers", "class_name": "Identity", "config": {}, "inbound_nodes": []}
    config["config"]["layers"] += [small | {"name": f"small{i}"} for i in range(20_000)]
    with pytest.raises(UnsafeModelError, match="more than 2,000 layers"):
        open_uploaded_model(forged(config))


def test_networks_that_multiply_by_nesting_are_refused(forged, config):
    use = layer(config, "conv")["inbound_nodes"][0]
    for depth in range(12):
        inner = copy.deepcopy(config) | {"name": f"n{depth}", "inbound_nodes": [use] * 4}
        config["config"]["layers"] = [inner]
    with pytest.raises(UnsafeModelError, match="more than 5,000 times"):
        open_uploaded_model(forged(config))


def test_a_zip_bomb_is_refused(parts):
    bomb = archive(parts | {"model.weights.h5": bytes(64 * 2**20)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(UnsafeModelError, match="would grow from"):
        open_uploaded_model(bomb)
    with pytest.raises(UnsafeModelError, match="unpacked; at most"):
        open_uploaded_model(bomb, limits=UploadLimits(weights_bytes=2**20))


@pytest.mark.parametrize(
    "name", ["../../evil.py", "/etc/passwd", "assets/vocabulary.txt", "model.weights.npz"]
)
def test_members_that_are_no_part_of_a_network_are_refused(parts, name):
    with pytest.raises(UnsafeModelError, match="The archive holds"):
        open_uploaded_model(archive(parts | {name: b"x"}))


def test_ten_thousand_members_are_refused_before_they_are_listed(parts):
    many = parts | {f"{i}": b"" for i in range(10_000)}
    with pytest.raises(UnsafeModelError, match="lists more than"):
        open_uploaded_model(archive(many))


def test_two_members_of_one_name_are_refused(parts):
    out = io.BytesIO(archive(parts))
    with zipfile.ZipFile(out, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("config.json", "{}")
    with pytest.raises(UnsafeModelError, match="two members"):
        open_uploaded_model(out.getvalue())


def weights(write) -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        write(file)
    return out.getvalue()


def external_array(file):
    file.create_dataset("a", (4,), "f4", external=[("/etc/hostname", 0, 16)])


def virtual_array(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "a", (4,))
    file.create_virtual_dataset("a", layout)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda f: f.__setitem__("a", h5py.ExternalLink("/etc/x.h5", "/a")), "ExternalLink"),
        (lambda f: f.__setitem__("a", h5py.SoftLink("/b")), "SoftLink"),
        (external_array, "another file"),
        (virtual_array, "another file"),
        (lambda f: f.create_dataset("a", (2**20, 2**20), "f4", chunks=(1, 1024)), "MiB when read"),
        (lambda f: f.create_dataset("a", data="text"), "plain numbers"),
    ],
)
def test_weights_that_lead_out_of_the_file_or_lie_are_refused(parts, write, words):
    data = archive(parts | {"model.weights.h5": weights(write)})
    with pytest.raises(UnsafeModelError, match=words):
        open_uploaded_model(data)


def test_weights_of_another_network_are_refused(parts, tmp_path):
    other = members(saved(create_model("toy_cnn"), tmp_path))
    with pytest.raises(InvalidModelError, match="cannot be opened"):
        open_uploaded_model(archive(parts | {"model.weights.h5": other["model.weights.h5"]}))


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04" + bytes(100), b"<html>" * 99])
def test_what_is_no_archive_says_so(data):
    with pytest.raises(
        InvalidModelError, match="is empty|no network that can be read. Read are .keras"
    ):
        open_uploaded_model(data)


def test_a_file_that_is_not_there_or_too_large_says_so(tmp_path, good):
    with pytest.raises(InvalidModelError, match="cannot be read"):
        open_uploaded_model(tmp_path / "none.keras")
    with pytest.raises(UnsafeModelError, match="without its optimizer"):
        open_uploaded_model(good, limits=UploadLimits(file_bytes=1000))


@pytest.mark.parametrize("text", [b"", b"nonsense", b"[]", b"{}", b"[" * 100_000, b'{"a": 1}'])
def test_a_description_that_is_none_says_so(parts, text):
    with pytest.raises(InvalidModelError, match=r"config\.json"):
        open_uploaded_model(archive(parts | {"config.json": text}))


def test_a_missing_part_is_named(parts):
    with pytest.raises(InvalidModelError, match="no model.weights.h5"):
        open_uploaded_model(archive({k: v for k, v in parts.items() if k != "model.weights.h5"}))


def test_what_takes_no_image_is_refused_with_what_would_work(tmp_path):
    left, right = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    two = saved(keras.Model([left, right], layers.Add()([left, right])), tmp_path)
    with pytest.raises(IncompatibleError, match=r"2 inputs.*\(height, width, 1 or 3\)"):
        open_uploaded_model(two)
    row = keras.Input((7,))
    dense = saved(keras.Model(row, layers.Dense(2)(row)), tmp_path)
    with pytest.raises(IncompatibleError, match=r"\(7,\).*\(height, width, 1 or 3\)"):
        open_uploaded_model(dense)
    assert open_uploaded_model(dense, image=False).count_params() == 16


quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def opens_or_is_refused(data: bytes) -> None:
    try:
        open_uploaded_model(data)
    except CnnkitError as error:
        assert "\n" not in str(error) and len(str(error)) < 500


@quick
@given(st.data())
def test_a_truncated_file_is_refused_or_opens(good, data):
    opens_or_is_refused(good[: data.draw(st.integers(0, len(good)))])


@quick
@given(st.data())
def test_a_file_with_flipped_bits_is_refused_or_opens(good, data):
    broken = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(good) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    opens_or_is_refused(bytes(broken))


@quick
@given(st.data())
def test_a_description_with_a_value_changed_is_refused_or_opens(parts, data):
    config = json.loads(parts["config.json"])
    places = list(_places(config))
    holder, key = data.draw(st.sampled_from(places))
    strange = [None, -1, 10**30, 1e308, "", "x", [], {}, [[]], True, {"class_name": "Dense"}]
    holder[key] = data.draw(st.sampled_from(strange))
    opens_or_is_refused(archive(parts | {"config.json": json.dumps(config).encode()}))


def _places(value):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


WATCHED = ("open", "socket.", "subprocess.", "os.", "shutil.")


def test_opening_a_file_opens_no_other_file_and_no_socket(good, tmp_path, monkeypatch):
    """As Python's audit hooks report it; but for modules of Python that Keras imports late."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    open_uploaded_model(good)  # what is imported at first use
    events: list[tuple[str, str]] = []
    listening = True

    def listen(event: str, arguments: tuple) -> None:
        path = arguments[0] if arguments else ""
        # A number is a file or folder that is open already.
        if listening and event.startswith(WATCHED) and not isinstance(path, int):
            events.append((event, str(path)))

    sys.addaudithook(listen)  # for good: from now on it costs a comparison
    open_uploaded_model(good)
    listening = False
    own = {event for event, path in events if path.startswith(str(tmp_path))}
    others = [(event, path) for event, path in events if not path.startswith(str(tmp_path))]
    assert "open" in own, "it writes the weights there"
    assert others == []


def test_the_size_in_memory_is_that_of_the_weights_however_the_file_is_packed(good, parts):
    expected = 4 * open_uploaded_model(good).count_params()
    assert expected < len(good), "the file also holds an optimizer"
    packed = archive(parts, zipfile.ZIP_DEFLATED)
    assert uploaded_bytes(good) == uploaded_bytes(packed) == expected
    with pytest.raises(InvalidModelError):
        uploaded_bytes(good[:100])


@pytest.mark.parametrize(
    ("shape", "kernel_size", "strides"),
    [
        ((6, 6), (2, 4), (1, 3)),
        ((34, 3), (4, 3), (1, 4)),
        ((14, 6), (4, 6), (1, 5)),
        ((8, 8, 8), (2, 3, 2), (1, 4, 3)),
    ],
)
def test_strided_convolutions_of_one_channel_give_the_numbers_of_numpy(
    tmp_path, shape, kernel_size, strides
):
    kind = layers.Conv2D if len(shape) == 2 else layers.Conv3D
    convolution = kind(3, kernel_size, strides, bias_initializer="ones")
    image = keras.Input((8, 64, 1) if len(shape) == 3 else (*shape, 1))
    x = convolution(layers.Reshape((*shape, 1))(image))
    model = open_uploaded_model(saved(keras.Model(image, layers.Flatten()(x)), tmp_path))
    rng = np.random.default_rng(0)
    axes = tuple(range(1, len(shape) + 1))
    for _ in range(30):  # TensorFlow's float32 is wrong now and then: it reads what lies in memory
        images = rng.uniform(0, 1, (5, *image.shape[1:])).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(
            images.reshape(5, *shape).astype(np.float64), kernel_size, axis=axes
        )[:, *(slice(None, None, stride) for stride in strides)]
        kernel = np.asarray(convolution.kernel)[..., 0, :]
        expected = 1 + np.tensordot(windows, kernel, len(shape))
        np.testing.assert_allclose(model(images), expected.reshape(5, -1), atol=1e-5)
