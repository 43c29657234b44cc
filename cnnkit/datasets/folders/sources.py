"""Where images come from: a folder or a ZIP archive, neither of them trusted.

Nothing is unpacked to disk. Files are read one by one, into memory, when their turn comes,
and a name serves only to be read by people and to tell the class.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from cnnkit.datasets.folders.names import clean
from cnnkit.datasets.folders.report import Notebook
from cnnkit.errors import InvalidImageError, InvalidImagesError, LimitError
from cnnkit.image_io import MAX_BYTES

MOST_FILES = 200_000
DIRECTORY_BYTES = 64 * 2**20  # of the list at the end of a ZIP, which is read at once
UNPACKED_BYTES = 64 * 2**30
EXPANSION = 200  # times its packed size; photos hardly shrink, drawings by some ten
SMALL = 64 * 2**20  # bytes that may expand as they like
TAIL_BYTES = 2**16 + 22  # the end record and the longest comment
SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin"}
ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"}
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


class Source(Protocol):
    """What holds files."""

    name: str
    members: list[Member]

    def read(self, member: Member) -> bytes:
        """A whole file.

        Raises:
            InvalidImageError: it cannot be read; says why.
        """
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
        path = Path(source).expanduser()
        name = name or path.name or "images"
        if path.is_dir():
            yield FolderSource(path, name, notes)
            return
        try:
            file = path.open("rb")
        except OSError as error:
            raise InvalidImagesError(f"{path} cannot be read: {error.strerror}.") from error
        with file, _archive(file, name) as archive:
            yield ZipSource(archive, name, notes)
    else:
        name = name or str(getattr(source, "name", "images"))
        with _archive(source, name) as archive:
            yield ZipSource(archive, name, notes)


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

    def read(self, member: Member) -> bytes:
        """A whole file."""
        try:
            with Path(member.handle).open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError as error:
            raise InvalidImageError(f"The file cannot be read: {error.strerror}.") from error

    def _take(self, entry: os.DirEntry, path: Path, notes: Notebook) -> None:
        parts = tuple(map(clean, path.parts))
        if _is_system(path.parts):
            notes.system_files += 1
        elif entry.is_symlink():
            notes.leave_out("/".join(parts), "link", "A link to another file is not followed.")
        elif entry.is_file(follow_symlinks=False):
            size = entry.stat(follow_symlinks=False).st_size
            _sort_in(self.members, Member(parts, entry.path, size), notes)


class ZipSource:
    """A ZIP archive that was opened.

    Args:
        archive: the archive.
        name: for people.
        notes: gets what is left out.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str, notes: Notebook):
        """Look through its list."""
        self.name = name
        self.members: list[Member] = []
        self._archive = archive
        infos = archive.infolist()
        if len(infos) > MOST_FILES:
            raise _too_many(name)
        for info in infos:
            if not info.is_dir():
                self._take(info, notes)
        self._check_expansion()

    def read(self, member: Member) -> bytes:
        """A whole file."""
        try:
            with self._archive.open(member.handle) as packed:
                return packed.read(MAX_BYTES + 1)  # never more than the list says
        except _ZIP_ERRORS as error:
            raise InvalidImageError(
                f"The archive is damaged at this file ({error}). Pack it again."
            ) from error

    def _take(self, info: zipfile.ZipInfo, notes: Notebook) -> None:
        written = _readable_name(info).replace("\\", "/")  # as Windows packs
        parts = [part for part in written.split("/") if part not in ("", ".")]
        cleaned = tuple(map(clean, parts))
        shown = clean(written) or "a file without a name"
        kind = stat.S_IFMT(info.external_attr >> 16)
        if not parts or not all(cleaned):
            notes.leave_out(shown, "unsafe", "Its name cannot be written.")
        elif written.startswith("/") or _DRIVE.match(written) or ".." in parts:
            notes.leave_out(shown, "unsafe", "Its path leads out of the archive's folder.")
        elif _is_system(parts):
            notes.system_files += 1
        elif kind not in (0, stat.S_IFREG):
            notes.leave_out(shown, "link", "It is a link or a device, and no file.")
        elif info.flag_bits & 1:
            notes.leave_out(shown, "encrypted", "It is encrypted. Pack it without a password.")
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            notes.leave_out(
                shown, "damaged", "It is packed in a rare way. Use the ordinary ZIP compression."
            )
        else:
            _sort_in(self.members, Member(cleaned, info, info.file_size), notes)

    def _check_expansion(self) -> None:
        packed = sum(member.handle.compress_size for member in self.members)
        whole = sum(member.bytes for member in self.members)
        if whole > UNPACKED_BYTES or whole > max(SMALL, EXPANSION * packed):
            raise LimitError(
                f"{self.name} would grow from {packed / 1e6:,.1f} MB to {whole / 1e6:,.0f} MB when "
                "unpacked, which images do not: it was not opened."
            )


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
                raise _too_many(folder.name)
            if entry.is_dir(follow_symlinks=False):
                if not _is_system((entry.name,)):
                    waiting.append(entry.path)
            else:
                yield entry


def _sort_in(members: list[Member], member: Member, notes: Notebook) -> None:
    if member.suffix in ARCHIVES:
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


def _is_system(parts: tuple[str, ...] | list[str]) -> bool:
    return any(part.startswith(".") or part.lower() in SYSTEM_FILES for part in parts)


def _readable_name(info: zipfile.ZipInfo) -> str:
    """The name; many programs write UTF-8 without the mark that says so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return info.filename


def _too_many(name: str) -> LimitError:
    return LimitError(f"{name} holds more than {MOST_FILES:,} files, the most that are looked at.")


def _archive(file: IO[bytes], name: str) -> zipfile.ZipFile:
    try:
        _check_directory(file, name)
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise _no_zip(name) from error


def _check_directory(file: IO[bytes], name: str) -> None:
    """Refuse an endless list before `zipfile` reads it into memory."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL_BYTES))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise _no_zip(name)
    length = int.from_bytes(tail[end + 12 : end + 16], "little")
    large = tail.rfind(b"PK\x06\x06", 0, end)  # the record of archives beyond 4 GB
    if large >= 0:
        length = max(length % 0xFFFFFFFF, int.from_bytes(tail[large + 40 : large + 48], "little"))
    if length > DIRECTORY_BYTES:
        raise _too_many(name)
    file.seek(0)


def _no_zip(name: str) -> InvalidImagesError:
    return InvalidImagesError(
        f"{name} is no ZIP archive, or a damaged one. Pack a folder with one folder for each class "
        "as a ZIP, and try again."
    )


_DRIVE = re.compile(r"[A-Za-z]:(/|$)")
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
