"""The Camera page, and what a browser may send of its camera. Capturing is in tests/browser."""

from __future__ import annotations

import base64
import io
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cnnkit.datasets.folders import labeled_images
from cnnkit.errors import InvalidImagesError, LimitError
from cnnkit.networks import NetworkRef
from cnnkit.runs import Status
from cnnkit.settings import get_settings
from cnnkit.training import Recipe, get_recipe
from cnnkit.ui.camera import live, shots
from tests.pages import opened, words_of

pytestmark = pytest.mark.usefixtures("submitted")
open_page = partial(opened, "pages/camera.py")


def image(number: int) -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
    Image.fromarray(noise).resize((16, 16), Image.Resampling.BICUBIC).save(stream, "JPEG")
    return stream.getvalue()


JPEG = base64.b64encode(image(1)).decode()


def sent(*classes, **more):
    return {"classes": [{"name": name, "images": images} for name, images in classes], **more}


@pytest.fixture
def desk():
    images = {name: [image(10 * k + n) for n in range(4)] for k, name in enumerate(("cup", "pen"))}
    return labeled_images(images, title="*Desk*").name


def test_what_the_component_sends_is_taken():
    taken = shots.checked_shots(sent(("cup", [JPEG]), ("pen", []), title="Desk", add_to="own-1"))
    assert taken.images == {"cup": [image(1)], "pen": []} and taken.title == "Desk"
    assert taken.bytes == len(image(1)) and taken.add_to == "own-1"
    assert shots.token_of({"token": "x" * 1000}) == "x" * 64


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        "classes",
        {"classes": {"cup": [JPEG]}},
        sent(("cup", "JPEG")),
        sent((7, [JPEG])),
        sent(("cup", [7])),
        sent(("cup", ["<script>"])),
        sent(("cup", ["ä" * 100])),
        sent(("cup", [JPEG]), title=["x"]),
        sent(("cup", [JPEG]), add_to="flowers17"),
        sent(("cup", [JPEG]), add_to="../own-1"),
        sent(("cup", [JPEG]), ("cup", [JPEG])),
    ],
)
def test_what_no_camera_takes_is_refused_in_a_sentence(nonsense):
    with pytest.raises(InvalidImagesError) as refused:
        shots.checked_shots(nonsense)
    assert str(refused.value).endswith((".", ". "))
    assert shots.token_of(nonsense) == ""


@pytest.mark.parametrize(
    "much",
    [
        sent(*((str(k), []) for k in range(101))),
        sent(("cup", [""] * 1001)),
        sent(("cup", [""] * 600), ("pen", [""] * 600)),
        sent(("cup", ["A" * 400_000])),
    ],
    ids=["classes", "of one class", "of all", "one image"],
)
def test_what_is_too_much_is_refused_before_it_is_decoded(much, monkeypatch):
    with pytest.raises(LimitError):
        shots.checked_shots(much)


@pytest.mark.parametrize(
    "frame",
    [None, {"run": "a", "image": JPEG}, {"run": 1, "number": 1, "image": JPEG}, {"run": "a"}],
)
def test_a_frame_that_is_none_is_refused(frame):
    with pytest.raises(InvalidImagesError):
        shots.checked_frame(frame)
    assert shots.checked_frame({"run": "a", "number": 3, "image": JPEG}).number == 3


def test_the_page_offers_the_camera_and_after_that_fine_tuning(desk, store, monkeypatch, tmp_path):
    assert not open_page().button
    weights = tmp_path / "weights"
    weights.mkdir()
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()
    at = open_page(data=desk)
    assert r"**\*Desk\***: 8 images of 2 classes" in words_of(at)
    assert "not on this machine" in words_of(at)
    for name in ("", "_no_top"):
        (weights / f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224{name}.h5").touch()
    at = open_page(data=desk)
    at.button(key="camera_fine_tune").click().run()
    (run,) = store.list(statuses=[Status.QUEUED])
    recipe = Recipe.from_dict(run.spec)
    assert recipe == get_recipe("mobilenet_v2", "quick").on(desk)
    assert recipe.caches_features and recipe.weights == "imagenet"


def test_live_prediction_says_where_a_network_is_not_here(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    get_settings.cache_clear()
    at = open_page(mode="live", network="pretrained.mobilenet_v2")
    assert "its weights are not on this machine yet" in words_of(at)


@pytest.mark.parametrize(("classes", "shown"), [(4, [0, 1, 2, 3]), (9, [8, 7, 6, 5, 4, 3])])
def test_few_classes_keep_their_order_and_of_many_the_most_probable_are_shown(classes, shown):
    class Network:
        card = SimpleNamespace(class_names=tuple(map(str, range(classes))))

        def timed_logits(self, images):
            assert images.shape == (1, 8, 8, 3)
            return np.arange(classes, dtype=np.float32)[None], 0.01

    ref = NetworkRef("run", "starter")
    bars = live.bars(ref, Network(), np.zeros((8, 8, 3), np.uint8))
    assert [bar["name"] for bar in bars] == list(map(str, shown))
    expected = np.exp(np.arange(classes)) / np.exp(np.arange(classes)).sum()
    assert [bar["share"] for bar in bars] == pytest.approx(expected[shown].tolist(), abs=1e-4)
