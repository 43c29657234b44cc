"""Many files in one go, hostile ones among them."""

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from cnnkit.image_io import MAX_BYTES, read_image
from cnnkit.models import ModelCard, Predictor, create_model
from cnnkit.predict import predict_files, prepare


@pytest.fixture(scope="module")
def network():
    card = ModelCard(
        model="toy_cnn",
        title="Toy CNN",
        class_names=("a", "b", "c"),
        input_shape=(12, 12, 1),
        dataset="toy_patterns",
    )
    return Predictor(create_model("toy_cnn", initialization="sugomori"), card)


def png(seed: int) -> bytes:
    image = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def test_every_file_is_answered_in_order_as_if_it_were_alone(network):
    files = [(f"{i}.png", lambda i=i: png(i)) for i in range(40)]
    found = list(predict_files(files, network, batch=8))
    assert [one.name for one in found] == [name for name, _ in files]
    for i, one in enumerate(found):
        image = np.asarray(Image.open(io.BytesIO(png(i))))
        seen = prepare(image, (12, 12, 1))
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
    assert len(read) <= 10
    stream.close()


def test_no_files_no_answers(network):
    assert list(predict_files([], network)) == []


@pytest.fixture(scope="module")
def mixed() -> list[tuple[str, bytes]]:
    """200 files: every fifth is damaged, every seventh a web page, every eleventh too large."""
    files = []
    for i in range(200):
        if i % 11 == 10:
            files.append((f"{i} large.png", b"\x89PNG\r\n\x1a\n" + bytes(MAX_BYTES)))
        elif i % 7 == 6:
            files.append((f"{i} page.jpg", b"<!doctype html><title>Not found</title>"))
        elif i % 5 == 4:
            files.append((f"{i} cut.png", png(i)[:200]))
        else:
            files.append((f"{i}.png", png(i)))
    return files


WORDS = {"large": "at most 20", "page": "web page", "cut": "damaged"}


def test_of_two_hundred_files_each_is_answered_or_refused_beside_its_name(network, mixed):
    sources = [(name, lambda data=data: data) for name, data in mixed]
    found = list(predict_files(sources, network))
    assert [one.name for one in found] == [name for name, _ in mixed]
    for one in found:
        kind = one.name.partition(" ")[2].partition(".")[0]
        if kind:
            assert WORDS[kind] in one.error and one.logits is None
        else:
            assert one.error is None and one.logits.shape == (3,)


def test_the_memory_for_many_large_photos_is_that_of_a_few(network):
    """300 photos of 3 MB each when decoded: only the two that are being read may be whole."""
    stream = io.BytesIO()
    Image.new("RGB", (1024, 1024), "teal").save(stream, "JPEG")
    photo = stream.getvalue()
    sources = [(str(i), lambda: photo) for i in range(300)]
    next(predict_files(sources[:1], network))  # what is loaded at first use
    tracemalloc.start()
    try:
        count = sum(one.error is None for one in predict_files(sources, network))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 300
    assert peak < 16 * 2**20, "as NumPy arrays; 900 MB if all were kept"


def test_a_large_photo_gets_the_answer_that_it_gets_alone(network):
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 30, 3), np.uint8)
    Image.fromarray(pixels).resize((3000, 2400)).save(stream, "JPEG")
    (one,) = predict_files([("phone.jpg", stream.getvalue)], network)
    alone = prepare(read_image(stream.getvalue()).array, (12, 12, 1))
    np.testing.assert_array_equal(one.seen, alone)
    exact = prepare(np.asarray(Image.open(stream)), (12, 12, 1))
    difference = np.abs(np.int32(one.seen) - exact)
    assert difference.mean() < 1 and difference.max() <= 4, "of 255, from decoding it smaller"
