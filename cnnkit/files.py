"""Files that are never half written, and folders that never grow beyond a limit."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

TEMPORARY = "."  # how the names of unfinished files and folders begin

# Writes files that another machine keeps into a folder: all, or those of some names.
Fetch = Callable[[Path, Collection[str] | None], None]


_DISK_PROBLEMS = {
    errno.ENOSPC: "The disk is full{where}. Free some space, and try again.",
    errno.EDQUOT: "No more may be written to this disk{where}. Free some space, and try again.",
    errno.EROFS: "The disk may only be read{where}. Mount it for writing, or set CNNKIT_HOME to "
    "another folder.",
    errno.EACCES: "This file may not be read or written{where}. Allow the user that runs cnnkit.",
    errno.EIO: "The disk reports an error{where}. Check it, and see `cnnkit doctor`.",
}


def disk_problem(error: OSError) -> str:
    """What is wrong with the disk and what to do, in a sentence; "": it is another error."""
    where = f" ({error.filename})" if error.filename else ""
    return _DISK_PROBLEMS.get(error.errno or 0, "").format(where=where)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which becomes `path` if the block ends without an error.

    Readers see the old file or the new one, whatever happens to the writer.

    Args:
        path: the file to be replaced; its folder is made when needed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}-{path.name}")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file in one step: UTF-8 text or bytes."""
    with replacing(path) as aside:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)


class BoundedFolder:
    """A folder of entries, each a folder, in which the least recently used go first.

    Several processes may share it: an entry appears whole or not at all, and whoever is
    first with a key wins, for equal keys stand for equal contents.

    Args:
        folder: made when needed.
        max_bytes: on disk, of all entries together. Holes in files do not count.
    """

    def __init__(self, folder: Path, max_bytes: int):
        """Touch nothing yet."""
        self.folder = folder
        self.max_bytes = max_bytes

    def path(self, key: str) -> Path:
        """Where an entry is, or would be."""
        return self.folder / key

    def keys(self) -> list[str]:
        """The entries there are, least recently used first."""
        return [entry.name for entry in sorted(self._entries(), key=_last_used)]

    def touch(self, key: str) -> None:
        """Mark an entry as used now. One that another process removed stays away."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.path(key))

    def remove(self, key: str) -> None:
        """Remove an entry, if it is there."""
        shutil.rmtree(self.path(key), ignore_errors=True)

    @contextlib.contextmanager
    def adding(self, key: str) -> Iterator[Path]:
        """Yield a folder to fill, which becomes the entry if the block ends without an error.

        An entry that is there already stays. Nothing is removed to make room: see `shrink`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f"{TEMPORARY}{uuid.uuid4().hex}"
        aside.mkdir()
        try:
            yield aside
            with contextlib.suppress(OSError):  # another process was first
                aside.rename(self.path(key))
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def shrink(self, needed: int = 0, keep: Collection[str] = ()) -> None:
        """Remove the least recently used entries until `needed` bytes more would fit.

        Args:
            needed: bytes that will be added.
            keep: keys that stay.
        """
        sizes = {entry: disk_size(entry) for entry in self._entries()}
        held = needed + sum(sizes.values())
        for entry in sorted(sizes, key=_last_used):
            if held <= self.max_bytes:
                return
            if entry.name not in keep:
                shutil.rmtree(entry, ignore_errors=True)
                held -= sizes[entry]

    def _entries(self) -> list[Path]:
        if not self.folder.exists():
            return []
        return [entry for entry in self.folder.iterdir() if not entry.name.startswith(TEMPORARY)]


def disk_size(path: Path) -> int:
    """Bytes that a file, or the files right inside a folder, take on disk, without holes."""
    files = path.glob("*") if path.is_dir() else [path]
    total = 0
    for file in files:
        with contextlib.suppress(FileNotFoundError):  # another process is removing it
            total += 512 * file.stat().st_blocks
    return total


def folder_bytes(*folders: Path) -> int:
    """Bytes of all files in folders; of one that is not there, 0. One of two names counts once."""
    total, counted = 0, set()
    for path, _, names in itertools.chain.from_iterable(map(os.walk, folders)):
        for name in names:
            try:
                file = os.lstat(os.path.join(path, name))
            except FileNotFoundError:
                continue  # deleted meanwhile
            if file.st_nlink > 1:
                if (file.st_dev, file.st_ino) in counted:
                    continue
                counted.add((file.st_dev, file.st_ino))
            total += file.st_size
    return total


def _last_used(entry: Path) -> float:
    try:
        return entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0
