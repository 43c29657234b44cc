"""ZIP archives of strangers, as a child reads them: see `cnnkit.sandbox`.

Nothing is unpacked to disk. A name serves only to be read by people and to tell the class.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import re
import stat
import zipfile
from collections.abc import Sequence
from functools import cache
from typing import IO, Any

import numpy as np

from cnnkit.datasets.folders.names import clean
from cnnkit.datasets.folders.report import Notebook
from cnnkit.datasets.folders.sources import MOST_FILES, Member, is_system, sort_in, too_many
from cnnkit.datasets.folders.tables import labels_of_table
from cnnkit.errors import CnnkitError, InvalidImageError, InvalidImagesError, LimitError
from cnnkit.image_decoding import MAX_BYTES, decode_square
from cnnkit.image_decoding import warm_up as load_decoders

DIRECTORY_BYTES = 64 * 2**20  # of the list at the end of a ZIP, which is read at once
UNPACKED_BYTES = 64 * 2**30
EXPANSION = 200  # times its packed size; photos hardly shrink, drawings by some ten
SMALL = 64 * 2**20  # bytes that may expand as they like
TAIL_BYTES = 2**16 + 22  # the end record and the longest comment


def warm_up() -> None:
    """Load what the functions below need, for a process whose children may open no files."""
    load_decoders()
    for encoding in ("cp437", "utf-8-sig", "utf-16", "cp1252", "latin-1"):
        codecs.lookup(encoding)


def list_archive(file: int, name: str) -> dict[str, Any]:
    """Everything in an archive that may be looked at, and what is left out.

    Args:
        file: descriptor of the archive.
        name: for people.

    Returns:
        "members": path, handle and bytes of each; "left_out" and "system_files" of a `Notebook`.

    Raises:
        InvalidImagesError: it is no archive, or a damaged one.
        LimitError: it is more than can be right.
    """
    notes = Notebook()
    files = ZipFiles(_archive(file, name), name, notes)
    return {
        "members": [[member.path, member.handle, member.bytes] for member in files.members],
        "left_out": [[one.file, one.kind, one.why] for one in notes.left_out],
        "system_files": notes.system_files,
    }


def square_of_member(file: int, number: int, side: int) -> np.ndarray:
    """An image of the archive, as `decode_square` returns it.

    Raises:
        InvalidImageError: it cannot be read; says why.
    """
    return decode_square(_member(file, number), side)


def labels_of_member(
    file: int, number: int, paths: Sequence[Sequence[str]], folder: Sequence[str]
) -> dict[str, Any]:
    """A table of the archive, as `labels_of_table` reads it."""
    return labels_of_table(_member(file, number), paths, folder)


def _member(file: int, number: int) -> bytes:
    archive = _archive(file, "The archive")
    try:
        with archive.open(archive.infolist()[number]) as packed:
            return packed.read(MAX_BYTES + 1)  # never more than the list says
    except MemoryError:
        raise
    # As `_opened`: whatever the bytes of a stranger lead `zipfile` to.
    except Exception as error:
        raise InvalidImageError(
            f"The archive is damaged at this file ({error}). Pack it again."
        ) from error


@cache
def _archive(file: int, name: str) -> zipfile.ZipFile:
    """The archive, opened once in the life of a child."""
    return _opened(io.BufferedReader(_PlacedReader(file)), name)


class _PlacedReader(io.RawIOBase):
    """A file that several children read, each at its own place."""

    def __init__(self, file: int):
        self._file = file
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        ends = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: os.fstat(self._file).st_size}
        place = ends[whence] + offset
        if place < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))  # as files do
        self._place = place
        return place

    def readinto(self, buffer: Any) -> int:
        count = os.preadv(self._file, [buffer], self._place)
        self._place += count
        return count


class ZipFiles:
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
        infos = archive.infolist()
        if len(infos) > MOST_FILES:
            raise too_many(name)
        for number, info in enumerate(infos):
            if not info.filename or not info.is_dir():
                self._take(number, info, notes)
        self._check_expansion(infos)

    def _take(self, number: int, info: zipfile.ZipInfo, notes: Notebook) -> None:
        written = _readable_name(info).replace("\\", "/")  # as Windows packs
        parts = [part for part in written.split("/") if part not in ("", ".")]
        cleaned = tuple(map(clean, parts))
        shown = clean(written) or "a file without a name"
        kind = stat.S_IFMT(info.external_attr >> 16)
        if not parts or not all(cleaned):
            notes.leave_out(shown, "unsafe", "Its name cannot be written.")
        elif written.startswith("/") or _DRIVE.match(written) or ".." in parts:
            notes.leave_out(shown, "unsafe", "Its path leads out of the archive's folder.")
        elif is_system(parts):
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
            sort_in(self.members, Member(cleaned, number, info.file_size), notes)

    def _check_expansion(self, infos: list[zipfile.ZipInfo]) -> None:
        packed = sum(infos[member.handle].compress_size for member in self.members)
        whole = sum(member.bytes for member in self.members)
        if whole > UNPACKED_BYTES or whole > max(SMALL, EXPANSION * packed):
            raise LimitError(
                f"{self.name} would grow from {packed / 1e6:,.1f} MB to {whole / 1e6:,.0f} MB when "
                "unpacked, which images do not: it was not opened."
            )


def _readable_name(info: zipfile.ZipInfo) -> str:
    """The name; many programs write UTF-8 without the mark that says so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return info.filename


def _opened(file: IO[bytes], name: str) -> zipfile.ZipFile:
    try:
        _check_directory(file, name)
        return zipfile.ZipFile(file)
    except (CnnkitError, MemoryError):
        raise
    # `zipfile` raises whatever missing bytes lead to: ValueError of a negative place, IndexError.
    except Exception as error:
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
        raise too_many(name)
    file.seek(0)


def _no_zip(name: str) -> InvalidImagesError:
    return InvalidImagesError(
        f"{name} is no ZIP archive, or a damaged one. Pack a folder with one folder for each class "
        "as a ZIP, and try again."
    )


_DRIVE = re.compile(r"[A-Za-z]:(/|$)")
