"""Images of strangers are decoded in children alone, and the costly ones get a sentence."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cnnkit import image_io
from cnnkit.datasets._resizing import squares
from cnnkit.errors import CnnkitError, InvalidImageError
from cnnkit.image_io import decode_image, read_image
from cnnkit.sandbox import MIB
from tests.hostile_files import bitmap_of_runs, jpeg_of_many_scans, large, saved, tiff_of_many_pages

PHOTO = saved(Image.fromarray(np.uint8(np.arange(300 * 400) % 251).reshape(300, 400)), "PNG")

# Modules that decode image files of our own making -> why they may.
OWN_FILES = {
    "cnnkit/image_decoding.py": "the decoder itself, which runs in children",
    "cnnkit/published/mosaics.py": "images that ship with the package",
    "cnnkit/embedding/sample.py": "squares that this program packed",
    "cnnkit/visualize/fooling.py": "what it has just encoded",
}


@pytest.fixture
def no_decoding(monkeypatch):
    """Nothing in this process may decode."""

    def refused(*_args, **_options):
        raise AssertionError("decoded in this process")

    monkeypatch.setattr(Image, "open", refused)


def test_no_door_decodes_in_this_process(no_decoding):
    assert decode_image(PHOTO).shape == (300, 400, 3)
    assert read_image(PHOTO, channels=1).array.shape == (300, 400, 1)
    good, bad = squares([PHOTO, b"text"], 64)
    assert np.shape(good) == (64, 64, 3) and isinstance(bad, CnnkitError)


def test_no_other_module_opens_image_files(root):
    found = {
        path.relative_to(root).as_posix()
        for path in (root / "cnnkit").rglob("*.py")
        if "Image.open(" in path.read_text("utf-8")
    }
    assert found == set(OWN_FILES)


@pytest.mark.parametrize(
    ("make", "limits", "words"),
    [
        (lambda: jpeg_of_many_scans(side=6000), {"seconds": 0.3}, "more than 0.3 s to decode"),
        (lambda: bitmap_of_runs(megabytes=8), {"seconds": 0.3}, "more than 0.3 s to decode"),
        (lambda: large("TIFF", "F", 4000, 3000), {"memory": 60 * MIB}, "more than 60 MB of memory"),
        (lambda: large("WEBP", "RGB", 4000, 3000), {"memory": 140 * MIB}, "than 140 MB of memory"),
    ],
)
def test_what_costs_too_much_gets_a_sentence(make, limits, words, monkeypatch):
    """Smaller files within smaller limits than the real ones, to the same end."""
    monkeypatch.setattr(image_io, "LIMITS", replace(image_io.LIMITS, **limits))
    with pytest.raises(InvalidImageError, match=words):
        read_image(make())
    assert read_image(PHOTO).array.shape == (300, 400, 3), "and the next file is read"


def test_pages_are_not_looked_through():
    assert read_image(tiff_of_many_pages()).array.shape == (1, 1, 3)


def test_deep_and_transparent_images_are_shrunk_as_they_were():
    shades = np.uint16(np.linspace(0, 65535, 64 * 48)).reshape(48, 64)
    deep = read_image(saved(Image.fromarray(shades), "PNG"), channels=1, longest_side=32)
    expected = (shades / 257).reshape(24, 2, 32, 2).mean((1, 3))
    assert np.abs(deep.array[..., 0] - expected).max() <= 1
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 31, 64))
    array = decode_image(saved(clear, "PNG"), longest_side=32)
    assert array[5, 5].tolist() == [0, 0, 255] and array[5, 20].tolist() == [255, 255, 255]
    np.testing.assert_allclose(array[5, 15], [127, 127, 255], atol=2)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"array": np.zeros((2, 2, 3), np.float32), "format": "PNG", "notes": ()},
        {"array": np.zeros((9999, 2, 3), np.uint8), "format": "PNG", "notes": ()},
        {"array": b"", "format": "PNG", "notes": ()},
        {"array": np.zeros((2, 2, 3), np.uint8), "format": "PNG", "notes": 3},
    ],
)
def test_what_a_child_answers_is_checked(answer):
    with pytest.raises(InvalidImageError, match="decoder failed"):
        image_io._checked(answer, 3, 2048)


def test_a_single_file_and_one_of_many_give_the_same_image():
    stream = io.BytesIO()
    Image.fromarray(np.uint8(np.random.default_rng(0).integers(0, 256, (90, 256, 3)))).save(
        stream, "PNG"
    )
    (many,) = image_io.read_each(image_io.DECODE, [(stream.getvalue(),)])
    np.testing.assert_array_equal(many["array"], read_image(stream.getvalue()).array)


def test_after_some_costly_files_of_one_person_the_rest_is_refused_unread(monkeypatch):
    monkeypatch.setattr(image_io, "LIMITS", replace(image_io.LIMITS, seconds=0.3))
    monkeypatch.setattr(image_io, "MOST_BREACHES", 1)
    files = [bitmap_of_runs(megabytes=8), *[PHOTO] * 12]
    found = list(image_io.read_each(image_io.DECODE, [(file,) for file in files]))
    assert "more than 0.3 s" in str(found[0])
    assert isinstance(found[1], dict), "it was under way"
    assert "It was not read" in str(found[-1])
