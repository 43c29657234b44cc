"""`cnnkit explain`: names of methods, targets, options, files, and what cannot be explained."""

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cnnkit.__main__ import main
from cnnkit.datasets import load_dataset
from cnnkit.explain import contrast, grad_cam
from cnnkit.networks import NetworkRef
from cnnkit.settings import get_settings
from tests.records import new_store


@pytest.fixture(autouse=True)
def folder(own_home, tmp_path, monkeypatch):
    """A working folder with the image of a seven."""
    new_store(get_settings())
    monkeypatch.chdir(tmp_path)
    images, labels = load_dataset("digits").part("test")
    Image.fromarray(images[list(labels).index(7)][..., 0]).save("seven.png")
    return tmp_path


def call(*arguments: str):
    return CliRunner().invoke(main, ["explain", *arguments, "--model", "starter"])


def answer(*arguments: str):
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_predicted_class_is_explained_and_the_maps_are_those_of_the_library(folder):
    (row,) = answer("seven.png", "--method", "gradcam", "--out", "maps.npz")
    assert row["class"] == "7" and row["method"] == "grad_cam" and row["probability"] > 0.9
    network = NetworkRef.parse("run.starter").open()
    image = np.asarray(Image.open("seven.png"))[None, ..., None]
    with np.load("maps.npz") as file:
        np.testing.assert_allclose(
            file["seven.png/grad_cam"], grad_cam(network.model, image, 7)[0], rtol=1e-5, atol=1e-6
        )


def test_one_class_against_another_with_options_and_a_layer():
    rows = answer(
        *("seven.png", "--method", "Grad-CAM", "--method", "smoothgrad", "--class", "7"),
        *("--against", "1", "--layer", "block1_conv1", "--set", "samples=5"),
        *("--out", "maps.npz", "--out", "rows.csv", "--out", "maps.png"),
    )
    assert [row["method"] for row in rows] == ["grad_cam", "smoothgrad"]
    network = NetworkRef.parse("run.starter").open()
    image = np.asarray(Image.open("seven.png"))[None, ..., None]
    expected = grad_cam(network.model, image, contrast(7, 1), layer="block1_conv1")[0]
    with np.load("maps.npz") as file:
        np.testing.assert_allclose(file["seven.png/grad_cam"], expected, rtol=1e-5, atol=1e-6)
    with open("rows.csv", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [(row["class"], row["against"]) for row in written] == [("7", "1")] * 2
    with Image.open("maps.png") as grid:
        width, height = grid.size
    assert width > 3 * 224 and height > 224


def test_what_cannot_be_read_or_explained_is_reported_and_the_rest_goes_on(folder):
    (folder / "text.png").write_text("no image")
    result = call("text.png", "seven.png", "--method", "grad_cam", "--layer", "nowhere", "--json")
    assert result.exit_code == 1
    unread, failed = json.loads(result.stdout)
    assert unread["error"] and "nowhere" in failed["error"]
    result = call("seven.png", "--method", "occlusion", "--set", "stride=99", "--method", "rise")
    assert result.exit_code == 1 and "`stride` 1 to `patch`" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--method", "magic"), "integrated_gradients"),
        (("--class", "eight"), "no class 'eight'"),
        (("--set", "samples=5"), "samples"),
        (("--method", "rise", "--set", "masks=many"), "`masks` must be a whole number"),
        (("--method", "rise", "--set", "mask=5"), "Unknown option 'mask'. Did you mean 'masks'?"),
        (("--method", "rise", "--set", "seed=-1"), "`seed` must be a whole number, at least 0"),
        (("nowhere.png",), "cannot be read: No such file"),
        (("--out", "maps.gif"), "must end in .png"),
    ],
)
def test_a_wrong_argument_is_one_sentence(arguments, sentence):
    result = call("seven.png", *arguments)
    assert result.exit_code and sentence in result.output and "Traceback" not in result.output


def test_progress_is_shown_on_standard_error():
    result = call("seven.png", "--method", "rise", "--set", "masks=200", "--json")
    assert json.loads(result.stdout) and "RISE" in result.stderr
