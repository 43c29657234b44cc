"""The top activating images are those that NumPy finds too."""

import keras
import numpy as np
import pytest

from cnnkit.visualize.layer_activations import ActivationReader, box_of
from cnnkit.visualize.mosaics import LayerMosaic, MosaicBuilder, MosaicSettings, usual_layers
from cnnkit.visualize.results import ResultCache
from cnnkit.visualize.top_activations import (
    BATCH,
    MOST_LARGE,
    collection_for,
    collection_of_dataset,
    find_top_activations,
    thumbnails,
)
from tests.visualize.test_mosaics import made


@pytest.fixture(scope="module")
def sights():
    """More images than a batch holds, and no whole number of batches."""
    return np.random.default_rng(3).integers(0, 256, (BATCH + 5, 16, 16, 3), dtype=np.uint8)


def convolved(images, kernel, bias):
    """Valid convolution in NumPy: (images, height, width, filters)."""
    height, width = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(1, 2))
    return np.einsum("nyxchw,hwcf->nyxf", windows, kernel) + bias


@pytest.mark.parametrize("by", ["max", "mean"])
def test_numpy_finds_the_same_images(small, sights, by):
    kernel, bias = small.get_layer("conv1").get_weights()
    maps = np.tanh(convolved(sights / 128.0 - 1, kernel, bias))[..., [2, 0]]
    largest = maps.max((1, 2)) if by == "max" else maps.mean((1, 2))
    told, found = made(find_top_activations(small, "conv1", (2, 0), sights, by=by, top=4))
    assert told == [1, 2]
    np.testing.assert_array_equal(found.places, np.argsort(-largest, axis=0)[:4].T)
    np.testing.assert_allclose(found.values, -np.sort(-largest, axis=0)[:4].T, rtol=1e-4)


def test_the_position_is_that_of_the_largest_value(small, sights):
    kernel, bias = small.get_layer("conv1").get_weights()
    maps = np.tanh(convolved(sights / 128.0 - 1, kernel, bias))[..., [2, 0]]
    _, found = made(find_top_activations(small, "conv1", (2, 0), sights, top=4))
    assert found.positions.shape == (2, 4, 2)
    for unit, (places, positions) in enumerate(zip(found.places, found.positions, strict=True)):
        for place, position in zip(places, positions, strict=True):
            of_map = maps[place, ..., unit]
            assert tuple(position) == np.unravel_index(of_map.argmax(), of_map.shape)
    _, means = made(find_top_activations(small, "conv1", (2,), sights, by="mean"))
    assert means.positions is None


def test_a_unit_that_nothing_raises_above_zero_is_dead(sights):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Conv2D(3, 3, activation="relu", name="conv")
    model = keras.Sequential([keras.Input((16, 16, 3)), layer])
    kernel, bias = layer.get_weights()
    layer.set_weights([np.abs(kernel) * [1, -1, 1], bias])
    _, found = made(find_top_activations(model, "conv", range(3), sights))
    assert found.dead.tolist() == [False, True, False]


@pytest.mark.parametrize(("layer", "side"), [("conv1", 3), ("conv2", 8)])
def test_a_patch_is_all_that_its_value_depends_on(small, sights, layer, side):
    reader = ActivationReader(small, (16, 16, 3))
    _, found = made(find_top_activations(small, layer, (1,), sights))
    place, position = found.places[0, 0], found.positions[0, 0]
    image = np.float32(sights[place])
    top, left, bottom, right = box_of(reader.field(layer), position, image.shape[:2])
    assert (bottom - top, right - left) == (side, side)
    outside = np.full_like(image, 77)
    outside[top:bottom, left:right] = image[top:bottom, left:right]
    value = reader(image)[layer][(*position, 1)]
    assert value == pytest.approx(found.values[0, 0], rel=1e-4)
    assert reader(outside)[layer][(*position, 1)] == pytest.approx(value, rel=1e-5)
    if layer == "conv1":  # and not less; before conv2 pooling may pass a corner over
        for row, column in ((top, left), (bottom - 1, right - 1)):
            changed = image.copy()
            changed[row, column] = 255 - changed[row, column]
            assert reader(changed)[layer][(*position, 1)] != value


