"""What a network expects of its pixels: known from its layers, and written into it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit.errors import IncompatibleError
from cnnkit.models import PREPROCESSINGS, check_upload, open_checked
from cnnkit.models.preprocessing import origin_of
from cnnkit.networks import (
    add_upload,
    prepare_upload,
    rename_upload_classes,
    upload_preprocessing,
)

layers = keras.layers
PIXELS = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.float32)


def network(*first, shape=(8, 8, 3)) -> keras.Model:
    chain = [layers.Conv2D(2, 3, name="conv"), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    return keras.Sequential([keras.Input(shape), *first, *chain])


@pytest.fixture
def data(tmp_path) -> bytes:
    network().save(tmp_path / "mine.h5")
    return (tmp_path / "mine.h5").read_bytes()


@pytest.mark.parametrize(
    ("name", "applied"),
    [
        ("imagenet_mean", keras.applications.vgg16.preprocess_input),
        ("minus_one_to_one", keras.applications.mobilenet_v2.preprocess_input),
        ("imagenet_deviation", keras.applications.densenet.preprocess_input),
    ],
)
def test_the_numbers_are_those_of_keras(name, applied):
    expected = applied(PIXELS.copy())
    np.testing.assert_allclose(PREPROCESSINGS[name].apply(PIXELS), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "channels"), [*((name, 3) for name in PREPROCESSINGS), ("imagenet_mean", 1)]
)
def test_the_layers_compute_it_and_it_can_be_undone(name, channels, tmp_path):
    model = network(shape=(8, 8, channels))
    model.save(tmp_path / "mine.h5")
    upload = check_upload(tmp_path / "mine.h5", tmp_path, preprocessing=name)
    pixels, one = PIXELS[..., :channels], PREPROCESSINGS[name]
    opened = open_checked(tmp_path, upload.card("mine.h5"))
    np.testing.assert_allclose(
        opened.logits(pixels), model(one.apply(pixels)), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(one.undo(one.apply(pixels)), pixels, atol=1e-3)
    assert "conv" in [layer.name for layer in opened.model.layers]


def test_a_network_with_layers_of_the_same_names_keeps_them(tmp_path):
    model = network(layers.Rescaling(1 / 255, name="rescaling"), layers.Identity(name="image"))
    model.save(tmp_path / "mine.keras")
    upload = check_upload(tmp_path / "mine.keras", tmp_path, preprocessing="zero_to_one")
    opened = open_checked(tmp_path, upload.card("mine.keras"))
    names = [layer.name for layer in opened.model.layers]
    assert names[:4] == ["image_1", "rescaling_1", "rescaling", "image"]


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ([layers.Rescaling(1 / 255)], "begins with a layer Rescaling"),
        ([layers.RandomFlip(), layers.Rescaling(1 / 255)], "begins with a layer Rescaling"),
        ([layers.Resizing(6, 6), layers.Normalization()], "begins with a layer Normalization"),
        ([], ""),
        ([layers.BatchNormalization()], ""),
    ],
)
def test_the_first_layer_tells_that_pixels_are_prepared(first, words):
    origin = origin_of(network(*first))
    assert (
        words in origin.known
        and origin.preprocessing == "none"
        and bool(words) == bool(origin.known)
    )


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (keras.applications.MobileNetV2, "minus_one_to_one"),
        (keras.applications.VGG16, "imagenet_mean"),
        (keras.applications.ResNet50, "imagenet_mean"),
    ],
)
def test_networks_of_keras_are_known_by_their_layers(build, name):
    from cnnkit.models import without_weights

    model = without_weights(lambda: build(weights=None, include_top=False))
    origin = origin_of(model)
    assert origin.preprocessing == name and origin.known


def test_an_unknown_one_is_asked_for_and_what_is_answered_stays(data):
    ref = add_upload(data, title="mine.h5", class_names=["a", "b"])
    assert not upload_preprocessing(ref).certain and upload_preprocessing(ref).name == "none"
    plain = ref.open().logits(PIXELS)
    prepared = prepare_upload(ref, "zero_to_one")
    assert prepared != ref and upload_preprocessing(prepared).certain
    np.testing.assert_allclose(prepared.open().logits(255 * PIXELS), plain, rtol=1e-3, atol=1e-3)
    assert prepared.card().class_names == ("a", "b")
    renamed = rename_upload_classes(prepared, ["x", "y"])
    assert upload_preprocessing(renamed).name == "zero_to_one"
    again = prepare_upload(renamed, "minus_one_to_one")
    assert again.card().class_names == ("x", "y")
    np.testing.assert_allclose(
        again.open().logits(127.5 * (PIXELS + 1)), plain, rtol=1e-3, atol=1e-2
    )
    assert prepare_upload(again, "zero_to_one") == renamed, "the same answers, the same network"
    with pytest.raises(IncompatibleError, match="Unknown preprocessing 'x'"):
        prepare_upload(ref, "x")
