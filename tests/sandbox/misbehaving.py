"""What a taken-over reader of files might do: called in a child by the tests beside this."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from cnnkit.errors import InvalidImageError, UnknownModelError

kept: list[int] = []


def warm_up() -> None:
    """Everything is loaded by the import."""


def warm_up_slowly() -> None:
    """As importing TensorFlow does on a busy machine."""
    time.sleep(1.5)


def double(value):
    return {"double": value * 2}


def how_often() -> int:
    kept.append(1)
    return len(kept)


def compute(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def wait(seconds: float) -> None:
    time.sleep(seconds)


def wait_deaf(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    time.sleep(seconds)


def allocate(size: int) -> None:
    bytearray(size)


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def leave(code: int) -> None:
    os._exit(code)


def read(path: str) -> str:
    return Path(path).read_text()


def read_unseen(path: str) -> int:
    """By the C library, of which Python's audit hooks know nothing."""
    return ctypes.CDLL(None).open(path.encode(), 0)


def write(path: str) -> None:
    Path(path).write_text("x")


def delete(path: str) -> None:
    os.unlink(path)


def connect() -> None:
    socket.create_connection(("127.0.0.1", 9))


def start_process() -> None:
    subprocess.run([sys.executable, "-c", "pass"], check=False)


def fork() -> None:
    os.fork()


def environment() -> dict[str, str]:
    return dict(os.environ)


def raise_foreign() -> None:
    raise KeyError("odd")


def raise_known() -> None:
    raise InvalidImageError("It is no image.")


def raise_unlisted() -> None:
    raise UnknownModelError("x", ["y"])


def an_object() -> object:
    return object()


def size(number: int) -> bytes:
    return bytes(number)


def read_given(number: int) -> bytes:
    return os.pread(number, 100, 0)
