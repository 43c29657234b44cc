import io
import struct

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnkit.errors import InvalidImageError, NotAnImageError
from cnnkit.image_decoding import decode
from cnnkit.image_formats import format_of
from cnnkit.image_io import MAX_BYTES, decode_image, read_image, resized

pillow_heif.register_heif_opener()
GRADIENT = np.uint8(np.add.outer(np.arange(40) * 3, np.arange(60) * 2))


def saved(image: Image.Image, form: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


FILES = {
    form: saved(Image.fromarray(GRADIENT).convert("P"), form)
    for form in ("PNG", "WEBP", "BMP", "GIF", "TIFF")
}


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "TIFF", "WEBP", "JPEG", "HEIF", "AVIF"])
def test_every_format_gives_the_same_image(form):
    options = {"WEBP": {"lossless": True}, "HEIF": {"quality": 95}, "AVIF": {"quality": 95}}
    data = saved(Image.fromarray(GRADIENT), form, **options.get(form, {}))
    array = decode_image(data, channels=1)
    assert array.shape == (40, 60, 1) and array.dtype == np.uint8
    lossy = form in ("JPEG", "HEIF", "AVIF")
    assert np.abs(array[..., 0].astype(int) - GRADIENT).max() <= (6 if lossy else 0)


def test_a_color_image_has_three_channels():
    red = decode_image(saved(Image.new("RGB", (5, 4), (255, 0, 0)), "PNG"))
    assert red.shape == (4, 5, 3)
    assert tuple(red[0, 0]) == (255, 0, 0)


def test_what_is_transparent_becomes_white():
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.putpixel((1, 1), (0, 0, 0, 255))
    array = decode_image(saved(image, "PNG"), channels=1)
    assert array[0, 0, 0] == 255
    assert array[1, 1, 0] == 0


def test_a_transparent_color_of_a_palette_becomes_white():
    image = Image.new("P", (4, 4), 0)
    image.putpalette([0, 0, 0, 200, 0, 0])
    array = decode_image(saved(image, "PNG", transparency=0), channels=1)
    assert (array == 255).all()


def test_sixteen_bits_keep_their_shades():
    deep = Image.fromarray(np.uint16(GRADIENT.astype(np.uint32) * 257))
    array = decode_image(saved(deep, "PNG"), channels=1)
    assert np.abs(array[..., 0].astype(int) - GRADIENT).max() <= 1


def test_a_photo_taken_sideways_is_turned_upright():
    image = Image.fromarray(GRADIENT)
    exif = Image.Exif()
    exif[0x0112] = 6  # held turned by 90°
    array = decode_image(saved(image, "PNG", exif=exif), channels=1)
    assert array.shape == (60, 40, 1)
    assert np.array_equal(array[..., 0], np.rot90(GRADIENT, -1))


def test_a_large_photo_is_made_smaller():
    array = decode_image(saved(Image.new("L", (3000, 1000)), "JPEG"), longest_side=600)
    assert array.shape == (125, 375, 3), "an eighth"
    array = decode_image(saved(Image.new("L", (3000, 1000)), "PNG"), longest_side=600)
    assert array.shape == (200, 600, 3), "a fifth"


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("size", [(1001, 37), (3, 4099), (2049, 2048)])
def test_a_large_image_keeps_its_proportions_and_at_least_half_of_what_is_allowed(form, size):
    height, width = decode_image(saved(Image.new("RGB", size), form), longest_side=500).shape[:2]
    assert 250 <= max(height, width) <= 500
    times = max(size) / max(height, width)
    assert abs(size[0] / times - width) <= 1 and abs(size[1] / times - height) <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_resized_by_its_longer_side_and_its_shorter_one_keeps_enough(channels):
    def shape(height, width, **options):
        return resized(np.zeros((height, width, channels), np.uint8), 100, **options).shape

    assert shape(400, 200) == (100, 50, channels)
    assert shape(50, 200) == (32, 100, channels)
    assert shape(1000, 10, least=8) == (100, 8, channels)


def test_too_many_pixels_are_refused_before_they_are_decoded():
    with pytest.raises(InvalidImageError, match="million"):
        decode_image(saved(Image.new("1", (20_000, 20_000)), "PNG"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\1\2\3 of no known kind", "not an image"),
        (b"\0" * (MAX_BYTES + 1), "MB"),
        (saved(Image.fromarray(GRADIENT), "PNG")[:60], "damaged"),
        (saved(Image.fromarray(np.tile(GRADIENT, (9, 9))), "JPEG")[:900], "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 40, "not an image|damaged"),
    ],
    ids=["empty", "another format", "too large", "half a PNG", "half a JPEG", "a broken header"],
)
def test_what_cannot_be_read_gets_one_clear_sentence(data, words):
    with pytest.raises(InvalidImageError, match=words):
        decode_image(data)


def frames(form: str) -> bytes:
    pages = [Image.new("RGB", (8, 8), color) for color in ("red", "green", "blue")]
    return saved(pages[0], form, save_all=True, append_images=pages[1:], lossless=True)


def without_palette() -> bytes:
    data = saved(Image.new("P", (4, 4), 0), "PNG")
    start = data.index(b"PLTE") - 4
    size = int.from_bytes(data[start : start + 4], "big")
    return data[:start] + data[start + size + 12 :]


def with_exif(segment: bytes) -> bytes:
    data = saved(Image.fromarray(GRADIENT), "JPEG")
    segment = b"Exif\0\0" + segment
    return data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]


def test_a_palette_that_is_missing_gets_a_sentence():
    with pytest.raises(InvalidImageError, match="damaged"):
        decode_image(without_palette())


