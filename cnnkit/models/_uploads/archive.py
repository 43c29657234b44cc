"""The file of an uploaded network, taken apart: its description, and where its weights are.

A `.keras` file is an archive of two or three known members of bounded size. Keras's older HDF5
files take the door beside it, `legacy.py`, and archives that hold a network and the names of its
classes the one in `package.py`.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cnnkit.errors import InvalidModelError, UnsafeModelError
from cnnkit.models._uploads.legacy import BEGINS, unpack_legacy
from cnnkit.models._uploads.parts import Unpacked
from cnnkit.models.litert import is_litert

if TYPE_CHECKING:
    from cnnkit.models._uploads import UploadLimits

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MEMBERS = (CONFIG, METADATA, WEIGHTS)
Opened = Path | str | bytes | int  # a file, what is in it, or a descriptor of it
EXPANSION = 200  # times its packed size; weights hardly shrink, and text by ten or twenty
DIRECTORY_BYTES = 4096  # three entries have some hundred
PACKAGE_DIRECTORY_BYTES = 2**17  # a network for the web may have hundreds of shards
TAIL_BYTES = 2**16 + 22  # the end record and the longest comment
ZIP64 = b"PK\x06\x07"
READ = (
    "Read are .keras files, .h5 files of Keras 1 to 3, LiteRT files (.tflite), and ZIP files with "
    "one of these and the names of its classes, or with a TensorFlow.js layers model."
)


def unpack(source: Opened, limits: UploadLimits, folder: Path) -> Unpacked:
    """Check the file and take out what describes the network, and its weights.

    Args:
        source: the file, a descriptor of it, or what is in it.
        limits: of the file and of its parts.
        folder: gets the weights.

    Raises:
        InvalidModelError, UnsafeModelError: see `open_uploaded_model`.
    """
    with _opened(source) as file:
        return unpack_file(file, limits, folder)


def unpack_file(
    file: IO[bytes], limits: UploadLimits, folder: Path, *, packages: bool = True
) -> Unpacked:
    """`unpack`, of an open file.

    Args:
        file: at any place.
        limits: see `unpack`.
        folder: see `unpack`.
        packages: whether it may be an archive that holds a network's file.
    """
    from cnnkit.models._uploads.package import unpack_package

    size = _check_size(file, limits)
    if file.read(len(BEGINS)) == BEGINS:
        return unpack_legacy(file, limits, folder)
    directory = _check_directory(file, size)
    with zipfile.ZipFile(file) as archive:
        if packages and CONFIG not in archive.namelist():
            return unpack_package(archive, limits, folder)
        if directory > DIRECTORY_BYTES:
            raise _too_many()
        return _unpack_keras(archive, limits, folder)


def _unpack_keras(archive: zipfile.ZipFile, limits: UploadLimits, folder: Path) -> Unpacked:
    members = {info.filename: info for info in _members(archive)}
    check_member(members[CONFIG], limits.config_bytes)
    check_member(members[WEIGHTS], limits.weights_bytes)
    weights = folder / WEIGHTS
    with archive.open(members[WEIGHTS]) as packed, weights.open("wb") as out:
        copy_member(packed, out, limits.weights_bytes)
    text = io.BytesIO()
    with archive.open(members[CONFIG]) as packed:
        copy_member(packed, text, limits.config_bytes)
    return Unpacked(text.getvalue(), weights)


def read_litert(source: Opened, limits: UploadLimits) -> tuple[bytes, tuple[str, ...]] | None:
    """A LiteRT file and the names that came with it; None: it is a file of another kind.

    Raises:
        InvalidModelError, UnsafeModelError: it is damaged or too large.
    """
    from cnnkit.models._uploads.package import litert_member

    with _opened(source) as file:
        size = _check_size(file, limits)
        beginning = file.read(8)
        file.seek(0)
        if is_litert(beginning):
            return file.read(), ()
        if not beginning.startswith(b"PK"):
            return None
        _check_directory(file, size)
        with zipfile.ZipFile(file) as archive:
            return litert_member(archive, limits)


def is_legacy(source: Opened) -> bool:
    """Whether it is an HDF5 file, by its first bytes."""
    with _opened(source) as file:
        return file.read(len(BEGINS)) == BEGINS


def _opened(source: Opened) -> IO[bytes]:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if isinstance(source, int):
        file = os.fdopen(source, "rb", closefd=False)
        file.seek(0)
        return file
    try:
        return Path(source).open("rb")
    except (OSError, ValueError) as error:  # a name with a zero byte, among others
        why = getattr(error, "strerror", None) or error
        raise InvalidModelError(f"{source} cannot be read: {why}.") from error


def _check_size(file: IO[bytes], limits: UploadLimits) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size == 0:
        raise InvalidModelError("The file is empty.")
    if size > limits.file_bytes:
        raise UnsafeModelError(
            f"The file has {size / 2**20:,.0f} MiB; at most {limits.file_bytes / 2**20:,.0f} are "
            "opened. A network saved without its optimizer has a third of the size."
        )
    return size


def _check_directory(file: IO[bytes], size: int) -> int:
    """Refuse a list of thousands of members before `zipfile` reads it; its bytes."""
    start = max(0, size - TAIL_BYTES)
    file.seek(start)
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise InvalidModelError(f"The file is no network that can be read. {READ}")
    directory = int.from_bytes(tail[end + 12 : end + 16], "little")
    # A record of 64 bits would be believed instead; no archive of this size needs one.
    if directory > PACKAGE_DIRECTORY_BYTES or tail[max(0, end - 20) : end].startswith(ZIP64):
        raise _too_many()
    file.seek(0)
    return directory


def _too_many() -> UnsafeModelError:
    return UnsafeModelError(
        f"The archive lists more than the members of a .keras file: {', '.join(MEMBERS)}."
    )


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    names = [info.filename for info in members]
    for info in members:
        if info.filename not in MEMBERS:
            raise UnsafeModelError(
                f"The archive holds {info.filename[:80]!r}; only {', '.join(MEMBERS)} are opened."
            )
        check_packing(info)
    if len(set(names)) != len(names):
        raise UnsafeModelError("The archive holds two members of the same name.")
    for name in (CONFIG, WEIGHTS):
        if name not in names:
            raise InvalidModelError(f"The archive holds no {name}, so it is no .keras file.")
    return members


def check_packing(info: zipfile.ZipInfo) -> None:
    """Refuse a member that is encrypted, or packed in an unusual way.

    Raises:
        InvalidModelError: see there.
    """
    if info.flag_bits & 1:
        raise InvalidModelError(f"{info.filename} in the archive is encrypted.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InvalidModelError(f"{info.filename} is packed in a way that Keras does not use.")


def check_member(info: zipfile.ZipInfo, limit: int) -> None:
    """Refuse a member that is too large, or grows too much.

    Args:
        info: as the archive lists it.
        limit: bytes, unpacked.

    Raises:
        UnsafeModelError: see there.
    """
    if info.file_size > limit:
        raise UnsafeModelError(
            f"{info.filename} has {info.file_size / 2**20:,.0f} MiB unpacked; at most "
            f"{limit / 2**20:,.0f} are opened."
        )
    if info.file_size > max(2**20, EXPANSION * info.compress_size):
        raise UnsafeModelError(
            f"{info.filename} would grow from {info.compress_size:,} to {info.file_size:,} bytes "
            "when unpacked: that is no network but an attempt to fill the memory."
        )


def copy_member(packed: IO[bytes], out: IO[bytes], limit: int) -> None:
    """Unpack a member, as far as its limit.

    Raises:
        UnsafeModelError: it is larger.
    """
    written = 0
    while block := packed.read(2**20):
        written += len(block)
        if written > limit:  # more than the archive's list said
            raise UnsafeModelError("A member of the archive is larger than the archive says.")
        out.write(block)
