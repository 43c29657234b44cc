"""Files of Caffe: what is read, what is refused, and that `.npz` files give the same network."""

from __future__ import annotations

import random
import shutil

import numpy as np
import pytest
from PIL import Image

from cnnkit import assets
from cnnkit.errors import CorruptAssetError
from cnnkit.models import create_model, load_pretrained, pretrained_info, weights_digest
from cnnkit.models._caffe import LIMIT, read_caffe_arrays
from cnnkit.models._named_arrays import load_named_arrays
from cnnkit.settings import get_settings
from tests.caffe_files import LAYOUTS, caffemodel, chunk, data, four_axes, integer, varint

FILES = {"googlenet": "bvlc_googlenet.caffemodel", "squeezenet": "squeezenet_v1.1.caffemodel"}
SIDES = {"googlenet": 64, "squeezenet": 35}
KERNEL = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)  # height, width, in, out
SMALL = {
    "conv1|kernel": KERNEL,
    "conv1|bias": np.arange(5, dtype=np.float32),
    "a/dense|kernel": np.arange(12, dtype=np.float32).reshape(3, 4),
    "a/dense|bias": np.arange(4, dtype=np.float32),
}


@pytest.fixture(scope="module")
def networks():
    return {name: create_model(name, input_shape=(side, side, 3)) for name, side in SIDES.items()}


@pytest.fixture(scope="module")
def arrays(networks):
    """Network → arrays of any values, named and shaped as Caffe's."""
    generator = np.random.default_rng(0)
    drawn = {}
    for name, model in networks.items():
        drawn[name] = {
            f"{caffe_name(layer.name)}|{kind}": generator.normal(
                0, 0.05, getattr(layer, kind).shape
            ).astype(np.float32)
            for layer in model.layers
            if hasattr(layer, "kernel")
            for kind in ("kernel", "bias")
        }
    return drawn


def caffe_name(layer):
    if layer == "logits":
        return "loss3/classifier"
    for start in ("inception_3a", "conv1", "conv2"):
        if layer.startswith(f"{start}_"):
            return f"{start}/{layer[len(start) + 1 :]}"
    if layer.startswith(("inception_", "fire")):
        words = layer.split("_")
        parts = 2 if words[0] == "inception" else 1
        return "_".join(words[:parts]) + "/" + "_".join(words[parts:])
    return layer


def write(folder, content, name="any.caffemodel"):
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_arrays_come_back_in_the_order_of_keras(layout, kind, tmp_path):
    found = read_caffe_arrays(write(tmp_path, caffemodel(SMALL, layout, kind)))
    assert list(found) == list(SMALL)
    for name, array in SMALL.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", FILES)
def test_a_network_is_the_same_from_either_file(name, layout, networks, arrays, tmp_path):
    model, wanted = networks[name], arrays[name]
    np.savez(tmp_path / "weights.npz", **wanted)
    load_named_arrays(model, tmp_path / "weights.npz")
    images = np.random.default_rng(1).integers(0, 256, (1, *model.input_shape[1:]))
    expected = np.array(model(images.astype(np.float32)))
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])

    extra = {"loss1/conv|kernel": KERNEL, "loss2/fc|bias": SMALL["conv1|bias"]}
    content = caffemodel(wanted | (extra if name == "googlenet" else {}), layout)
    path = write(tmp_path, content)
    load_named_arrays(model, path)
    np.testing.assert_array_equal(model(images.astype(np.float32)), expected)
    assert np.ptp(expected) > 0
    assert weights_digest(path) == weights_digest(tmp_path / "weights.npz")


def test_other_weights_have_another_digest(tmp_path):
    first = write(tmp_path, caffemodel(SMALL, "layer"), "first.caffemodel")
    changed = {**SMALL, "conv1|bias": SMALL["conv1|bias"] + 1}
    second = write(tmp_path, caffemodel(changed, "layer"), "second.caffemodel")
    assert weights_digest(first) != weights_digest(second)


