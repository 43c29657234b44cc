"""What a child that reads a stranger's file may use, and how it holds itself to that."""

from __future__ import annotations

import math
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIB = 2**20
TASKS = 4096  # processes and threads of this user at which a child that may start threads cannot


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one call in a child may use.

    Args:
        seconds: of computing.
        wall_seconds: from its beginning to its end; longer, for on a busy machine it waits.
        memory: bytes of address space beyond what the child has at its beginning.
        folder: the only one that it may write to, by its whole path; "": none.
        written: bytes of one file in the folder.
        threads: whether it may start threads, without a folder.
    """

    seconds: float = 5.0
    wall_seconds: float = 30.0
    memory: int = 512 * MIB
    folder: str = ""
    written: int = 0
    threads: bool = False


def confine(limits: Limits, open_files: int) -> None:
    """Hold this process to its limits, for good.

    Args:
        limits: its limits.
        open_files: how many it has open; without a folder to write to, it can open no more.
    """
    files = open_files + (64 if limits.folder else 0)
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_FSIZE, limits.written if limits.folder else 0)
    if space := _address_space():
        _set(resource.RLIMIT_AS, space + limits.memory)
    if limits.folder:
        tempfile.tempdir = limits.folder
    else:  # with one there is TensorFlow, which computes on threads of its own
        _set(resource.RLIMIT_NPROC, TASKS if limits.threads else 0)
    sys.addaudithook(_Watchman(limits.folder))
    _set(resource.RLIMIT_NOFILE, files)


@contextmanager
def timed(limits: Limits) -> Iterator[None]:
    """End this process if the block takes too long: by signals, which no decoder can delay."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime + limits.seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


class _Watchman:
    """Refuses what a reader of files has no business to do, as Python reports it.

    The limits of the system hold for the libraries in C too; this one says at which place in
    Python something was tried, and covers what no limit does, such as deleting files.

    Args:
        folder: the only one that may be written to, and whose process may import; "": none.
    """

    def __init__(self, folder: str):
        self._folder = folder
        self._readable = tuple({str(Path(p).resolve()) for p in (*sys.path, sys.prefix) if p})

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            self._check_open(*arguments)
        elif event.startswith(_PROCESSES) or event in _NETWORK:
            raise PermissionError(f"{event} is not allowed while a stranger's file is read")
        elif event in _CHANGES:
            self._check_changed(event, arguments)

    def _check_open(self, path: Any, mode: str | None, flags: int) -> None:
        if isinstance(path, int):  # a file that is open already
            return
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        name = os.path.abspath(os.fsdecode(path))
        if self._inside(name) or (self._folder and not writes and name.startswith(self._readable)):
            return
        raise PermissionError(f"opening {name} is not allowed while a stranger's file is read")

    def _check_changed(self, event: str, arguments: tuple[Any, ...]) -> None:
        for path in arguments:
            if isinstance(path, str | bytes | os.PathLike):
                name = os.path.abspath(os.fsdecode(path))
                if not self._inside(name):
                    raise PermissionError(f"{event} of {name} is not allowed")

    def _inside(self, name: str) -> bool:
        return bool(self._folder) and f"{name}/".startswith(f"{self._folder}/")


def _set(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _address_space() -> int:
    """Bytes that this process has mapped; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[0]
    except FileNotFoundError:
        return 0
    return int(pages) * resource.getpagesize()


# Events of `sys.audit`.
_PROCESSES = (
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.",
)
_NETWORK = ("socket.__new__", "socket.bind", "socket.connect", "socket.getaddrinfo")
_CHANGES = (
    *("os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir"),
    *("os.setxattr", "os.symlink", "os.truncate", "os.utime", "shutil.rmtree", "shutil.move"),
)
