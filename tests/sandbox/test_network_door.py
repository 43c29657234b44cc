"""Networks of strangers are opened in children; here only what was checked is."""

from __future__ import annotations

import json
import time

import keras
import numpy as np
import pytest

from cnnkit.errors import CnnkitError, InvalidModelError, UnsafeModelError
from cnnkit.models import (
    CHECKED_FILES,
    _uploads,
    check_upload,
    open_checked,
    open_checked_model,
    open_uploaded_model,
    uploaded,
)
from cnnkit.sandbox import BreachError

layers = keras.layers


def saved(folder, *inner: keras.layers.Layer, shape=(8, 8, 3)) -> bytes:
    chain = [keras.Input(shape), *inner, layers.GlobalAveragePooling2D(), layers.Dense(3)]
    keras.Sequential(chain).save(folder / "made.keras")
    return (folder / "made.keras").read_bytes()


@pytest.fixture
def checked(tmp_path):
    """A folder for the checked form of a network."""
    folder = tmp_path / "checked"
    folder.mkdir()
    return folder


def test_a_network_passes_as_it_is_and_its_file_is_not_read_here(tmp_path, checked, monkeypatch):
    data = saved(
        tmp_path,
        layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0]),
        layers.Conv2D(4, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
    )
    original = keras.models.load_model(tmp_path / "made.keras")
    monkeypatch.setattr(_uploads, "unpack", None)
    upload = check_upload(data, checked)
    assert sorted(path.name for path in checked.iterdir()) == sorted(CHECKED_FILES)
    network = open_checked(checked, upload.card("mine.keras"))
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(network.logits(images), original(images), atol=1e-5)
    assert (upload.classes, upload.input_shape, upload.notes) == (3, (8, 8, 3), ())
    assert upload.bytes == 4 * original.count_params()


def test_weights_that_are_not_finite_are_said_and_open(tmp_path, checked):
    convolution = layers.Conv2D(2, 1)
    convolution.build((None, 8, 8, 3))
    convolution.kernel.assign(np.full((1, 1, 3, 2), np.nan))
    upload = check_upload(saved(tmp_path, convolution), checked)
    assert upload.notes == (f"6 {uploaded.ODD}",)


def test_attention_larger_than_memory_gets_a_sentence(tmp_path):
    flat = [layers.Reshape((150 * 150, 3)), layers.Dense(8)]
    image = keras.Input((150, 150, 3))
    x = image
    for layer in flat:
        x = layer(x)
    x = layers.MultiHeadAttention(8, 8)(x, x)
    logits = layers.Dense(3)(layers.GlobalAveragePooling1D()(x))
    keras.Model(image, logits).save(tmp_path / "made.keras")
    with pytest.raises(UnsafeModelError, match="memory|GiB"):
        open_uploaded_model(tmp_path / "made.keras")


def test_what_the_checked_form_says_is_held_against_the_list_again(tmp_path, checked):
    check_upload(saved(tmp_path, layers.Conv2D(4, 3)), checked)
    path = checked / CHECKED_FILES[0]
    config = json.loads(path.read_text())
    config["config"]["layers"][1]["class_name"] = "Lambda"
    path.write_text(json.dumps(config))
    with pytest.raises(UnsafeModelError, match="Lambda"):
        open_checked_model(checked)


def test_a_checked_form_whose_weights_are_damaged_is_refused(tmp_path, checked):
    check_upload(saved(tmp_path, layers.Conv2D(4, 3)), checked)
    path = checked / CHECKED_FILES[1]
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InvalidModelError):
        open_checked_model(checked)


@pytest.mark.parametrize(
    "path", ["~nosuchuser/x.keras", "a\0b.keras", "x" * 5000 + ".keras", "/root", ""]
)
def test_a_path_that_cannot_be_gets_a_sentence(path):
    with pytest.raises(InvalidModelError, match=r"\.$"):
        open_uploaded_model(path)


@pytest.mark.parametrize(
    "facts",
    [
        None,
        {},
        {"bytes": "x", "odd": 0},
        {"bytes": 1, "odd": 0, "classes": 3, "input_shape": [8, 8, 7]},
        {"bytes": 1, "odd": 0, "classes": 10**9, "input_shape": [8, 8, 3]},
    ],
)
def test_what_a_child_answers_is_checked(facts):
    with pytest.raises(CnnkitError, match="reader failed"):
        uploaded._checked(facts)


def test_a_small_file_gets_little_time_and_a_large_network_enough():
    """HDF5 reads some damaged files of 20 kB in a circle, for ever."""
    assert uploaded.upload_limits(24_000, "/x").seconds < 5
    assert uploaded.upload_limits(2 * 2**20, "/x").seconds == uploaded.MOST_SECONDS
    breach = BreachError("time")
    sentence = str(uploaded._refusal(breach, uploaded.upload_limits(24_000, "/x")))
    assert "more than 4 s to open" in sentence


def test_a_chain_of_layers_is_built_once(tmp_path):
    """Layer by layer, as Keras reads it, 150 take as long as 10,000."""
    one = layers.Activation("relu", name="relu").get_config()
    config = json.loads(_config(saved(tmp_path, layers.Activation("relu"))))
    (place,) = (
        n for n, x in enumerate(config["config"]["layers"]) if x["class_name"] == "Activation"
    )
    chain = config["config"]["layers"]
    few = chain[place]
    chain[place : place + 1] = [
        few | {"config": one | {"name": f"relu{number}"}} for number in range(150)
    ]
    began = time.process_time()
    assert len(_uploads.build(config).layers) == 152
    assert time.process_time() - began < 5


def _config(data: bytes) -> bytes:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read("config.json")