@pytest.mark.parametrize("name", FILES)
def test_the_official_file_is_found_and_taken_before_its_alternative(
    name, arrays, tmp_path, monkeypatch
):
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    get_settings.cache_clear()
    spec, folder = pretrained_info(name), tmp_path / "weights"
    folder.mkdir()
    alternative = folder / assets.ASSETS[spec.asset].alternative
    np.savez(alternative, **arrays[name])
    assert assets.find(spec.asset) == alternative and spec.available
    changed = {name: array + 1 for name, array in arrays[name].items()}
    official = write(folder, caffemodel(changed, "layers"), FILES[name])
    assert assets.find(spec.asset) == official
    model = load_pretrained(name, size=SIDES[name])
    bias = next(layer for layer in model.layers if hasattr(layer, "kernel")).bias
    np.testing.assert_array_equal(bias, list(changed.values())[1])
    (tmp_path / "keras" / "models").mkdir(parents=True)
    official.rename(tmp_path / "keras" / "models" / FILES[name])
    assert assets.find(spec.asset) == alternative, "the operator's folder comes first"


def test_a_file_that_ends_anywhere_is_refused(networks, arrays, tmp_path):
    content = caffemodel(arrays["squeezenet"], "layers")
    cuts = random.Random(0).sample(range(len(content)), 60)
    for end in (0, 1, 2, 20, len(content) - 1, *cuts):
        with pytest.raises(CorruptAssetError, match=r"any\.caffemodel (cannot|holds|has)"):
            load_named_arrays(networks["squeezenet"], write(tmp_path, content[:end]))


def test_changed_bytes_give_a_sentence_or_arrays(tmp_path):
    generator = random.Random(0)
    content = caffemodel(SMALL, "layers") + caffemodel({"b|bias": SMALL["conv1|bias"]}, "layer")
    for _ in range(2000):
        broken = bytearray(content)
        for _ in range(generator.choice((1, 1, 2, 8))):
            broken[generator.randrange(len(broken))] = generator.randrange(256)
        try:
            found = read_caffe_arrays(write(tmp_path, broken))
        except CorruptAssetError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert sum(array.nbytes for array in found.values()) <= len(content)


def png(tmp_path):
    Image.new("RGB", (30, 30)).save(tmp_path / "one.png")
    return (tmp_path / "one.png").read_bytes()


def npz(tmp_path):
    np.savez(tmp_path / "one.npz", **SMALL)
    return (tmp_path / "one.npz").read_bytes()


@pytest.mark.parametrize(
    "make",
    [
        lambda _: b"",
        lambda _: b"<!DOCTYPE html><html><title>404</title></html>",
        lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:72b9",
        lambda _: bytes(1000),
        lambda _: b"\x89HDF\r\n\x1a\n" + bytes(100),
        lambda _: chunk(1, b"a network without layers"),
        lambda _: chunk(100, chunk(1, b"a layer without weights")),
        png,
        npz,
    ],
)
def test_another_kind_of_file_is_refused(make, tmp_path):
    path = write(tmp_path, make(tmp_path))
    with pytest.raises(CorruptAssetError, match=r"any\.caffemodel (cannot be read|holds no weig)"):
        read_caffe_arrays(path)


def changed(arrays, remove=(), **more):
    return {name: array for name, array in arrays.items() if name not in remove} | more


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda a: SMALL, r"has no array 'conv1/7x7_s2\|kernel'"),
        (lambda a: a["squeezenet"], r"has no array 'conv1/7x7_s2\|kernel'"),
        (
            lambda a: changed(a["googlenet"], ["inception_4c/5x5|bias"]),
            r"has no array 'inception_4c/5x5\|bias'",
        ),
        (
            lambda a: changed(a["googlenet"], **{"loss3/classifier|bias": np.zeros(10, "f4")}),
            r"'loss3/classifier\|bias' of shape \(10,\) instead of \(1000,\)",
        ),
        (
            lambda a: changed(a["googlenet"], **{"other|bias": np.zeros(1, "f4")}),
            r"has the array 'other\|kernel', which the network lacks",
        ),
    ],
)
def test_a_file_of_another_network_is_refused(make, words, networks, arrays, tmp_path):
    path = write(tmp_path, caffemodel(make(arrays), "layer"))
    with pytest.raises(CorruptAssetError, match=words):
        load_named_arrays(networks["googlenet"], path)


