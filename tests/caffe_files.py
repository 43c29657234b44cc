"""Writes `.caffemodel` files byte by byte, so that no protobuf library checks itself.

Field numbers are those of caffe.proto; the wire format is that of the protobuf documentation.
"""

from __future__ import annotations

import numpy as np

LAYOUTS = ("layers", "layer")  # the fields 2 and 100 of NetParameter


def caffemodel(arrays: dict[str, np.ndarray], layout: str, kind: str = "<f4") -> bytes:
    """A file with arrays as in the `.npz` layout: `<layer>|kernel`, `<layer>|bias`."""
    number, named, blobs = {"layers": (2, 4, 6), "layer": (100, 1, 7)}[layout]
    encode = {"layers": four_axes, "layer": shaped}[layout]
    content = chunk(1, b"a network") + chunk(3, b"data")  # name and input
    content += chunk(number, chunk(named, b"data") + chunk(2, b"Data"))  # without weights
    for layer in dict.fromkeys(name.partition("|")[0] for name in arrays):
        body = chunk(named, layer.encode())
        for part in ("kernel", "bias"):
            if f"{layer}|{part}" in arrays:
                body += chunk(blobs, encode(arrays[f"{layer}|{part}"], kind))
        content += chunk(number, body)
    return content


def four_axes(array: np.ndarray, kind: str = "<f4") -> bytes:
    """A blob of num, channels, height and width, filled up with ones from the front."""
    caffe = outputs_first(array)
    sizes = (1,) * (4 - caffe.ndim) + caffe.shape
    return b"".join(integer(1 + i, size) for i, size in enumerate(sizes)) + data(caffe, kind)


def shaped(array: np.ndarray, kind: str = "<f4") -> bytes:
    """A blob with a BlobShape."""
    caffe = outputs_first(array)
    return data(caffe, kind) + chunk(7, chunk(1, b"".join(map(varint, caffe.shape))))


def data(array: np.ndarray, kind: str) -> bytes:
    return chunk({"<f4": 5, "<f8": 8}[kind], np.ascontiguousarray(array, kind).tobytes())


def outputs_first(array: np.ndarray) -> np.ndarray:
    """(height, width, in, out) → (out, in, height, width), (in, out) → (out, in)."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T


def integer(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def chunk(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as 64 bits of two's complement."""
    value &= 2**64 - 1
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])
