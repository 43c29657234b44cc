"""Famous networks under our contract: the library's own networks give the same logits."""

import importlib
import inspect

import keras
import numpy as np
import pytest

from cnnkit.assets import ASSETS, weights_asset
from cnnkit.errors import AssetUnavailableError, CorruptAssetError, UnknownModelError
from cnnkit.models import list_pretrained, load_pretrained, pretrained_info

# One network of each family at a size that is quick: (name, pixels, module of the family).
FAMILIES = (
    ("vgg16", 32, "vgg16"),
    ("resnet50", 64, "resnet"),
    ("resnet50_v2", 64, "resnet_v2"),
    ("inception_v3", 96, "inception_v3"),
    ("xception", 96, "xception"),
    ("mobilenet_v2", 64, "mobilenet_v2"),
    ("mobilenet_v3_small", 64, "mobilenet_v3"),
    ("densenet121", 64, "densenet"),
    ("nasnet_mobile", 64, "nasnet"),
    ("efficientnet_b0", 64, "efficientnet"),
    ("efficientnet_v2_b0", 64, "efficientnet_v2"),
    ("convnext_tiny", 64, "convnext"),
)
SLOW = ("inception_v3", "densenet121", "nasnet_mobile", "efficientnet_v2_b0")  # to build twice
NESTED = ("convnext_tiny",)  # Keras itself builds these with parts inside parts


def test_every_family_is_compared():
    families = {pretrained_info(name).family for name in list_pretrained()}
    assert families == {pretrained_info(name).family for name, _, _ in FAMILIES} | NAMED_ARRAYS


NAMED_ARRAYS = {
    pretrained_info(name).family
    for name in list_pretrained()
    if pretrained_info(name).builder is None
}


@pytest.mark.parametrize(
    ("name", "size", "module"),
    [
        pytest.param(*family, marks=[pytest.mark.endurance] * (family[0] in SLOW))
        for family in FAMILIES
    ],
)
def test_a_family_gives_the_logits_of_the_library_after_its_own_preprocessing(name, size, module):
    ours = load_pretrained(name, weights=None, size=size)
    builder = getattr(keras.applications, pretrained_info(name).builder)
    theirs = builder(weights=None, input_shape=(size, size, 3), classifier_activation=None)
    theirs.set_weights(ours.get_weights())
    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    preprocess = importlib.import_module(f"keras.applications.{module}").preprocess_input
    expected = theirs(preprocess(images.astype(np.float32)), training=False)
    np.testing.assert_allclose(ours(images, training=False), expected, atol=1e-4)
    assert ours.input_shape == (None, size, size, 3) and ours.output_shape == (None, 1000)
    assert ours.count_params() == pretrained_info(name).parameters or size < 299 and "vgg" in name
    nested = any(hasattr(layer, "layers") for layer in ours.layers)
    assert nested == (name in NESTED)


def test_layers_have_their_official_names_however_many_were_built_before():
    first, again = (load_pretrained("inception_v3", weights=None, size=75) for _ in range(2))
    names = [layer.name for layer in first.layers]
    assert names == [layer.name for layer in again.layers]
    assert {"conv2d", "conv2d_93", "mixed0", "mixed10", "predictions"} <= set(names)


def test_official_names_addresses_and_checksums_are_those_of_the_library(monkeypatch):
    class Asked(Exception):
        """What Keras would have downloaded."""

    def record(fname, origin, **options):
        raise Asked(fname, origin, options.get("file_hash"))

    from keras.src.utils import file_utils

    monkeypatch.setattr(file_utils, "get_file", record)
    for name in ("mobilenet_v2", "mobilenet_v3_small", "resnet50_v2", "efficientnet_b0"):
        with pytest.raises(Asked) as asked:
            size = pretrained_info(name).size
            builder = getattr(keras.applications, pretrained_info(name).builder)
            builder(weights="imagenet", input_shape=(size, size, 3))
        file = ASSETS[weights_asset(name)]
        digest = file.checksum.split(":")[1] if file.checksum else None
        assert asked.value.args == (file.filename, file.url, digest)


