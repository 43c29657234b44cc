"""Networks without what makes classes of their maps."""

import keras
import numpy as np
import pytest

from cnnkit.anatomy import layer_table
from cnnkit.anatomy.layout import cut_points
from cnnkit.assets import ASSETS
from cnnkit.errors import AssetUnavailableError, IncompatibleError
from cnnkit.models import (
    create_model,
    load_pretrained,
    load_without_top,
    missing_weights,
    remove_top,
)
from cnnkit.settings import get_settings


@pytest.mark.parametrize(
    ("name", "size", "last", "shape"),
    [
        ("vgg16", 64, "block5_pool", (2, 2, 512)),
        ("mobilenet_v2", 64, "out_relu", (2, 2, 1280)),
        ("mobilenet_v3_small", 64, None, (2, 2, 576)),
        ("googlenet", 64, "inception_5b", (2, 2, 1024)),
        ("squeezenet", 96, "fire9", (5, 5, 512)),
        ("compact_cnn", 28, None, (5, 5, 128)),
    ],
)
def test_a_network_ends_at_its_last_maps(name, size, last, shape):
    model = load_without_top(name, weights=None, size=size)
    assert model.output_shape == (None, *shape)
    assert last is None or last in layer_table(model).rows[-1].name


def test_a_network_without_top_gives_the_maps_of_the_whole_one():
    whole = load_pretrained("mobilenet_v2", weights=None, size=64)
    image = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3)).astype(np.float32)
    maps = keras.Model(whole.input, whole.get_layer("out_relu").output)(image)
    np.testing.assert_array_equal(remove_top(whole)(image), maps)


def test_random_weights_are_a_function_of_the_seed():
    first, again, other = (
        load_without_top("vgg16", weights=None, size=32, seed=s) for s in (1, 1, 2)
    )
    kernels = [model.get_layer("block5_conv3").get_weights()[0] for model in (first, again, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert (kernels[0] != kernels[2]).any()


@pytest.fixture
def empty_folder(monkeypatch, tmp_path):
    """A data folder and a cache of Keras's without any weights."""
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def test_vgg_asks_for_the_small_file_without_dense_layers(empty_folder):
    assert missing_weights("vgg16") == ["vgg16.imagenet.notop"]
    with pytest.raises(AssetUnavailableError, match="notop.h5") as error:
        load_without_top("vgg16", size=64)
    assert ASSETS["vgg16.imagenet.notop"].url == error.value.url


def test_the_small_file_is_read(empty_folder):
    source = load_without_top("vgg16", weights=None, size=32, seed=3)
    source.save(empty_folder / ASSETS["vgg16.imagenet.notop"].filename)  # by its name, the old form
    assert missing_weights("vgg16") == []
    model = load_without_top("vgg16", size=48)
    for one, other in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_rescaled_images_meet_the_same_layers():
    as_trained, rescaled = (
        load_without_top("vgg16", weights=None, size=32, seed=1, preprocessing=preprocessing)
        for preprocessing in (None, "rescaling")
    )
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    # What minus the mean color, blue first, is pixels / 255.
    same = (images / 255 + [103.939, 116.779, 123.68])[..., ::-1].astype(np.float32)
    np.testing.assert_allclose(rescaled(images), as_trained(same), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v3_small", "compact_cnn"])
def test_preprocessing_within_the_network_stays(name):
    with pytest.raises(IncompatibleError, match='preprocessing="pretrained"'):
        load_without_top(name, weights=None, size=64, preprocessing="rescaling")


def test_a_network_without_maps_says_so():
    with pytest.raises(IncompatibleError, match="no maps"):
        remove_top(create_model("mlp_tutorial"))


def test_a_residual_network_cannot_be_cut_within_a_block():
    rows = layer_table(load_without_top("mobilenet_v2", weights=None, size=32)).rows
    found = {rows[number].name for number in cut_points(rows)}
    assert {"image", "block_2_add", "block_3_project_BN"} <= found
    assert not found & {"block_2_expand", "block_2_depthwise", "block_2_project_BN"}
    for number in cut_points(rows):
        later = rows[number + 1 :]
        assert all(source >= number for row in later for source in row.inputs)
