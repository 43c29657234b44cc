"""Mosaics that ship: what they claim to be, and of which weights."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from benchmarks._mosaics_document import document, read_results
from cnnkit.errors import CorruptAssetError
from cnnkit.models import convolutions_digest
from cnnkit.published import mosaics
from tests.shipped import write_mosaics, write_weights


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
