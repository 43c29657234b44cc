"""Formats of files that are known and not read as images, by their first bytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

LOOKED_AT = 4096  # bytes in which the beginning of a text is sought
ENTRIES = 200  # of a TIFF directory; cameras write about forty


def format_of(data: bytes) -> str | None:
    """What a file is, with its article: "a Photoshop file (PSD)"; None: none of those listed.

    Args:
        data: the whole file.
    """
    for start, name in _MAGIC:
        if data.startswith(start):
            return name
    return _in_boxes(data) or _in_riff(data) or _raw_photo(data) or _in_text(data) or _inside(data)


def _in_boxes(data: bytes) -> str | None:
    """A file of boxes, as videos and the images that came from their codecs are."""
    if data[4:8] != b"ftyp":
        return None
    if data[8:12] == b"msf1" and b"avis" in data[16 : int.from_bytes(data[:4], "big")]:
        return None  # an animation that Pillow reads
    return _BRANDS.get(data[8:12])


def _in_riff(data: bytes) -> str | None:
    forms = {b"AVI ": "a video (AVI)", b"WAVE": "a sound (WAV)"}
    return forms.get(data[8:12]) if data[:4] == b"RIFF" else None


def _raw_photo(data: bytes) -> str | None:
    """A camera's raw file, whose first directory describes a thumbnail and points to the rest."""
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return None
    if data[8:10] == b"CR":
        return "a raw photo of a Canon camera (CR2)"
    tags = dict(_tags(data))
    if DNG_VERSION in tags:
        return "a raw photo (DNG)"
    if tags.get(SUBFILE_TYPE) == 1 and SUB_DIRECTORIES in tags:
        return "a raw photo of a camera (such as NEF or ARW)"
    return None


def _tags(data: bytes) -> Iterator[tuple[int, int]]:
    """Number and value, or place of the values, of each entry in the first directory of a TIFF."""
    order = "<" if data[:2] == b"II" else ">"
    if len(data) < 10:
        return
    (start,) = struct.unpack_from(order + "I", data, 4)
    if start + 2 > len(data):
        return
    (count,) = struct.unpack_from(order + "H", data, start)
    for number in range(min(count, ENTRIES)):
        place = start + 2 + 12 * number
        if place + 12 > len(data):
            return
        tag, kind = struct.unpack_from(order + "HH", data, place)
        form = "H" if kind == SHORT else "I"
        yield tag, struct.unpack_from(order + form, data, place + 8)[0]


def _in_text(data: bytes) -> str | None:
    beginning = data[:LOOKED_AT].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if beginning.startswith((b"<svg", b"<?xml", b"<!--")) and re.search(rb"<svg[\s>]", beginning):
        return "a drawing (SVG)"
    return None


def _inside(data: bytes) -> str | None:
    return "a medical image (DICOM)" if data[128:132] == b"DICM" else None


# Tags and types of TIFF.
SUBFILE_TYPE, SUB_DIRECTORIES, DNG_VERSION, SHORT = 254, 330, 50706, 3

_MAGIC = (
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"8BPS", "a Photoshop file (PSD)"),
    (b"gimp xcf", "a GIMP file (XCF)"),
    (b"IIU\0", "a raw photo of a Panasonic camera (RW2)"),
    (b"IIRO", "a raw photo of an Olympus camera (ORF)"),
    (b"IIRS", "a raw photo of an Olympus camera (ORF)"),
    (b"FUJIFILMCCD-RAW", "a raw photo of a Fujifilm camera (RAF)"),
    (b"%PDF", "a document (PDF)"),
    (b"%!PS", "a drawing (PostScript)"),
    (b"\xc5\xd0\xd3\xc6", "a drawing (EPS)"),
    (b"\xd7\xcd\xc6\x9a", "a drawing (WMF)"),
    (b"v/1\x01", "an OpenEXR image"),
    (b"#?RADIANCE", "a Radiance image (HDR)"),
    (b"qoif", "a QOI image"),
    (b"DDS ", "a texture (DDS)"),
    (b"icns", "an icon (ICNS)"),
    (b"\0\0\x01\0", "an icon (ICO)"),
    (b"SIMPLE  =", "an astronomical image (FITS)"),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (b"OggS", "a video or a sound (Ogg)"),
    (b"ID3", "a sound (MP3)"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"Rar!", "an archive (RAR)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7-Zip)"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "an array (NumPy)"),
)

# Brand of a file of boxes -> what it is. Those of HEIC and AVIF images are not here.
_BRANDS = {
    b"crx ": "a raw photo of a Canon camera (CR3)",
    **dict.fromkeys((b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"), "a sequence of images (HEIC)"),
    **dict.fromkeys(
        (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV"),
        "a video (MP4)",
    ),
    b"qt  ": "a video (QuickTime)",
    **dict.fromkeys((b"3gp4", b"3gp5", b"3gp6", b"3g2a"), "a video (3GP)"),
}
