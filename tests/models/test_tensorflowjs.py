"""TensorFlow.js layers models pass the same door, and give the answers of their weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.errors import CnnkitError, InvalidModelError, UnsafeModelError
from cnnkit.models import UploadLimits, open_uploaded
from cnnkit.models._uploads import open_uploaded_model
from cnnkit.predict import softmax
from tests import numpy_networks
from tests.old_files import hdf5_file, model_json, stored, teachable_machine, zipped

CONFIG, WEIGHTS = teachable_machine()
ARRAYS = {name: array for _, arrays in WEIGHTS for name, array in arrays.items()}
METADATA = json.dumps({"tmVersion": "2.4.5", "labels": ["Cat", "Dog", "Nothing"], "imageSize": 16})
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    path = tmp_path_factory.mktemp("same") / "same.h5"
    path.write_bytes(hdf5_file(CONFIG, WEIGHTS))
    return numpy_networks.probabilities(path, IMAGES / 127.5 - 1)


def web(*, quantized="", topology=CONFIG, folder="", arrays=ARRAYS, **files):
    entries, shard = stored(arrays, quantized)
    parts = {"model.json": model_json(topology, entries), "weights.bin": shard} | files
    return zipped({f"{folder}{name}": data for name, data in parts.items()})


@pytest.mark.parametrize(
    ("quantized", "tolerance"), [("", 1e-4), ("float16", 0.01), ("uint16", 0.01), ("uint8", 0.3)]
)
def test_a_web_export_gives_the_answers_of_numpy_and_names_its_classes(
    quantized, tolerance, expected
):
    data = web(quantized=quantized, folder="tm/", **{"metadata.json": METADATA})
    network = open_uploaded(data, title="tm-my-image-model.zip")
    assert network.card.class_names == ("Cat", "Dog", "Nothing")
    answers = softmax(network.logits(IMAGES))
    np.testing.assert_allclose(answers, expected, atol=tolerance)


def test_arrays_in_another_order_and_in_several_shards_are_found_by_name(expected):
    names = sorted(ARRAYS)
    entries, shard = stored({name: ARRAYS[name] for name in names})
    manifest = json.loads(model_json({"model_config": CONFIG}, entries))
    manifest["weightsManifest"][0]["paths"] = ["group1-shard1of2", "group1-shard2of2"]
    data = zipped(
        {
            "model.json": json.dumps(manifest),
            "group1-shard1of2": shard[:101],
            "group1-shard2of2": shard[101:],
        }
    )
    answers = open_uploaded_model(data)(IMAGES / 127.5 - 1)
    np.testing.assert_allclose(answers, expected, atol=1e-4)


def test_a_lambda_is_refused():
    evil = {"class_name": "Lambda", "config": {"name": "evil", "function": "AAAA"}}
    layers = [CONFIG["config"]["layers"][0], evil]
    topology = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}
    with pytest.raises(UnsafeModelError, match=r"Lambda layer \('evil'\)"):
        open_uploaded_model(web(topology=topology))


def changed(**values):
    entries, shard = stored(ARRAYS)
    entries[0] |= values
    return zipped({"model.json": model_json(CONFIG, entries), "weights.bin": shard})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: changed(dtype="complex64"), "'complex64', which cannot be read"),
        (lambda: changed(dtype="string"), "cannot be read"),
        (lambda: changed(shape=[-1, 3]), "cannot be read"),
        (lambda: changed(shape="x"), "cannot be read"),
        (lambda: changed(shape=[2, 2]), "bytes of weights, and model.json says"),
        (lambda: changed(shape=[2**20, 2**20]), "MiB when read"),
        (lambda: changed(quantization={"dtype": "int4"}), "cannot be read"),
        (lambda: web(**{"weights.bin": b"x"}), "hold 1 bytes of weights"),
        (lambda: web(arrays={"Conv1/kernel": ARRAYS["Conv1/kernel"]}), "weights do not fit"),
        (lambda: zipped({"model.json": "[]"}), "not a layers model"),
        (lambda: zipped({"model.json": "{"}), "no JSON"),
        (lambda: zipped({"model.json": "{}"}), "no layers model"),
        (lambda: zipped({"model.json": json.dumps({"format": "graph-model"})}), "graph of Tensor"),
        (lambda: zipped({"model.json": model_json(CONFIG, stored(ARRAYS)[0])}), "lacks 'weights.b"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(data, words):
    with pytest.raises(InvalidModelError, match=words):
        open_uploaded_model(data())


def test_a_shard_that_leads_elsewhere_is_not_found(tmp_path):
    entries, _ = stored(ARRAYS)
    for path in ("../../etc/passwd", "/etc/passwd", str(tmp_path)):
        described = json.loads(model_json(CONFIG, entries))
        described["weightsManifest"][0]["paths"] = [path]
        with pytest.raises(InvalidModelError, match="The archive lacks"):
            open_uploaded_model(zipped({"model.json": json.dumps(described)}))


def test_a_thousand_shards_and_a_description_too_large_are_refused():
    described = json.loads(model_json(CONFIG, []))
    described["weightsManifest"][0]["paths"] = ["weights.bin"] * 2000
    with pytest.raises(UnsafeModelError, match="2,000 shards"):
        open_uploaded_model(zipped({"model.json": json.dumps(described)}))
    with pytest.raises(UnsafeModelError, match="unpacked; at most"):
        open_uploaded_model(web(), limits=UploadLimits(config_bytes=100))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_description_with_a_value_changed_is_refused_or_opens(data):
    entries, shard = stored(ARRAYS)
    described = json.loads(model_json(CONFIG, entries))
    places = list(_places(described))
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(st.sampled_from([None, -1, 10**30, "", "x", [], {}, [[]], True, 1.5]))
    try:
        open_uploaded_model(zipped({"model.json": json.dumps(described), "weights.bin": shard}))
    except CnnkitError as error:
        assert "\n" not in str(error) and len(str(error)) < 500


def _places(value):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