@pytest.mark.parametrize(
    "segment",
    [
        b"II*\0\x08\0\0\0\x01\0",
        b"II*\0\x08\0\0\0\xff\xff\x12\x01",
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\0\0\0\x01\0\0\0\x1a\0\0\0\0",
        b"nonsense",
    ],
)
def test_a_damaged_note_of_the_camera_does_not_hide_the_image(segment):
    image = read_image(with_exif(segment), channels=1)
    assert image.array.shape == (40, 60, 1)


def test_a_tiff_of_many_pages_is_read_no_further_than_its_first():
    pages = [Image.new("L", (2, 2)) for _ in range(3)]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    for length in range(8, len(data), 7):
        try:
            assert decode(data[:length], 1)["array"].shape == (2, 2, 1)
        except InvalidImageError as error:
            assert str(error).endswith(".")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_file_with_changed_bytes_is_an_image_or_refused_in_a_sentence(form, data):
    original = bytearray(with_exif(b"II*\0\x08\0\0\0\0\0") if form == "JPEG" else FILES[form])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(original) - 1))
        original[place] = data.draw(st.integers(0, 255))
    try:
        assert decode(bytes(original))["array"].ndim == 3
    except InvalidImageError as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_of_several_frames_the_first_is_taken_and_that_is_said(form):
    image = read_image(frames(form))
    assert image.array[4, 4].argmax() == 0
    assert image.notes == ("It has several frames; the first was taken.",)


def test_printing_colors_become_rgb_and_that_is_said():
    cyan = read_image(saved(Image.new("CMYK", (6, 6), (255, 0, 0, 0)), "JPEG"))
    assert cyan.array.shape == (6, 6, 3) and cyan.array[3, 3, 0] < 60 < cyan.array[3, 3, 2]
    assert any("CMYK" in note for note in cyan.notes)


def test_numbers_with_a_point_are_brought_to_their_own_range():
    values = np.linspace(-2, 3, 12, dtype=np.float32).reshape(3, 4)
    image = read_image(saved(Image.fromarray(values), "TIFF"), channels=1)
    assert image.array.min() == 0 and image.array.max() == 255
    assert "Its values were converted to 8 bits." in image.notes


def test_one_pixel_is_an_image():
    assert read_image(saved(Image.new("RGB", (1, 1), "blue"), "PNG")).array.shape == (1, 1, 3)


def test_a_wrong_ending_does_not_matter_because_the_content_decides():
    assert read_image(saved(Image.new("RGB", (3, 3)), "PNG")).format == "PNG"


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_a_phone_s_photo_is_turned_upright_and_its_first_image_taken(form):
    image = Image.fromarray(np.dstack([GRADIENT] * 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways = read_image(saved(image, form, exif=exif.tobytes(), quality=95))
    assert sideways.array.shape == (60, 40, 3) and sideways.format == form
    turned = np.rot90(GRADIENT, -1).astype(int)
    assert np.abs(sideways.array[..., 0] - turned).mean() < 3
    several = saved(image, form, save_all=True, append_images=[Image.new("RGB", image.size)])
    assert np.abs(read_image(several).array[..., 0] - GRADIENT.astype(int)).mean() < 3


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_half_a_phone_s_photo_gets_a_sentence(form):
    data = saved(Image.fromarray(np.tile(GRADIENT, (9, 9))), form)
    for length in (20, len(data) // 2, len(data) - 40):
        with pytest.raises(InvalidImageError, match=r"\.$"):
            read_image(data[:length])


def tiff(*entries: tuple[int, int, int]) -> bytes:
    """The directory of a TIFF: tag, type and value of each entry."""
    fields = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + fields + bytes(4)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
        (b"8BPS\0\1", "a Photoshop file (PSD)"),
        (b"%PDF-1.7", "a document (PDF)"),
        (b"<?xml version='1.0'?>\n<svg xmlns='x'>", "a drawing (SVG)"),
        (b"<svg>", "a drawing (SVG)"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "a raw photo of a Canon camera (CR3)"),
        (b"II*\0\x10\0\0\0CR\2\0", "a raw photo of a Canon camera (CR2)"),
        (tiff((254, 4, 1), (330, 4, 100)), "a raw photo of a camera (such as NEF or ARW)"),
        (tiff((254, 4, 1), (50706, 1, 1)), "a raw photo (DNG)"),
        (b"\0\0\0\x18ftyphevc\0\0\0\0msf1", "a sequence of images (HEIC)"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isom", "a video (MP4)"),
        (b"PK\3\4", "a ZIP archive"),
    ],
)
def test_a_format_that_is_known_and_not_read_is_called_by_its_name(data, name):
    with pytest.raises(NotAnImageError) as refused:
        read_image(data + bytes(64))
    assert str(refused.value) == f"This is {name}, which is not read here. Save it as JPEG or PNG."


@given(st.sampled_from([b"II*\0", b"MM\0*", b"\0\0\0\x18ftyp", b"RIFF", b"<svg", b""]), st.binary())
def test_no_beginning_of_a_file_confuses_the_names_of_formats(start, rest):
    assert format_of(start + rest) is None or format_of(start + rest).startswith(("a ", "an "))


def test_a_tiff_of_a_program_is_no_raw_photo():
    assert format_of(saved(Image.fromarray(GRADIENT), "TIFF")) is None


def test_text_is_called_text():
    with pytest.raises(InvalidImageError, match="text, perhaps a web page, and not an image"):
        read_image(b"<!doctype html>\n<title>Not found</title>")


def test_a_bomb_is_refused_before_it_is_decoded():
    """30,000 × 30,000 pixels in a few kilobytes: only the header is read."""
    import struct
    import tracemalloc
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1_000_000)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)
    tracemalloc.start()
    with pytest.raises(InvalidImageError, match="million"):
        decode(png + chunk(b"IEND", b""))
    assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    tracemalloc.stop()
