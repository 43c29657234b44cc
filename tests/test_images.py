import io

import numpy as np
import pytest
from PIL import Image

from cnnkit.errors import InvalidImageError
from cnnkit.images import MAX_BYTES, decode_image

GRADIENT = np.uint8(np.add.outer(np.arange(40) * 3, np.arange(60) * 2))


def saved(picture: Image.Image, form: str, **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "TIFF", "WEBP", "JPEG"])
def test_every_format_gives_the_same_picture(form):
    options = {"lossless": True} if form == "WEBP" else {}
    array = decode_image(saved(Image.fromarray(GRADIENT), form, **options), channels=1)
    assert array.shape == (40, 60, 1) and array.dtype == np.uint8
    assert np.abs(array[..., 0].astype(int) - GRADIENT).max() <= (6 if form == "JPEG" else 0)


def test_a_colour_picture_has_three_channels():
    red = decode_image(saved(Image.new("RGB", (5, 4), (255, 0, 0)), "PNG"))
    assert red.shape == (4, 5, 3)
    assert tuple(red[0, 0]) == (255, 0, 0)


def test_what_is_transparent_becomes_white():
    picture = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    picture.putpixel((1, 1), (0, 0, 0, 255))
    array = decode_image(saved(picture, "PNG"), channels=1)
    assert array[0, 0, 0] == 255
    assert array[1, 1, 0] == 0


def test_a_transparent_colour_of_a_palette_becomes_white():
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([0, 0, 0, 200, 0, 0])
    array = decode_image(saved(picture, "PNG", transparency=0), channels=1)
    assert (array == 255).all()


def test_sixteen_bits_keep_their_shades():
    deep = Image.fromarray(np.uint16(GRADIENT.astype(np.uint32) * 257))
    array = decode_image(saved(deep, "PNG"), channels=1)
    assert np.abs(array[..., 0].astype(int) - GRADIENT).max() <= 1


def test_a_photo_taken_sideways_is_turned_upright():
    picture = Image.fromarray(GRADIENT)
    exif = Image.Exif()
    exif[0x0112] = 6  # held turned by 90°
    array = decode_image(saved(picture, "PNG", exif=exif), channels=1)
    assert array.shape == (60, 40, 1)
    assert np.array_equal(array[..., 0], np.rot90(GRADIENT, -1))


def test_a_large_photo_is_made_smaller():
    array = decode_image(saved(Image.new("L", (3000, 1000)), "JPEG"), longest_side=600)
    assert array.shape == (200, 600, 3)


def test_too_many_pixels_are_refused_before_they_are_decoded():
    with pytest.raises(InvalidImageError, match="million"):
        decode_image(saved(Image.new("1", (20_000, 20_000)), "PNG"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 not a picture", "not a picture"),
        (b"\0" * (MAX_BYTES + 1), "MB"),
        (saved(Image.fromarray(GRADIENT), "PNG")[:60], "damaged"),
        (saved(Image.fromarray(np.tile(GRADIENT, (9, 9))), "JPEG")[:900], "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 40, "not a picture|damaged"),
    ],
    ids=["empty", "another format", "too large", "half a PNG", "half a JPEG", "a broken header"],
)
def test_what_cannot_be_read_gets_one_clear_sentence(data, words):
    with pytest.raises(InvalidImageError, match=words):
        decode_image(data)