def layer(*blobs, name=b"conv1"):
    return chunk(100, chunk(1, name) + b"".join(chunk(7, blob) for blob in blobs))


def shape(*sizes):
    return chunk(7, chunk(1, b"".join(map(varint, sizes))))


NUMBERS = data(np.zeros(6), "<f4")


@pytest.mark.parametrize(
    "blob",
    [
        NUMBERS + shape(2**31, 2**31),
        NUMBERS + shape(*[2**62] * 4),
        NUMBERS + shape(-2, -3),
        NUMBERS + shape(0, 6),
        NUMBERS + shape(*[1] * 10**6, 6),
        NUMBERS + shape(1, 2, 3),
        NUMBERS + shape(7),
        NUMBERS[:-1] + shape(6),
        NUMBERS + integer(1, 2**40) + integer(2, 2**40),
        NUMBERS + integer(1, -1) + integer(2, -6),
        NUMBERS,  # no shape at all
        shape(6),
        chunk(5, b"12345") + shape(1),
    ],
)
def test_a_shape_that_does_not_fit_its_numbers_is_refused(blob, tmp_path):
    with pytest.raises(CorruptAssetError) as caught:
        read_caffe_arrays(write(tmp_path, layer(blob)))
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


def test_numbers_that_were_packed_in_parts_are_one_array(tmp_path):
    numbers = np.arange(6, dtype=np.float32)
    blob = data(numbers[:2], "<f4") + shape(6) + data(numbers[2:], "<f4")
    found = read_caffe_arrays(write(tmp_path, layer(blob)))
    np.testing.assert_array_equal(found["conv1|kernel"], numbers)


def test_what_is_no_name_shape_or_number_is_skipped(tmp_path):
    gradient = chunk(6, bytes(24))
    blob = gradient + data(np.arange(6), "<f4") + shape(2, 3) + integer(10, 1)
    found = read_caffe_arrays(write(tmp_path, chunk(200, b"?") + layer(blob)))
    np.testing.assert_array_equal(found["conv1|kernel"], [[0, 3], [1, 4], [2, 5]])


def test_layers_that_are_no_kernel_and_bias_are_named(tmp_path):
    blob = four_axes(SMALL["conv1|bias"])
    with pytest.raises(CorruptAssetError, match="has 3 arrays in 'norm' instead of"):
        read_caffe_arrays(write(tmp_path, layer(blob, blob, blob, name=b"norm")))
    with pytest.raises(CorruptAssetError, match="has the layer 'conv1' twice"):
        read_caffe_arrays(write(tmp_path, layer(blob) + layer(blob)))
    with pytest.raises(CorruptAssetError, match="cannot be read"):
        read_caffe_arrays(write(tmp_path, layer(blob, name=b"\xff\xfe")))


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "large.caffemodel"
    with path.open("wb") as file:
        file.truncate(2**40)  # a terabyte of nothing, which takes no room
    with pytest.raises(CorruptAssetError, match=f"at most {LIMIT:,}"):
        read_caffe_arrays(path)


@pytest.mark.weights
@pytest.mark.parametrize("name", FILES)
def test_real_weights_as_a_caffemodel_name_the_same_five_classes(name, tmp_path, monkeypatch):
    folder = get_settings().data_dir
    spec = pretrained_info(name)
    arrays_file = folder / "weights" / assets.ASSETS[spec.asset].alternative
    with np.load(arrays_file) as file:
        content = caffemodel({key: file[key] for key in file}, "layers")
    with Image.open(folder / "photos" / "goldfish_tfkerasvis.jpg") as photo:
        images = np.asarray(photo.convert("RGB").resize((spec.size, spec.size)))[None]
    expected = np.array(load_pretrained(name)(images))[0]

    (tmp_path / "weights").mkdir()
    path = write(tmp_path / "weights", content, FILES[name])
    shutil.copy(folder / "imagenet_class_index.json", tmp_path)
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    assert assets.find(spec.asset) == path
    logits = np.array(load_pretrained(name)(images))[0]
    assert list(logits.argsort()[-5:]) == list(expected.argsort()[-5:])
    np.testing.assert_array_equal(logits, expected)
    assert weights_digest(path) == weights_digest(arrays_file)
