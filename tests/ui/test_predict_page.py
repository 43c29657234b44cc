"""The Predict page: examples, uploads good and hostile, missing weights, links."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from cnnkit.settings import get_settings
from tests.pages import opened

open_page = partial(opened, "pages/predict.py")


def image(form="PNG", seed=0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def upload(at, *files):
    at.file_uploader(key="images").set_value([(n, d, "image/png") for n, d in files]).run()
    assert not at.exception
    return at


def test_without_an_image_it_says_what_to_do():
    at = open_page(networks="run.starter")
    assert "Upload an image" in at.info[0].value
    assert not at.get("plotly_chart")


def test_a_network_of_the_address_that_is_not_here_is_named_and_the_others_stay():
    at = open_page(networks="run.starter,run.nonsense")
    (warning,) = [w.value for w in at.warning]
    assert "“run.nonsense”, which is not here" in warning and "left out" in warning
    assert at.multiselect[0].value == ["run.starter"]
    at.multiselect[0].set_value([]).run()
    assert not at.warning, "what is chosen by hand is no mistake of the address"


def test_an_example_by_its_link_is_answered_by_the_network_of_the_link():
    at = open_page(**{"from": "example", "example": "flower", "networks": "run.starter", "top": 3})
    assert len(at.get("plotly_chart")) == 1
    assert any("flower" in caption.value for caption in at.caption)
    assert at.slider(key="top").value == 3


def test_an_uploaded_image_is_answered():
    at = upload(open_page(networks="run.starter"), ("mine.png", image()))
    assert len(at.get("plotly_chart")) == 1
    assert not at.error


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<!doctype html><p>Not found", "not an image"),
        (image()[:500], "damaged"),
    ],
    ids=["empty", "web page", "cut off"],
)
def test_a_file_that_cannot_be_read_says_why(data, words):
    at = upload(open_page(networks="run.starter"), ("photo.jpg", data))
    assert words in at.error[0].value
    assert not at.get("plotly_chart")


def test_many_files_become_a_table_and_bad_ones_are_named():
    good = [(f"{i}.png", image(seed=i)) for i in range(5)]
    at = upload(open_page(networks="run.starter"), *good, ("page.jpg", b"<html>"))
    assert "page.jpg" in at.error[0].value and "not an image" in at.error[0].value
    table = at.dataframe[0].value
    assert list(table["file"]) == [name for name, _ in good]
    assert table["image"].str.startswith("data:image/png").all()
    assert at.get("download_button")


def test_two_hundred_files_at_once_are_all_answered_or_named(monkeypatch):
    moved, progress = [], DeltaGenerator.progress
    monkeypatch.setattr(
        DeltaGenerator,
        "progress",
        lambda bar, value, text=None: moved.append((value, text)) or progress(bar, value, text),
    )
    good = [(f"{i}.png", image(seed=i)) for i in range(185)]
    bad = [(f"page {i}.jpg", b"<!doctype html>") for i in range(10)]
    cut = [(f"cut {i}.jpg", image()[:500]) for i in range(5)]
    at = upload(open_page(networks="run.starter"), *bad, *good, *cut)
    assert list(at.dataframe[0].value["file"]) == [name for name, _ in good]
    refused = [error.value for error in at.error]
    assert len(refused) == 15
    for name, _ in bad + cut:
        assert any(f"**{name}**" in words for words in refused)
    assert moved[-1][0] == 1 and "200 of 200" in moved[-1][1]
    at.slider(key="top").set_value(3).run()
    assert len(at.dataframe[0].value) == 185
    assert "200 of 200" in moved[-1][1] and len(moved) < 210, "nothing was asked again"


def test_what_is_kept_for_a_visit_is_bounded(monkeypatch):
    from cnnkit.ui.predict import predicting

    monkeypatch.setattr(predicting, "MOST_CACHED", 5)
    at = open_page(networks="run.starter")
    for start in range(0, 8, 2):
        upload(at, *((f"{i}.png", image(seed=i)) for i in (start, start + 1)))
        kept = at.session_state["predictions"].values()
        assert sum(len(found) for found, _ in kept) <= 5
    assert len(kept) == 2


def test_missing_weights_are_offered_with_their_size():
    at = open_page(networks="imagenet.vgg19", **{"from": "example"})
    assert any("575 MB" in button.label for button in at.button)
    at.button(key="download_vgg19.imagenet").click().run()
    assert "vgg19_weights" in at.error[0].value, "offline: says which file to put where"
    assert not at.exception


@pytest.mark.parametrize(
    ("network", "size", "file"),
    [
        ("googlenet", "54 MB", "bvlc_googlenet.caffemodel"),
        ("squeezenet", "5 MB", "squeezenet_v1.1.caffemodel"),
    ],
)
def test_missing_weights_of_caffe_are_offered_as_their_authors_file(
    network, size, file, monkeypatch, tmp_path
):
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    get_settings.cache_clear()
    at = open_page(networks=f"imagenet.{network}", **{"from": "example"})
    button = at.button(key=f"download_{network}.imagenet")
    assert size in button.label
    assert any(f"[{file}](" in c.value and f"{tmp_path}/weights" in c.value for c in at.caption)
    button.click().run()
    assert f"{file} is not on this machine" in at.error[0].value  # offline


def test_no_network_chosen_says_so():
    at = open_page(networks="")
    assert "Choose at least one network" in at.info[0].value


def test_a_network_of_ones_own_is_chosen_as_soon_as_it_is_there(tmp_path):
    from cnnkit.models import create_model

    create_model("toy_cnn").save(tmp_path / "mine.keras")
    at = open_page(networks="run.starter", **{"from": "example", "example": "flower"})
    data = (tmp_path / "mine.keras").read_bytes()
    at.file_uploader(key="network_upload").set_value(("mine.keras", data, "")).run()
    assert not at.exception and not at.error
    answers = [chart.proto.alt for chart in at.get("plotly_chart")]
    assert len(answers) == 2 and answers[1].startswith("mine.keras: class ")


def test_a_file_that_is_no_network_says_why_beside_the_others_answers():
    at = open_page(networks="run.starter", **{"from": "example", "example": "flower"})
    at.file_uploader(key="network_upload").set_value(("mine.keras", b"no zip", "")).run()
    assert not at.exception
    assert len(at.error) == 1 and len(at.get("plotly_chart")) == 1


@pytest.mark.weights
def test_a_famous_network_names_the_macaw():
    at = open_page(
        networks="imagenet.mobilenet_v2", **{"from": "example", "example": "macaw parrot coral"}
    )
    assert at.get("plotly_chart")[0].proto.alt.startswith("MobileNet V2: macaw 9")


def test_more_than_memory_should_hold_is_cut_off_and_said(monkeypatch):
    files = [(f"{i}.png", image(seed=i)) for i in range(4)]
    monkeypatch.setattr("cnnkit.ui.predict.predicting.MOST_BYTES", 2 * len(files[0][1]) + 500)
    at = upload(open_page(networks="run.starter"), *files)
    assert "4 files were uploaded; the first 2 are classified" in at.warning[0].value
    assert list(at.dataframe[0].value["file"]) == ["0.png", "1.png"]


@pytest.mark.parametrize("source", ["upload", "example"])
def test_an_answer_leads_inside_the_network_that_gave_it(source):
    link = {"from": source, "example": "china", "fit": "pad", "networks": "run.starter"}
    at = open_page(**link)
    if source == "upload":
        upload(at, ("mine.png", image()))
    (button,) = [button for button in at.button if button.label == "Look inside"]
    button.click().run()
    assert not at.exception and not at.warning and not at.error
    assert at.title[0].value == "Inside" and at.query_params["network"] == "run.starter"
    captions = [one.caption for element in at.image for one in element.proto.imgs]
    expected = "Your image mine.png" if source == "upload" else "Example photo: china"
    assert captions[0] == expected
    assert at.query_params["fit"] == "pad"
