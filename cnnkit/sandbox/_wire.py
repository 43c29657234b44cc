"""What passes between a process and the child that reads a stranger's file.

Values are written in MessagePack into memory that both ends share, where a large image passes
in one step however busy the machine is; a few bytes through a socket say that they are there.
They are plain: numbers, texts, bytes, lists, dicts, and arrays of numbers. Nothing in them can
name a class, as a pickle can, for the child may have been taken over by the file that it read.
"""

from __future__ import annotations

import math
import mmap
import os
import socket
import struct
import tempfile
import time
from typing import Any

import msgpack
import numpy as np

SHARED_BYTES = 64 * 2**20  # the most that passes at once; only what is used takes memory
_SIGN = struct.Struct("!Qi")  # bytes to read, or how a child died
_ARRAY = "\0array"  # the one key of the dict that stands for an array
_KINDS = "biuf"  # of data types: numbers and truth values, no objects


class WireError(Exception):
    """What came cannot be read, or is too long; or the other end has gone."""


class DiedError(Exception):
    """The child has died; its exit code, as `subprocess` gives it."""


class Wire:
    """One end: of the process that calls.

    It reads and writes the memory as a file: a child that shrinks it can do no harm here.

    Args:
        channel: to the other end.
        shared: descriptor of the memory.
    """

    def __init__(self, channel: socket.socket, shared: int):
        self.channel = channel
        self._shared = shared

    def send(self, value: Any) -> None:
        """Send a value."""
        packed = pack(value)
        rest = memoryview(packed)
        while rest:
            rest = rest[os.pwrite(self._shared, rest, len(packed) - len(rest)) :]
        self.channel.sendall(_SIGN.pack(len(packed), 0))

    def receive(self, deadline: float = math.inf) -> Any:
        """Receive a value.

        Args:
            deadline: as `time.monotonic` counts, at which a `TimeoutError` is raised.

        Raises:
            WireError: see there.
            DiedError: see there.
            TimeoutError: nothing has come by the deadline.
        """
        length, died = _SIGN.unpack(_exactly(self.channel, deadline))
        if died:
            raise DiedError(died)
        data = bytearray(min(length, SHARED_BYTES))
        if os.preadv(self._shared, [data], 0) < length:
            raise WireError(f"{length:,} bytes are not there")
        return unpack(data)

    def close(self) -> None:
        """Close both."""
        self.channel.close()
        os.close(self._shared)


class ChildWire:
    """The child's end: it writes to the memory without writing to a file, which it may not.

    Args:
        channel: to the other end.
        shared: descriptor of the memory.
    """

    def __init__(self, channel: socket.socket, shared: int):
        self._channel = channel
        self._memory = mmap.mmap(shared, SHARED_BYTES)

    def send(self, value: Any) -> None:
        """Send a value."""
        packed = pack(value)
        self._memory[: len(packed)] = packed
        self._channel.sendall(_SIGN.pack(len(packed), 0))

    def receive(self) -> Any:
        """Receive a value.

        Raises:
            WireError: the other end has gone.
        """
        length, _ = _SIGN.unpack(_exactly(self._channel, math.inf))
        return unpack(self._memory[:length])


def shared_memory() -> int:
    """Descriptor of memory that two processes can share."""
    if hasattr(os, "memfd_create"):
        shared = os.memfd_create("cnnkit-sandbox")
    else:
        with tempfile.TemporaryFile() as file:
            shared = os.dup(file.fileno())
    os.truncate(shared, SHARED_BYTES)
    return shared


def say_died(channel: socket.socket, code: int) -> None:
    """Tell the other end of a child's channel how the child died."""
    channel.sendall(_SIGN.pack(0, code))


def pack(value: Any) -> bytes:
    """A value in bytes.

    Raises:
        WireError: they are too many.
    """
    packed = msgpack.packb(value, default=_plain) or b""
    if len(packed) > SHARED_BYTES:
        raise WireError(f"{len(packed):,} bytes; at most {SHARED_BYTES:,} pass at once")
    return packed


def unpack(data: bytes | bytearray) -> Any:
    """The value in bytes.

    Raises:
        WireError: there is none.
    """
    try:
        return msgpack.unpackb(data, object_hook=_array)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise WireError(str(error)) from error


def _exactly(channel: socket.socket, deadline: float) -> bytes:
    data = b""
    while len(data) < _SIGN.size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        channel.settimeout(None if left == math.inf else left)
        try:
            part = channel.recv(_SIGN.size - len(data))
        except ConnectionError as error:
            raise WireError("the other end has gone") from error
        if not part:
            raise WireError("the other end has gone")
        data += part
    return data


def _plain(value: Any) -> dict[str, Any]:
    if isinstance(value, np.ndarray) and value.dtype.kind in _KINDS:
        flat = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
        return {_ARRAY: [value.dtype.str, list(value.shape), flat.data]}
    raise TypeError(f"{type(value).__name__} does not pass between processes")


def _array(value: dict[Any, Any]) -> Any:
    if _ARRAY not in value:
        return value
    name, shape, data = value[_ARRAY]
    dtype = np.dtype(str(name))
    if dtype.kind not in _KINDS:
        raise ValueError(f"an array of {dtype}")
    return np.frombuffer(data, dtype).reshape(shape)
