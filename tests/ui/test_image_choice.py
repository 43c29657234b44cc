"""One image of any source, for any network: the chooser that pages share."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnnkit.datasets import dataset_info
from cnnkit.models import ModelCard
from cnnkit.predict import prepare
from cnnkit.ui.common.image_choice import ChosenImage, File
from tests.pages import ROOT, opened, words_of

open_page = partial(opened, "pages/inside.py", network="run.starter")


def card(shape, dataset="imagenet"):
    return ModelCard(
        model="some", title="some", class_names=("a", "b"), input_shape=shape, dataset=dataset
    )


def pixels(height=40, width=60, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)


def png(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def digit_on_paper():
    paper = np.full((200, 200), 240, np.uint8)
    paper[40:160, 90:110] = 20
    return png(paper)


def captions_of_images(at):
    return [image.caption for element in at.image for image in element.proto.imgs]


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (50, 20, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_becomes_the_exact_input_of_any_network(shape, channels):
    array = pixels(channels=channels)
    seen = ChosenImage(array=array, words="", fit="pad").input_for(card(shape))
    assert seen.shape == shape and seen.dtype == np.uint8
    np.testing.assert_array_equal(seen, prepare(array, shape, "pad"))


def test_a_located_digit_is_given_to_networks_for_digits_alone():
    digit = np.full((28, 28, 1), 7, np.uint8)
    chosen = ChosenImage(array=pixels(), words="", digit=digit)
    assert chosen.input_for(card((28, 28, 1))) is digit
    np.testing.assert_array_equal(
        chosen.input_for(card((32, 32, 3))), prepare(chosen.array, (32, 32, 3))
    )


def test_a_label_counts_only_for_networks_with_the_same_classes():
    chosen = ChosenImage(array=pixels(), words="", dataset="digits", label=1)
    assert chosen.label_for(card((28, 28, 1), "digits")) == 1
    assert chosen.label_for(card((28, 28, 1), "mnist")) == 1
    assert chosen.label_for(card((28, 28, 1), "imagenet")) is None
    assert ChosenImage(array=pixels(), words="").label_for(card((28, 28, 1), "mnist")) is None


def test_images_that_differ_have_different_keys():
    one = ChosenImage(array=pixels(), words="")
    assert one.key == ChosenImage(array=pixels(), words="other words").key
    others = (
        ChosenImage(array=pixels(), words="", fit="pad"),
        ChosenImage(array=pixels(60, 40), words=""),
        ChosenImage(array=pixels(), words="", digit=np.zeros((28, 28, 1), np.uint8)),
    )
    assert len({one.key, *(other.key for other in others)}) == 4


def test_an_example_photo_opens_by_its_link():
    at = open_page(**{"from": "example", "example": "flower"})
    assert captions_of_images(at)[0] == "Example photo: flower"
    assert at.selectbox("choice_example").value == "flower"


def test_a_test_image_of_any_data_set_opens_by_its_link():
    link = {"from": "test", "data": "toy_patterns", "class": "middle", "image": "3"}
    at = open_page(**link)
    assert "patterns" in captions_of_images(at)[0] and "middle" in captions_of_images(at)[0]
    assert at.number_input("image").value == 3
    assert not at.success and not at.warning, "its class is none of the network's"


def test_another_data_set_forgets_the_class_of_the_first():
    at = open_page(**{"from": "test", "data": "toy_patterns", "class": "middle"})
    at.selectbox("choice_data").select("digits").run()
    assert not at.exception and not at.warning
    assert "“7”" in captions_of_images(at)[0]


def test_former_parameters_open_on_the_same_image():
    at = opened("pages/inside.py", run="starter", digit="3", image="2", **{"from": "test"})
    assert "“3”" in captions_of_images(at)[0] and at.number_input("image").value == 2
    assert at.query_params["network"] == "run.starter" and at.query_params["class"] == "3"


def test_a_photo_of_a_digit_is_located_and_kept_for_other_pages():
    at = open_page(**{"from": "upload"})
    assert at.info and not captions_of_images(at)
    at.file_uploader(key="image_upload").upload("one.png", digit_on_paper(), "image/png").run()
    assert not at.exception
    assert any("dark ink on light paper" in text.value for text in at.caption)
    assert "Your image one.png" in captions_of_images(at)
    assert at.session_state["image_file"].name == "one.png"


@pytest.mark.parametrize("source", ["upload", "paste", "camera"])
def test_a_file_from_another_page_is_used_until_another_is_chosen(source):
    at = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    at.session_state["image_file"] = File("one.png", digit_on_paper())
    at.query_params["network"], at.query_params["from"] = "run.starter", source
    at.switch_page("pages/inside.py").run()
    assert not at.exception and "Your image one.png" in captions_of_images(at)
    assert "one.png is used until" in words_of(at).replace("\\", "")


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "empty"), (b"<html>", "not an image"), (png(pixels(1, 1)), "writing")]
)
def test_a_file_without_an_image_or_a_digit_is_refused_in_words(data, words):
    at = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    at.session_state["image_file"] = File("bad.png", data)
    at.query_params["network"], at.query_params["from"] = "run.starter", "upload"
    at.switch_page("pages/inside.py").run()
    assert not at.exception and words in at.error[0].value


def test_embedded_digits_excuse_themselves_only_where_mnist_is_not_here():
    at = open_page(**{"from": "test", "data": "digits"})
    excuse = "because MNIST is not on this machine" in words_of(at)
    assert excuse is not dataset_info("mnist").available
