"""DeepDream: first visit, a dream, uploads good and hostile, links."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image

from cnnkit.studio.status import Look
from tests.pages import opened

open_page = partial(opened, "pages/deepdream.py")
LAYERS = [
    ["conv1", "Conv2D", [24, 24, 20]],
    ["conv2", "Conv2D", [8, 8, 50]],
    ["logits", "Dense", [10]],
]


@pytest.fixture
def still(monkeypatch):
    """A studio without a child: dreams are noted, and what was told is made up by the test."""
    from cnnkit.studio import Studio

    dreams: list[tuple] = []
    looks: dict[str, Look] = {}

    class Still(Studio):
        def wake(self):
            pass

        def _order(self, **order):
            pass

        def look(self, session):
            return looks.get(session)

        def dream(self, source, dream, image, *, guided_by=None):
            dreams.append((source, dream, image, guided_by))
            looks["one"] = Look(
                status="finished",
                number=30,
                steps=30,
                curves={"step": [1.0, 2.0], "value": [3.0, 4.0]},
            )
            return "one"

        def frame(self, session, number=None):
            return np.full((1, *dreams[-1][2].shape), 9, np.uint8)

        def answer(self, question):
            return {"title": "LeNet", "layers": LAYERS}

    monkeypatch.setattr("cnnkit.ui.common.cache.Studio", Still)
    return dreams


def png(shape=(30, 40, 3)) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def dream_of(at):
    next(button for button in at.button if button.label == "Dream").click().run()
    assert not at.exception
    return at


def test_an_example_is_dreamt_on_in_gray_by_a_network_of_digits(still):
    at = dream_of(open_page(network="run.starter"))
    ((source, plan, image, guide),) = still
    assert source.kind == "folder" and guide is None
    assert set(plan.layers) <= {"conv1", "conv2"} and not plan.guided
    assert image.dtype == np.uint8 and image.shape[-1] == 1
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
    _, plan, image, _ = still[0]
    assert plan.layers == {"conv1": 1.0, "conv2": 0.5}
    assert (plan.octaves, plan.steps) == (2, 7)
    assert image.shape == (96, 96, 1)


def test_an_uploaded_image_and_a_guide_are_taken(still):
    at = open_page(**{"network": "run.starter", "from": "upload", "side": "80"})
    assert "Bring an image" in at.info[0].value
    at.file_uploader(key="dream_upload").set_value([("mine.png", png(), "image/png")]).run()
    at.file_uploader(key="guide_image").set_value([("led.png", png(), "image/png")]).run()
    dream_of(at)
    _, plan, image, guide = still[0]
    assert image.shape == (60, 80, 1) and guide is not None and plan.guided


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "empty"), (b"<!doctype html>", "not an image"), (png()[:200], "dam")]
)
def test_a_hostile_upload_says_why(still, data, words):
    at = open_page(**{"network": "run.starter", "from": "upload"})
    at.file_uploader(key="dream_upload").set_value([("mine.png", data, "image/png")]).run()
    assert not at.exception
    assert words in at.error[0].value
    assert "Bring an image" in at.info[0].value


def test_without_a_layer_it_says_what_to_do(still):
    at = open_page(network="run.starter")
    at.multiselect(key="choice_layers").set_value([]).run()
    assert not at.exception
    assert "Choose at least one layer" in at.info[0].value
