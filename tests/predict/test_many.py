"""Many files in one go, hostile ones among them."""

import io

import numpy as np
import pytest
from PIL import Image

from cnnkit.models import ModelCard, OpenModel, create_model
from cnnkit.predict import many, predict_files, prepare


@pytest.fixture(scope="module")
def network():
    card = ModelCard(
        model="toy_cnn",
        title="Toy CNN",
        class_names=("a", "b", "c"),
        input_shape=(12, 12, 1),
        dataset="toy_patterns",
    )
    return OpenModel(create_model("toy_cnn", initialization="sugomori"), card)


def png(seed: int) -> bytes:
    picture = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def test_every_file_is_answered_in_order_as_if_it_were_alone(network):
    files = [(f"{i}.png", lambda i=i: png(i)) for i in range(40)]
    found = list(predict_files(files, network, batch=8))
    assert [one.name for one in found] == [name for name, _ in files]
    for i, one in enumerate(found):
        picture = np.asarray(Image.open(io.BytesIO(png(i))))
        seen = prepare(picture, (12, 12, 1))
        np.testing.assert_array_equal(one.seen, seen)
        np.testing.assert_allclose(one.logits, network.logits(seen[None])[0], atol=1e-5)


def test_bad_files_are_named_and_the_others_answered(network, tmp_path):
    files = [
        ("good.png", lambda: png(1)),
        ("page.jpg", lambda: b"<!doctype html><title>no</title>"),
        ("empty.png", lambda: b""),
        ("gone.png", (tmp_path / "gone.png").read_bytes),
        ("cut.png", lambda: png(2)[:200]),
        ("also good.png", lambda: png(3)),
    ]
    found = {one.name: one for one in predict_files(files, network)}
    assert [name for name, one in found.items() if one.error is None] == [
        "good.png",
        "also good.png",
    ]
    for name, words in (
        ("page.jpg", "web page"),
        ("empty.png", "empty"),
        ("gone.png", "No such file"),
        ("cut.png", "damaged"),
    ):
        assert words in found[name].error and found[name].logits is None


def test_nothing_is_read_long_before_its_turn(network):
    read = []
    files = [(str(i), lambda i=i: read.append(i) or png(i)) for i in range(100)]
    stream = predict_files(files, network, batch=4)
    next(stream)
    assert len(read) <= 8 + many.READERS
    stream.close()


def test_no_files_no_answers(network):
    assert list(predict_files([], network)) == []
