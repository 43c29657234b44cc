"""Putting a sound database into the place of a damaged one that a server may have open."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from cnnkit.errors import StorageError
from cnnkit.runs.database import BUSY_SECONDS

# SQLite's file format: the bytes that all its locks lie in, and the two places in the header by
# which a connection sees that somebody else wrote, and that the header's size of the file counts.
LOCKED_FROM, LOCKED_BYTES = 0x40000000, 512
COUNTERS = (slice(24, 28), slice(92, 96))


def replace_content(path: Path, fresh: bytes, kept: Path) -> None:
    """Write a database into the file of another, and keep a copy of that.

    The file stays the same one: a server that has it open goes on in the new content. No
    connection reads or writes meanwhile, and those that are open forget the pages that they hold.

    Args:
        path: a file that is there, which this process has no connection to: closing one would
            end the lock.
        fresh: the content of the new database.
        kept: where the copy goes.

    Raises:
        StorageError: another program kept the file locked.
    """
    with path.open("r+b") as file:
        _lock(file.fileno(), path)
        kept.write_bytes(file.read())
        content, counter = bytearray(fresh), os.urandom(4)
        for place in COUNTERS:
            content[place] = counter
        file.seek(0)
        file.write(content)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _lock(descriptor: int, path: Path) -> None:
    """Lock out every connection until the descriptor is closed."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            flags = fcntl.LOCK_EX | fcntl.LOCK_NB
            return fcntl.lockf(descriptor, flags, LOCKED_BYTES, LOCKED_FROM)
        except OSError as error:
            if time.monotonic() > deadline:
                raise StorageError(
                    f"The record of runs {path} has been in use for {BUSY_SECONDS:.0f} s. Stop the "
                    "app, and repair it again."
                ) from error
            time.sleep(0.05)
