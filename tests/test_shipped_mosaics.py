"""Mosaics that ship: what they claim to be, and of which weights."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from benchmarks._mosaics_document import document, read_results
from cnnkit.assets import find, without_top_asset
from cnnkit.errors import CorruptAssetError
from cnnkit.models import convolutions_digest
from cnnkit.networks import NetworkRef
from cnnkit.published import mosaics
from cnnkit.published.mosaics import shipped_mosaics
from cnnkit.visualize.mosaics import default_settings
from tests.shipped import VGG16, write_mosaics, write_weights


def test_equal_convolutions_have_one_digest_in_any_file(tmp_path):
    plain = convolutions_digest(write_weights(tmp_path / "plain.h5"))
    top = write_weights(tmp_path / "top.h5", dense={"fc1": (20, 3)}, named="conv_W_1:0")
    assert convolutions_digest(top) == plain
    other = write_weights(tmp_path / "other.h5", change=1e-3)
    assert convolutions_digest(other) != plain


def test_a_file_that_holds_no_weights_is_named(tmp_path):
    for content in (b"nothing", b""):
        path = tmp_path / "bad.h5"
        path.write_bytes(content)
        with pytest.raises(CorruptAssetError, match="bad.h5 holds no weights"):
            convolutions_digest(path)
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(CorruptAssetError, match="empty.h5 holds no weights"):
        convolutions_digest(tmp_path / "empty.h5")


def test_the_document_is_what_was_measured(root):
    assert (root / "docs" / "mosaics.md").read_text("utf-8") == document(read_results())


@pytest.fixture
def shipped() -> mosaics.ShippedMosaics:
    return shipped_mosaics("vgg16") or pytest.skip("no mosaics of VGG16 ship")


def test_all_thirteen_convolutions_of_vgg16_ship_with_sixteen_filters_each(shipped):
    assert list(shipped.layers) == VGG16
    assert shipped.settings == default_settings("vgg16")
    for layer, one in shipped.layers.items():
        assert one.units == shipped.settings.channels(one.shape[-1]), layer
        assert one.images.shape[0] == 16 and one.images.dtype == np.uint8
        assert one.images.std(axis=(1, 2)).max(axis=-1).min() > 5, "a filter shows nothing"
        assert one.places.shape == one.values.shape and one.places.max() < len(one.shown)


def test_what_ships_is_what_the_document_shows(root, shipped):
    results = read_results()
    measured = {row["layer"]: row for row in results["vgg16"]["layers"]}
    assert results["vgg16"]["settings"] == shipped.settings.to_dict()
    for layer, one in shipped.layers.items():
        assert measured[layer]["units"] == list(one.units)
        assert measured[layer]["side"] == one.images.shape[1]
        assert (root / "docs" / "images" / f"filters-vgg16-{layer}.jpg").is_file()


@pytest.mark.weights
def test_they_were_made_with_the_published_weights(shipped):
    if find(without_top_asset("vgg16")) is None:
        pytest.skip("the weights of VGG16 without top are not on this machine")
    ref = NetworkRef("without_top", "vgg16")
    assert ref.convolutions_digest() == shipped.weights


@pytest.mark.weights
@pytest.mark.parametrize(
    "layer",
    [
        "block2_conv1",
        # The same with larger images.
        pytest.param("block4_conv1", marks=pytest.mark.endurance),
        pytest.param("block5_conv3", marks=pytest.mark.endurance),
    ],
)
def test_each_image_drives_its_own_filter_most(shipped, layer):
    from cnnkit.visualize.network import ActivationModel

    if find(without_top_asset("vgg16")) is None:
        pytest.skip("the weights of VGG16 without top are not on this machine")
    one = shipped.layers[layer]
    model = NetworkRef("without_top", "vgg16").open().model
    network = ActivationModel(model, (layer,), one.images.shape[1:3])
    maps = np.asarray(network(one.images.astype(np.float32))[layer]).mean((1, 2))[:, one.units]
    own = maps.argmax(axis=0) == np.arange(len(one.units))  # of the images, for each filter
    assert own.mean() > 0.8, f"{own.sum()} of {len(own)} filters respond most to their own image"


def test_images_survive_their_file(tmp_path):
    side, count = 16, 6
    down = np.linspace(0, 255, side)[None, :, None, None]
    tint = np.linspace(0.2, 1, count)[:, None, None, None]
    images = np.broadcast_to(down * tint, (count, side, side, 3)).round().astype(np.uint8)
    write_mosaics(tmp_path, "net", {"conv": images})
    read = mosaics.read_mosaics("net", tmp_path).layers["conv"]
    assert read.images.shape == images.shape
    assert np.abs(read.images.astype(int) - images).mean() < 6
    assert read.names == ("dog",) and read.collection == "photos"
    assert read.places.tolist() == [[0]] * count


@pytest.mark.parametrize("broken", ["net.json", "net-photos.webp"])
def test_a_damaged_file_is_named(tmp_path, broken):
    images = np.zeros((1, 8, 8, 3), np.uint8)
    mosaics.write_images("net", mosaics.PHOTOS, images, tmp_path)
    card = {"collection": {"title": "", "names": ["cat"]}, "layers": []}
    mosaics.write_card("net", card, tmp_path)
    (tmp_path / broken).write_bytes(b"nothing")
    with pytest.raises(CorruptAssetError, match=broken):
        mosaics.read_mosaics("net", tmp_path)
