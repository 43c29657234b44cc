"""The Draw page without a pen: test images and photos; the canvas has a browser's test."""

from __future__ import annotations

import io
import re
from functools import partial

import numpy as np
import pytest
from PIL import Image

from cnnkit.datasets import load_dataset
from tests.pages import opened

open_page = partial(opened, "pages/draw.py")


def summary(at):
    return next(e.value for e in at.subheader if "Predicted" in e.value)


def photo_of(image) -> bytes:
    paper = np.full((480, 640), 220, np.uint8)
    digit = Image.fromarray(image[..., 0]).resize((280, 280), Image.Resampling.BICUBIC)
    paper[90:370, 180:460] = 220 - np.asarray(digit) * 0.7
    stream = io.BytesIO()
    Image.fromarray(paper).save(stream, "JPEG")
    return stream.getvalue()


def test_it_opens_with_a_canvas_and_a_word_on_what_to_do():
    at = open_page()
    assert "Draw a digit" in at.subheader[0].value
    assert not at.get("plotly_chart")


def test_a_test_image_is_read_by_its_link():
    at = open_page(**{"from": "test", "image": "3"})
    label = load_dataset(_digits()).part("test")[1][3]
    assert summary(at).startswith(f"True class {label}. Predicted ")
    assert len(at.get("plotly_chart")) == 1
    assert at.number_input(key="image").value == 3


def test_another_test_image_is_read_when_it_is_chosen():
    at = open_page(**{"from": "test"})
    label = load_dataset(_digits()).part("test")[1][1]
    at.number_input(key="image").set_value(1).run()
    assert summary(at).startswith(f"True class {label}. Predicted ")


@pytest.mark.mnist
def test_a_photo_is_found_and_read_as_what_it_is():
    images, labels = load_dataset("mnist").part("test")
    at = open_page(**{"from": "photo"})
    assert "Upload a photo" in at.subheader[0].value
    at.file_uploader(key="photo").set_value(("seven.jpg", photo_of(images[0]), "image/jpeg"))
    at.run()
    assert not at.exception
    assert re.fullmatch(rf"Predicted {labels[0]}, confidence \d+\.\d %", summary(at))
    assert any("dark ink on light paper" in caption.value for caption in at.caption)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"not an image at all", "not an image"), (None, "No writing was found")],
    ids=["garbage", "blank paper"],
)
def test_a_photo_that_cannot_be_used_says_why(data, words):
    if data is None:
        stream = io.BytesIO()
        Image.new("L", (400, 300), 230).save(stream, "PNG")
        data = stream.getvalue()
    at = open_page(**{"from": "photo"})
    at.file_uploader(key="photo").set_value(("photo.png", data, "image/png")).run()
    assert not at.exception
    assert words in at.error[0].value
    assert not at.get("plotly_chart")


def test_a_link_to_a_source_that_is_not_there_says_so_and_goes_on():
    at = open_page(**{"from": "telepathy"})
    assert "telepathy" in at.warning[0].value
    assert "Draw a digit" in at.subheader[0].value


def test_without_any_network_the_way_to_training_is_shown(monkeypatch):
    monkeypatch.setattr("cnnkit.runs._starter.starter_run", lambda *_: None)
    at = open_page()
    assert any("No trained network yet" in element.value for element in at.markdown)
    assert "Train a network" in [link.label for link in at.get("page_link")]


def test_a_damaged_network_is_said_on_its_card(monkeypatch):
    from cnnkit.errors import CorruptAssetError

    def broken(folder):
        raise CorruptAssetError(folder / "model.keras", "is damaged")

    monkeypatch.setattr("cnnkit.models.load_model", broken)
    at = open_page(**{"from": "test"})
    assert "model.keras is damaged" in at.error[0].value


def _digits() -> str:
    from cnnkit.datasets import dataset_info

    return "mnist" if dataset_info("mnist").available else "digits"