@pytest.mark.parametrize("name", ["efficientnet_b0", "mobilenet_v2"])
def test_a_weight_file_gives_what_the_library_makes_of_it(name, tmp_path, monkeypatch):
    """EfficientNet's file holds deviations as variances, which Keras repairs on its way."""
    spec = pretrained_info(name)
    size = spec.size
    builder = getattr(keras.applications, spec.builder)
    source = builder(weights=None, input_shape=(size, size, 3))
    weights = source.get_weights()
    rng = np.random.default_rng(0)
    if name == "efficientnet_b0":  # mean, variance and count of its Normalization layer
        weights[:3] = [np.float32([0.4, 0.5, 0.3]), np.float32([0.2, 0.3, 0.25]), weights[2]]
    source.set_weights([w + rng.normal(0, 0.01, w.shape).astype(w.dtype) ** 2 for w in weights])
    path = tmp_path / f"{name}.weights.h5"
    source.save_weights(path)

    from keras.src.utils import file_utils

    from cnnkit import assets

    monkeypatch.setattr(assets, "find", lambda _: path)
    monkeypatch.setattr(file_utils, "get_file", lambda *_, **__: path)
    ours = load_pretrained(name, size=size)
    theirs = builder(weights="imagenet", input_shape=(size, size, 3), classifier_activation=None)
    images = np.random.default_rng(1).integers(0, 256, (2, size, size, 3)).astype(np.float32)
    preprocess = keras.applications.mobilenet_v2.preprocess_input
    given = preprocess(images.copy()) if name == "mobilenet_v2" else images
    np.testing.assert_allclose(ours(images), theirs(given), atol=1e-4)


def test_a_network_that_is_read_draws_no_random_weights_first(tmp_path, monkeypatch):
    """For VGG16 these would take as much memory again as the weights, and seconds."""
    import tensorflow as tf

    from cnnkit import assets

    source = load_pretrained("mobilenet_v2", weights=None, size=32)
    path = tmp_path / "mobilenet_v2.weights.h5"
    source.save_weights(path)
    monkeypatch.setattr(assets, "find", lambda _: path)
    drawn, draw = [], keras.initializers.VarianceScaling.__call__

    def record(self, shape, dtype=None):
        if tf.executing_eagerly():  # in a graph nothing is computed
            drawn.append(shape)
        return draw(self, shape, dtype)

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", record)
    read = load_pretrained("mobilenet_v2", size=32)
    assert not drawn
    for ours, theirs in zip(read.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_file_of_another_network_is_named(tmp_path, monkeypatch):
    from cnnkit import assets

    path = tmp_path / "mobilenet_v2.h5"
    path.write_bytes(b"not weights")
    monkeypatch.setattr(assets, "find", lambda _: path)
    with pytest.raises(CorruptAssetError, match=r"mobilenet_v2\.h5 does not hold weights"):
        load_pretrained("mobilenet_v2", size=32)


def test_missing_weights_say_which_file_to_put_where(monkeypatch, tmp_path):
    from cnnkit.settings import get_settings

    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    get_settings.cache_clear()
    with pytest.raises(AssetUnavailableError) as caught:
        load_pretrained("vgg16")
    assert ASSETS[weights_asset("vgg16")].filename in str(caught.value)
    assert f"put it into {tmp_path / 'weights'}" in str(caught.value)


def test_an_unknown_network_lists_the_known():
    with pytest.raises(UnknownModelError, match="mobilenet_v2"):
        pretrained_info("mobilenet_v9")


def test_every_network_says_what_a_builder_of_the_library_makes():
    for name in list_pretrained():
        spec = pretrained_info(name)
        if spec.builder:
            builder = getattr(keras.applications, spec.builder)
            assert "classifier_activation" in inspect.signature(builder).parameters
        assert 0 < spec.parameters and (spec.top1 is None or 0.5 < spec.top1 < 0.9)
