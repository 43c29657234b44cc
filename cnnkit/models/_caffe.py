"""The weights in a `.caffemodel`, the file in which Caffe's users publish a network.

The file is one protobuf message, `NetParameter`. Of its hundreds of fields only those with
names, shapes and numbers are described here; protobuf skips the others.

Reference:
    Jia et al. 2014: Caffe: Convolutional Architecture for Fast Feature Embedding;
    `src/caffe/proto/caffe.proto` of its repository BVLC/caffe
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from cnnkit.errors import CorruptAssetError

LIMIT = 128 * 2**20  # bytes: GoogLeNet's file has 54 MB, and twice as many in float64

_Field = descriptor_pb2.FieldDescriptorProto
_ONE, _MANY = _Field.LABEL_OPTIONAL, _Field.LABEL_REPEATED
_INTEGER, _BYTES, _MESSAGE = _Field.TYPE_INT64, _Field.TYPE_BYTES, _Field.TYPE_MESSAGE

# Message → name, number, label and type of each field; a message's type has its name.
# Packed numbers are read as bytes: the wire format is the same, and NumPy takes them as they
# are, where protobuf would make a Python object of each. Layers are bytes too, so that one at
# a time is opened.
_MESSAGES = {
    "NetParameter": (("layers", 2, _MANY, _BYTES), ("layer", 100, _MANY, _BYTES)),
    "V1LayerParameter": (("name", 4, _ONE, _BYTES), ("blobs", 6, _MANY, "BlobProto")),
    "LayerParameter": (("name", 1, _ONE, _BYTES), ("blobs", 7, _MANY, "BlobProto")),
    "BlobProto": (
        ("num", 1, _ONE, _INTEGER),
        ("channels", 2, _ONE, _INTEGER),
        ("height", 3, _ONE, _INTEGER),
        ("width", 4, _ONE, _INTEGER),
        ("data", 5, _MANY, _BYTES),
        ("shape", 7, _ONE, "BlobShape"),
        ("double_data", 8, _MANY, _BYTES),
    ),
    "BlobShape": (("dim", 1, _MANY, _INTEGER),),
}
_AXES = {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}  # from Caffe's order, in which outputs come first


def _message_classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="cnnkit/caffe.proto", package="cnnkit.caffe", syntax="proto3"
    )
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, label, kind in fields:
            field = described.field.add(name=name, number=number, label=label)
            field.type = _MESSAGE if isinstance(kind, str) else kind
            if isinstance(kind, str):
                field.type_name = f".cnnkit.caffe.{kind}"
    pool = descriptor_pool.DescriptorPool()  # of our own: Caffe's, where installed, is another
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"cnnkit.caffe.{name}"))
        for name in _MESSAGES
    }


_CLASSES = _message_classes()


def read_caffe_arrays(path: Path) -> dict[str, np.ndarray]:
    """The kernels and biases of a Caffe network, in Keras's order of axes.

    Both layouts of such files are read: the first one (`layers`; blobs of four fixed axes)
    and the later one (`layer`; blobs with a `shape`).

    Args:
        path: the `.caffemodel` file, at most `LIMIT` bytes long.

    Returns:
        float32 arrays `<layer>|kernel`, (height, width, in, out) or of a dense layer
        (in, out), and `<layer>|bias`, (out,).

    Raises:
        CorruptAssetError: the file is cut off, or another kind of file, or too large, or a
            layer has other numbers than its shape says.
    """
    size = path.stat().st_size
    if size > LIMIT:
        raise CorruptAssetError(path, f"is {size:,} bytes long; at most {LIMIT:,} are read")
    arrays = {}
    try:
        for name, blobs in _layers(path.read_bytes()):
            if f"{name}|kernel" in arrays:
                raise CorruptAssetError(path, f"has the layer {name!r} twice")
            if len(blobs) > 2:
                raise CorruptAssetError(
                    path, f"has {len(blobs)} arrays in {name!r} instead of a kernel and a bias"
                )
            for kind, blob in zip(("kernel", "bias"), blobs, strict=False):
                arrays[f"{name}|{kind}"] = _array(path, f"{name}|{kind}", blob)
    except (DecodeError, UnicodeDecodeError) as error:
        raise CorruptAssetError(
            path, "cannot be read as a .caffemodel: it is cut off, or another kind of file"
        ) from error
    if not arrays:
        raise CorruptAssetError(path, "holds no weights of a Caffe network")
    return arrays


def _layers(content: bytes) -> Iterator[tuple[str, Sequence[Any]]]:
    """Name and blobs of each layer with weights."""
    net = _CLASSES["NetParameter"].FromString(content)
    for kind, layers in (("V1LayerParameter", net.layers), ("LayerParameter", net.layer)):
        for content in layers:
            layer = _CLASSES[kind].FromString(content)
            if layer.blobs:
                yield layer.name.decode(), layer.blobs


def _array(path: Path, name: str, blob: Any) -> np.ndarray:
    shape = _shape(blob)
    kind, data = ("<f4", blob.data) if blob.data else ("<f8", blob.double_data)
    numbers = b"".join(data)
    sound = len(shape) in _AXES and min(shape) > 0
    if not sound or len(numbers) != math.prod(shape) * np.dtype(kind).itemsize:
        raise CorruptAssetError(
            path, f"has {len(numbers):,} bytes of numbers for {name!r} of shape {shape[:8]}"
        )
    array = np.frombuffer(numbers, kind).reshape(shape).transpose(_AXES[len(shape)])
    return array.astype(np.float32, copy=False)


def _shape(blob: Any) -> tuple[int, ...]:
    """Of a blob; the first layout fills up four axes with ones from the front."""
    if blob.HasField("shape"):
        return tuple(blob.shape.dim)
    axes = [blob.num, blob.channels, blob.height, blob.width]
    while len(axes) > 1 and axes[0] == 1:
        axes.pop(0)
    return tuple(axes)
