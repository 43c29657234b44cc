"""Files that cost their reader far more than their size says; made here, each in a moment."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image


def saved(image: Image.Image, form: str, **options) -> bytes:
    """An image file."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def jpeg_of_many_scans(scans: int = 300, side: int = 3000) -> bytes:
    """A progressive JPEG whose last scan stands there again and again, without a coefficient."""
    data = saved(Image.new("L", (side, side)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]


def tiff_of_many_pages(pages: int = 150_000) -> bytes:
    """A TIFF of pages of one pixel, each a directory that points to the next one."""
    entries = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 1)]
    fields = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    size = 2 + len(fields) + 4
    first = 12
    data = bytearray(b"II*\0" + struct.pack("<I", first) + b"\x80\0\0\0")
    for page in range(pages):
        following = first + size * (page + 1) if page + 1 < pages else 0
        data += struct.pack("<H", len(entries)) + fields + struct.pack("<I", following)
    return bytes(data)


def bitmap_of_runs(megabytes: int = 18, side: int = 7000) -> bytes:
    """A run-length BMP whose runs say one pixel each."""
    body = b"\x01\x00" * (megabytes * 2**19)
    palette = bytes(1024)
    start = 14 + 40 + len(palette)
    header = struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start)
    header += struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(body), 0, 0, 256, 0)
    return header + palette + body


def large(form: str, mode: str, width: int = 7000, height: int = 7000) -> bytes:
    """An image of 49 million pixels."""
    if mode == "I;16":
        return saved(Image.fromarray(np.zeros((height, width), np.uint16)), form)
    if mode in ("I", "F"):
        options = {"compression": "tiff_adobe_deflate"}
        return saved(Image.new(mode, (width, height)), form, **options)
    options = {"lossless": True, "quality": 0, "method": 0} if form == "WEBP" else {}
    return saved(Image.new(mode, (width, height)), form, **options)


# Name of a file -> the function that makes it.
COSTLY = {
    "JPEG of 300 scans": jpeg_of_many_scans,
    "TIFF of 150,000 pages": tiff_of_many_pages,
    "BMP of runs": bitmap_of_runs,
    "PNG of 16 bits": lambda: large("PNG", "I;16"),
    "TIFF of 32 bits": lambda: large("TIFF", "I"),
    "TIFF of floats": lambda: large("TIFF", "F"),
    "WebP": lambda: large("WEBP", "RGB"),
    "transparent PNG": lambda: large("PNG", "RGBA"),
    "PNG of RGB": lambda: large("PNG", "RGB"),
    "PNG palette": lambda: large("PNG", "P"),
}
