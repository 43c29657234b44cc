"""DeepDream: first visit, a dream, uploads good and hostile, links."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image

from cnnkit.runs import Status
from cnnkit.settings import get_settings
from tests.pages import opened, words_of
from tests.workers import StillWorker

open_page = partial(opened, "pages/deepdream.py")


@pytest.fixture
def still(monkeypatch) -> StillWorker:
    """The page's worker, without a process: dreams are finished at once."""
    worker = StillWorker(get_settings())
    monkeypatch.setattr("cnnkit.ui.common.cache.VisualizationWorker", lambda settings: worker)
    return worker


def started(still):
    """How the last dream was started: its spec, the image and the guide."""
    session = still.newest("dream")
    return (
        still.orders[session]["spec"],
        still.frame(session, "image.npy"),
        still.frame(session, "guide.npy"),
    )


def png(shape=(30, 40, 3)) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def press(at, label):
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return at


def dream_of(at):
    return press(at, "Dream")


def test_a_dream_of_an_example_is_gray_when_made_by_a_network_of_digits(still):
    at = open_page(network="run.starter")
    assert "Example: the digit network that ships" in words_of(at)
    dream_of(at)
    assert "Example: the digit" not in words_of(at)
    spec, image, guide = started(still)
    assert spec["network"] == "run.starter" and guide is None
    assert set(spec["dream"]["layers"]) <= {"conv1", "conv2"} and not spec["dream"]["guided"]
    assert image.shape[-1] == 1
    assert any("Step 30 of 30" in progress.text for progress in at.get("progress"))
    assert at.slider(key="wipe").value == 100
    at.slider(key="wipe").set_value(40).run()
    assert not at.exception


def test_a_link_restores_layers_weights_and_settings(still):
    dream_of(
        open_page(
            **{
                "network": "run.starter",
                "layers": "conv1,conv2",
                "w.conv2": "0.5",
                "octaves": "2",
                "steps": "7",
                "side": "96",
                "from": "noise",
                "seed": "4",
            }
        )
    )
    spec, image, _ = started(still)
    assert spec["dream"]["layers"] == {"conv1": 1.0, "conv2": 0.5}
    assert (spec["dream"]["octaves"], spec["dream"]["steps"]) == (2, 7)
    assert image.shape == (96, 96, 1)


def test_an_uploaded_image_and_a_guide_are_taken(still):
    at = open_page(**{"network": "run.starter", "from": "upload", "side": "80"})
    assert "Upload an image" in at.info[0].value
    at.file_uploader(key="dream_upload").set_value([("mine.png", png(), "image/png")]).run()
    at.file_uploader(key="guide_image").set_value([("led.png", png(), "image/png")]).run()
    dream_of(at)
    spec, image, guide = started(still)
    assert image.shape == (60, 80, 1) and guide is not None and spec["dream"]["guided"]


def test_a_running_dream_can_be_stopped_and_resumed(still):
    at = dream_of(open_page(network="run.starter"))
    session = still.newest("dream")
    still.put(session, status=Status.RUNNING, step=3)
    at.run()
    press(at, "Stop")
    assert still.sent[-1] == ("stop", {})
    still.put(session, status=Status.CANCELLED)
    at.run()
    assert "stop: stopped" in words_of(at)
    press(at, "Resume")
    assert still.sent[-1] == ("resume", {})


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "empty"), (b"<!doctype html>", "not an image"), (png()[:200], "dam")]
)
def test_a_hostile_upload_says_why(still, data, words):
    at = open_page(**{"network": "run.starter", "from": "upload"})
    at.file_uploader(key="dream_upload").set_value([("mine.png", data, "image/png")]).run()
    assert not at.exception
    assert words in at.error[0].value
    assert "Upload an image" in at.info[0].value


def test_without_a_layer_it_says_what_to_do(still):
    at = open_page(network="run.starter")
    at.multiselect(key="choice_layers").set_value([]).run()
    assert not at.exception
    assert "Choose at least one layer" in at.info[0].value
