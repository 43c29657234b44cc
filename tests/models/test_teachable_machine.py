"""Teachable Machine's exports give the answers of an independent NumPy run of their weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cnnkit.__main__ import main
from cnnkit.image_io import decode_image
from cnnkit.models import open_uploaded, read_class_names
from cnnkit.predict import example_photos, prepare, softmax
from cnnkit.settings import get_settings
from tests import numpy_networks
from tests.old_files import hdf5_file, teachable_machine, zipped

LABELS = "0 Cat\n1 Dog, small\n2 Nothing\n"


@pytest.fixture
def made(tmp_path) -> Path:
    """A small file of the same form."""
    path = tmp_path / "keras_model.h5"
    path.write_bytes(hdf5_file(*teachable_machine()))
    return path


@pytest.fixture
def real() -> Path:
    """An export that somebody made."""
    folder = get_settings().data_dir
    path = folder and folder / "models" / "teachable_machine" / "keras_model.h5"
    return path if path and path.is_file() else pytest.skip("CNNKIT_DATA_DIR has no such export")


def agrees(path: Path, images: np.ndarray) -> None:
    network = open_uploaded(path, title=path.name)
    expected = numpy_networks.probabilities(path, images / 127.5 - 1)
    np.testing.assert_allclose(softmax(network.logits(images)), expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.01, "the images have different answers"


def test_a_file_of_its_form_gives_the_answers_of_numpy(made):
    agrees(made, np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3)).astype(np.float32))


def test_a_real_export_gives_the_answers_of_numpy(real):
    photos = [decode_image(path.read_bytes()) for path in example_photos(None).values()]
    images = [prepare(photo, (224, 224, 3)) for photo in photos]
    noise = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    agrees(real, np.concatenate([images, noise]).astype(np.float32))


def test_it_is_one_flat_graph_with_the_names_of_the_file_and_takes_pixels(made):
    network = open_uploaded(made, title="keras_model.h5", class_names=["cat"])
    assert [layer.name for layer in network.model.layers] == [
        *("image", "rescaling", "Conv1_pad", "Conv1", "bn_Conv1", "Conv1_relu"),
        *("expanded_conv_depthwise", "expanded_conv_depthwise_BN", "add"),
        "global_average_pooling2d_GlobalAveragePooling2D1",
        *("dense_Dense1", "dense_Dense2"),
    ]
    assert network.card.class_names == ("cat", "class 1", "class 2")
    assert network.model.get_layer("rescaling").get_config()["offset"] == -1.0


def test_a_zip_with_its_labels_names_the_classes(made):
    data = zipped({"my/keras_model.h5": made.read_bytes(), "my/labels.txt": LABELS})
    network = open_uploaded(data, title="converted_keras.zip")
    assert network.card.class_names == ("Cat", "Dog, small", "Nothing")


def test_predict_on_the_command_line_names_the_classes_and_takes_other_pixels(made, tmp_path):
    labels, image = tmp_path / "labels.txt", tmp_path / "image.png"
    labels.write_text(LABELS)
    pixels = np.random.default_rng(2).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(image)
    for name, prepared in (("", pixels / 127.5 - 1), ("zero_to_one", pixels / 255)):
        options = ["--preprocessing", name] if name else []
        arguments = ["predict", str(image), "--model", str(made), "--labels", str(labels)]
        result = CliRunner().invoke(main, [*arguments, *options, "--json"])
        assert result.exit_code == 0, result.output
        answer = {one["index"]: one for one in json.loads(result.output)[0]["predictions"]}
        (expected,) = numpy_networks.probabilities(made, prepared[None])
        for index, probability in enumerate(expected):
            assert answer[index]["probability"] == pytest.approx(probability, abs=1e-4)
        assert answer[1]["class"] == "Dog, small"


def test_converted_it_opens_with_plain_keras_in_another_interpreter(made, tmp_path):
    labels, out = tmp_path / "labels.txt", tmp_path / "model.keras"
    labels.write_text(LABELS)
    arguments = ["convert", str(made), "--labels", str(labels), "--out", str(out), "--json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.output)
    assert answer["class_names"] == ["Cat", "Dog, small", "Nothing"]
    assert answer["preprocessing"] == "minus_one_to_one" and "Teachable Machine" in answer["known"]
    assert read_class_names((tmp_path / "model.labels.txt").read_bytes()) == tuple(
        answer["class_names"]
    )
    images = np.random.default_rng(1).integers(0, 256, (3, 16, 16, 3)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, keras, numpy as np\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "answers = keras.ops.softmax(model.predict(np.load(sys.argv[2]), verbose=0))\n"
        "assert not any(name.startswith('cnnkit') for name in sys.modules)\n"
        "np.save(sys.argv[3], answers)\n"
    )
    files = [str(tmp_path / name) for name in ("model.keras", "images.npy", "answers.npy")]
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-P", "-c", code, *files], check=True, env=elsewhere, cwd="/")
    expected = numpy_networks.probabilities(made, images / 127.5 - 1)
    np.testing.assert_allclose(np.load(tmp_path / "answers.npy"), expected, atol=1e-4)
