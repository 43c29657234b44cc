"""Weights by name: what is checked, and what real GoogLeNet and SqueezeNet see in photos."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from cnnkit.errors import CorruptAssetError, IncompatibleError
from cnnkit.models import create_model
from cnnkit.models._named_arrays import load_named_arrays
from cnnkit.settings import get_settings

FILES = {"googlenet": "googlenet_bvlc.npz", "squeezenet": "squeezenet1_1.npz"}
# The top class of MobileNetV2 on each; the owl, a hard one, is left out.
PHOTOS = {
    "bear_tfkerasvis": "brown_bear",
    "goldfish_tfkerasvis": "goldfish",
    "water_ouzel_kerasvis": "water_ouzel",
    "cat_coral_720p": "Egyptian_cat",
    "macaw_parrot_coral": "macaw",
    "hotdog_coral": "hotdog",
    "cat_squeezenet": "Egyptian_cat",
}


@pytest.fixture(scope="module")
def squeezenet():
    return create_model("squeezenet", input_shape=(35, 35, 3))


@pytest.fixture(scope="module")
def arrays(squeezenet):
    """Arrays of any values, named as in the file."""
    generator = np.random.default_rng(0)
    names = {"squeeze1x1": "/", "expand1x1": "/", "expand3x3": "/"}
    found = {}
    for layer in (layer for layer in squeezenet.layers if hasattr(layer, "kernel")):
        first, _, last = layer.name.partition("_")
        name = f"{first}{names.get(last, '')}{last}"
        for kind in ("kernel", "bias"):
            shape = tuple(getattr(layer, kind).shape)
            found[f"{name}|{kind}"] = generator.normal(0, 0.1, shape).astype(np.float32)
    return found


def write(tmp_path, arrays):
    path = tmp_path / "squeezenet1_1.npz"
    np.savez(path, **arrays)
    return path


def test_arrays_go_to_the_layers_of_their_names(squeezenet, arrays, tmp_path):
    load_named_arrays(squeezenet, write(tmp_path, arrays))
    for array, layer in (("fire9/expand3x3", "fire9_expand3x3"), ("conv10", "conv10")):
        kernel, bias = squeezenet.get_layer(layer).get_weights()
        np.testing.assert_array_equal(kernel, arrays[f"{array}|kernel"])
        np.testing.assert_array_equal(bias, arrays[f"{array}|bias"])


def test_red_green_blue_in_gives_what_blue_green_red_gave(squeezenet, arrays, tmp_path):
    load_named_arrays(squeezenet, write(tmp_path, arrays))
    images = np.random.default_rng(1).integers(0, 256, (1, 35, 35, 3)).astype(np.float32)
    swapped = images[..., ::-1] - np.float32([104, 117, 123])
    # One filter at one place, by hand.
    ours = squeezenet.get_layer("conv1")(squeezenet.get_layer("rescaling")(images))
    kernel, bias = arrays["conv1|kernel"], arrays["conv1|bias"]
    theirs = (swapped[0, 2:5, 4:7, :, None] * kernel).sum((0, 1, 2)) + bias
    np.testing.assert_allclose(np.array(ours)[0, 1, 2], np.maximum(theirs, 0), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a.pop("fire5/squeeze1x1|bias"), "has no array 'fire5/squeeze1x1|bias'"),
        (lambda a: a.update({"conv1|bias": np.zeros(63, "f4")}), r"shape \(63,\) .* \(64,\)"),
        (lambda a: a.update({"conv1|bias": np.zeros(64)}), "as float64 instead of float32"),
        (lambda a: a.update(extra=np.zeros(1)), "has the array 'extra'"),
    ],
)
def test_wrong_arrays_are_named_and_none_is_taken(change, words, squeezenet, arrays, tmp_path):
    before = squeezenet.get_layer("fire2_squeeze1x1").get_weights()
    changed = {**arrays, "fire2/squeeze1x1|bias": arrays["fire2/squeeze1x1|bias"] + 1}
    change(changed)
    with pytest.raises(CorruptAssetError, match=words.replace("|", r"\|")):
        load_named_arrays(squeezenet, write(tmp_path, changed))
    after = squeezenet.get_layer("fire2_squeeze1x1").get_weights()
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 half a file"])
def test_a_file_that_holds_no_arrays_is_named(content, squeezenet, tmp_path):
    path = tmp_path / "squeezenet1_1.npz"
    path.write_bytes(content)
    with pytest.raises(CorruptAssetError, match=r"squeezenet1_1\.npz cannot be read"):
        load_named_arrays(squeezenet, path)


def test_a_truncated_file_and_a_missing_one_are_named(squeezenet, arrays, tmp_path):
    path = write(tmp_path, arrays)
    path.write_bytes(path.read_bytes()[: 10**6])
    with pytest.raises(CorruptAssetError, match="cannot be read"):
        load_named_arrays(squeezenet, path)
    with pytest.raises(CorruptAssetError, match="is missing"):
        load_named_arrays(squeezenet, tmp_path / "other.npz")


def test_a_single_array_is_not_a_file_of_named_ones(squeezenet, tmp_path):
    with (tmp_path / "one.npz").open("wb") as file:
        np.save(file, np.zeros(3, np.float32))
    with pytest.raises(CorruptAssetError, match="cannot be read"):
        load_named_arrays(squeezenet, tmp_path / "one.npz")


def test_pickled_objects_are_refused(squeezenet, tmp_path):
    path = tmp_path / "squeezenet1_1.npz"
    np.savez(path, **{"conv1|kernel": np.array([{}], object)})
    with pytest.raises(CorruptAssetError, match="cannot be read"):
        load_named_arrays(squeezenet, path)


def test_a_network_of_other_classes_or_channels_says_what_would_work(tmp_path):
    for changes in ({"classes": 10}, {"input_shape": (35, 35, 1)}):
        shape = changes.get("input_shape", (35, 35, 3))
        model = create_model("squeezenet", **{"input_shape": shape, **changes})
        with pytest.raises(IncompatibleError, match="3 channels and 1000 classes"):
            load_named_arrays(model, tmp_path / "any.npz")


def test_other_networks_have_no_such_files(tmp_path):
    with pytest.raises(ValueError, match="googlenet, squeezenet"):
        load_named_arrays(create_model("lenet5"), tmp_path / "any.npz")


@pytest.mark.weights
@pytest.mark.parametrize("name", FILES)
def test_real_weights_see_what_is_in_the_photos(name):
    folder = get_settings().data_dir
    model = create_model(name)
    load_named_arrays(model, folder / "weights" / FILES[name])
    index = json.loads((folder / "imagenet_class_index.json").read_text("utf-8"))
    photos = [_photo(folder / "photos" / f"{photo}.jpg", model.input_shape[1]) for photo in PHOTOS]
    logits = np.array(model(np.stack(photos)))
    top = [[index[str(i)][1] for i in row.argsort()[::-1][:5]] for row in logits]
    missed = {photo: five for (photo, name), five in zip(PHOTOS.items(), top, strict=True)
              if name not in five}  # fmt: skip
    assert missed == {}


@pytest.mark.weights
def test_real_weights_go_into_a_network_with_auxiliary_classifiers():
    path = get_settings().data_dir / "weights" / FILES["googlenet"]
    with_them, without = (
        create_model("googlenet", input_shape=(64, 64, 3), auxiliary=on) for on in (True, False)
    )
    images = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    for model in (with_them, without):
        load_named_arrays(model, path)
    np.testing.assert_allclose(with_them(images)[0], without(images), atol=1e-4)


def _photo(path, side):
    """The middle square of the whole image, as large as the network takes it."""
    with Image.open(path) as image:
        image = image.convert("RGB")
        short = min(image.size)
        left, upper = ((length - short) // 2 for length in image.size)
        box = (left, upper, left + short, upper + short)
        return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, box))
