"""Where images come from: a folder or a ZIP archive, neither of them trusted.

Nothing is unpacked to disk. Files are read one by one when their turn comes, those of an archive in
children alone (`archives`), and a name serves only to be read by people and to tell the class.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from cnnkit import sandbox
from cnnkit.datasets._resizing import squares, squares_of
from cnnkit.datasets.folders.names import Labels, clean
from cnnkit.datasets.folders.report import Notebook
from cnnkit.datasets.folders.tables import labels_from
from cnnkit.errors import InvalidImageError, InvalidImagesError, LimitError
from cnnkit.image_io import MAX_BYTES
from cnnkit.sandbox import FIRST_FILE, MIB, BreachError, Limits

MOST_FILES = 200_000
LIST_LIMITS = Limits(seconds=15, wall_seconds=90, memory=768 * MIB)  # 200,000 names take long
TABLE_LIMITS = Limits()
ARCHIVES = "cnnkit.datasets.folders.archives"  # what children call
SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin"}
PACKED = {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"}
TABLES = {".csv", ".tsv"}


@dataclass(frozen=True)
class Member:
    """A file that may be an image or a table.

    Args:
        path: folders and name, cleaned; for people, for classes, never opened.
        handle: by which its source reads it.
        bytes: unpacked.
    """

    path: tuple[str, ...]
    handle: Any
    bytes: int

    @property
    def name(self) -> str:
        """The path in one string."""
        return "/".join(self.path)

    @property
    def suffix(self) -> str:
        """The end of the name from its last dot, in small letters."""
        return Path(self.path[-1]).suffix.lower()


class HasSquares(Protocol):
    """What holds images."""

    def squares(
        self, members: Sequence[Member], side: int
    ) -> Iterator[np.ndarray | InvalidImageError]:
        """Images, in their order, or why one cannot be read: see `_resizing.squares`."""
        ...


class Source(HasSquares, Protocol):
    """What holds files."""

    name: str
    members: list[Member]

    def labels(self, table: Member, paths: Sequence[tuple[str, ...]]) -> Labels:
        """The class of each image by a table."""
        ...


@contextmanager
def opened(source: Path | str | IO[bytes], name: str | None, notes: Notebook) -> Iterator[Source]:
    """The files of a folder or a ZIP archive that may be looked at; the others are noted.

    Args:
        source: folder, file, or an open file.
        name: for people; None: the file's.
        notes: gets what is left out.

    Raises:
        InvalidImagesError: it is neither, or is damaged.
        LimitError: it is more than can be right.
    """
    if isinstance(source, Path | str):
        path = _path(source)
        name = name or path.name or "images"
        if path.is_dir():
            yield FolderSource(path, name, notes)
            return
        try:
            file = path.open("rb")
        except OSError as error:
            raise InvalidImagesError(f"{path} cannot be read: {error.strerror}.") from error
        with file:
            yield ZipSource(file.fileno(), name, notes)
    else:
        with _with_descriptor(source) as file:
            yield ZipSource(file, name or str(getattr(source, "name", "images")), notes)


def _path(source: Path | str) -> Path:
    try:
        path = Path(source).expanduser()
        if str(source) and "\0" not in str(path):
            path.is_dir()
            return path
    except (OSError, RuntimeError):  # too long; of a person whom the system does not know
        pass
    raise InvalidImagesError(f"{str(source)[:80]!r} is no path to a folder or file.")


@contextmanager
def _with_descriptor(source: IO[bytes]) -> Iterator[int]:
    """A descriptor of an open file, or of a copy of one that is in memory alone."""
    try:
        yield source.fileno()
        return
    except (AttributeError, io.UnsupportedOperation):
        pass
    with tempfile.TemporaryFile() as copy:
        source.seek(0)
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield copy.fileno()


class FolderSource:
    """A folder with all that lies in it. Links are not followed.

    Args:
        folder: to look through.
        name: for people.
        notes: gets what is left out.
    """

    def __init__(self, folder: Path, name: str, notes: Notebook):
        """Look through it."""
        self.name = name
        self.members: list[Member] = []
        for entry in _entries(folder):
            self._take(entry, Path(entry.path).relative_to(folder), notes)

    def squares(
        self, members: Sequence[Member], side: int
    ) -> Iterator[np.ndarray | InvalidImageError]:
        """Images, or why one cannot be read."""
        return squares(map(_read, members), side)

    def labels(self, table: Member, paths: Sequence[tuple[str, ...]]) -> Labels:
        """The class of each image by a table."""
        data = _read(table)
        if isinstance(data, InvalidImageError):
            return _no_labels(len(paths))
        function = "cnnkit.datasets.folders.tables:labels_of_table"
        return _labels(function, data, paths, table)

    def _take(self, entry: os.DirEntry, path: Path, notes: Notebook) -> None:
        parts = tuple(map(clean, path.parts))
        if is_system(path.parts):
            notes.system_files += 1
        elif entry.is_symlink():
            notes.leave_out("/".join(parts), "link", "A link to another file is not followed.")
        elif entry.is_file(follow_symlinks=False):
            size = entry.stat(follow_symlinks=False).st_size
            sort_in(self.members, Member(parts, entry.path, size), notes)


class ZipSource:
    """A ZIP archive that children read.

    Args:
        file: descriptor of it.
        name: for people.
        notes: gets what is left out.

    Raises:
        InvalidImagesError: it is none, or a damaged one.
        LimitError: it is more than can be right.
    """

    def __init__(self, file: int, name: str, notes: Notebook):
        """Have it listed."""
        self.name = name
        self._file = file
        try:
            found = sandbox.files.call(
                f"{ARCHIVES}:list_archive", FIRST_FILE, name, limits=LIST_LIMITS, read=[file]
            )
            self.members = [
                Member(tuple(map(str, path)), int(number), int(size))
                for path, number, size in found["members"]
            ]
            for one in found["left_out"]:
                notes.leave_out(*map(str, one))
            notes.system_files += int(found["system_files"])
        except (InvalidImagesError, LimitError):
            raise
        except (BreachError, TypeError, KeyError, ValueError) as error:
            raise InvalidImagesError(
                f"{name} cannot be looked through: {_why(error)} Pack a folder with one folder for "
                "each class as a ZIP, and try again."
            ) from error

    def squares(
        self, members: Sequence[Member], side: int
    ) -> Iterator[np.ndarray | InvalidImageError]:
        """Images, or why one cannot be read."""
        calls = ((FIRST_FILE, member.handle, side) for member in members)
        return squares_of(f"{ARCHIVES}:square_of_member", calls, side, read=[self._file])

    def labels(self, table: Member, paths: Sequence[tuple[str, ...]]) -> Labels:
        """The class of each image by a table."""
        function = f"{ARCHIVES}:labels_of_member"
        return _labels(function, FIRST_FILE, table.handle, paths, table, read=[self._file])


def _labels(function: str, *arguments: Any, read: Sequence[int] = ()) -> Labels:
    """The class of each image by a table that a child reads."""
    *file, paths, table = arguments
    try:
        found = sandbox.files.call(
            function, *file, paths, table.path[:-1], limits=TABLE_LIMITS, read=read
        )
        return labels_from(found, len(paths))
    except BreachError as breach:
        labels = _no_labels(len(paths))
        labels.notes.append(f"The table {table.name} was left out. {breach}")
        return labels
    except InvalidImageError:
        return _no_labels(len(paths))


def _no_labels(count: int) -> Labels:
    return Labels([None] * count, dict.fromkeys(range(count), "No row names it."))


def _read(member: Member) -> bytes | InvalidImageError:
    try:
        with Path(member.handle).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        return InvalidImageError(f"The file cannot be read: {error.strerror}.")


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, BreachError) else str(BreachError("crash"))


def _entries(folder: Path) -> Iterator[os.DirEntry]:
    """Everything in a folder that is no folder, in an order that does not change."""
    count, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            raise InvalidImagesError(f"{folder} cannot be read: {error.strerror}.") from error
        for entry in entries:
            count += 1
            if count > MOST_FILES:
                raise too_many(folder.name)
            if entry.is_dir(follow_symlinks=False):
                if not is_system((entry.name,)):
                    waiting.append(entry.path)
            else:
                yield entry


def sort_in(members: list[Member], member: Member, notes: Notebook) -> None:
    """Add a file to those that are looked at, or note why it is left out."""
    if member.suffix in PACKED:
        notes.leave_out(
            member.name, "archive", "Archives within are not opened: unpack it, and pack all again."
        )
    elif member.bytes > MAX_BYTES:
        notes.leave_out(
            member.name,
            "large",
            f"It has {member.bytes / 2**20:,.0f} MB; at most {MAX_BYTES // 2**20} can be read.",
        )
    else:
        members.append(member)


def is_system(parts: tuple[str, ...] | list[str]) -> bool:
    """Whether an operating system has written the file for itself."""
    return any(part.startswith(".") or part.lower() in SYSTEM_FILES for part in parts)


def too_many(name: str) -> LimitError:
    """Of a source with more files than are looked at."""
    return LimitError(f"{name} holds more than {MOST_FILES:,} files, the most that are looked at.")