def test_a_data_set_is_resized_to_what_a_network_takes():
    collection = collection_of_dataset((20, 20, 3), "digits")
    assert collection.images.shape == (360, 20, 20, 3) and len(collection.names) == 360
    large = collection_of_dataset((100, 100, 3), "digits")
    assert len(large.images) == MOST_LARGE and len(set(large.names)) == 10


def test_a_layer_without_maps_is_asked_for_its_units(small, sights):
    _, found = made(find_top_activations(small, "logits", (1, 4), sights, top=3))
    answers = small.predict(np.float32(sights), verbose=0)[:, [1, 4]]
    np.testing.assert_array_equal(found.places, np.argsort(-answers, axis=0)[:3].T)


def test_fewer_images_than_asked_for_are_all_there_is(small, sights):
    _, found = made(find_top_activations(small, "conv2", (0,), sights[:2]))
    assert found.places.shape == (1, 2)
    with pytest.raises(ValueError, match="Received: 'sum'"):
        next(find_top_activations(small, "conv2", (0,), sights, by="sum"))


def test_images_that_fit_are_found_on_this_machine(tmp_path):
    digits = collection_for((28, 28, 1), "digits")
    assert digits.images.shape == (360, 28, 28, 1) and len(digits.names) == 360
    photos = collection_for((32, 32, 3))
    assert len(photos.images) == 20 and set(photos.names) == {"flower", "china"}
    assert collection_for((30, 30, 1)) is None
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no image")
    assert len(collection_for((32, 32, 3), data_dir=tmp_path).images) == 20


def test_thumbnails_are_no_larger_than_they_are_shown():
    assert thumbnails(np.zeros((2, 224, 112, 3), np.uint8)).shape == (2, 112, 56, 3)
    assert thumbnails(np.zeros((2, 28, 28, 1), np.uint8)).shape == (2, 28, 28, 1)


class Opened:
    """What a gallery needs of an open network."""

    def __init__(self, model):
        self.model = model
        self.card = type("Card", (), {"input_shape": (16, 16, 3)})


@pytest.mark.parametrize("fits", [True, False])
def test_a_layer_is_made_with_its_images_kept_and_found_again(small, tmp_path, fits):
    collection = collection_for((16, 16, 3)) if fits else None
    way = MosaicSettings(units=4, steps=2)
    gallery = MosaicBuilder(Opened(small), way, ["conv2"], collection)
    told, layer = made(gallery.make("conv2"))
    assert told == list(range(1, gallery.steps["conv2"] + 1))
    results = ResultCache(tmp_path, 10**7)
    key = way.key("weights", "conv2")
    assert LayerMosaic.read(results, key) is None
    layer.keep(results, key)
    found = LayerMosaic.read(results, key)
    assert (found.layer, found.shape, found.field) == ("conv2", (5, 5, 6), (8, 8))
    assert found.units == way.channels(6) and found.collection == layer.collection
    np.testing.assert_array_equal(found.images, layer.images)
    assert found.places.shape == (4, 9 if fits else 0)
    if fits:
        assert len(found.names) == len(found.shown) == found.places.max() + 1


def test_usual_layers_are_modules_or_convolutions_or_what_there_is():
    modules = [(f"inception_{n}", "Concatenate", (7, 7, 8)) for n in range(9)]
    convolutions = [(f"conv{n}", "Conv2D", (7, 7, 8)) for n in range(30)]
    ends = [("logits", "Dense", (10,))]
    assert len(usual_layers("googlenet", convolutions + modules + ends)) == 7
    assert usual_layers("googlenet", convolutions + modules + ends)[-1] == "inception_8"
    spread = usual_layers("other", convolutions + ends)
    assert (spread[0], spread[-1], len(spread)) == ("conv0", "conv29", 7)
    assert usual_layers("lenet", convolutions[:2] + ends) == ["conv0", "conv1", "logits"]
    assert usual_layers("softmax_regression", ends) == ["logits"]
    assert usual_layers("vgg16", [("block3_conv1", "Conv2D", (9, 9, 8))]) == ["block3_conv1"]
