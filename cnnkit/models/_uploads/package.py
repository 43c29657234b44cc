"""A ZIP with a network and what belongs to it: the names of its classes, or the shards of the web.

Teachable Machine's downloads are of this kind, and so is what people pack themselves.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cnnkit.errors import InvalidModelError
from cnnkit.models._uploads.archive import (
    READ,
    check_member,
    check_packing,
    copy_member,
    unpack_file,
)
from cnnkit.models._uploads.parts import Unpacked
from cnnkit.models._uploads.tensorflowjs import read_model_json, write_shards
from cnnkit.models.class_names import LABEL_FILES, METADATA, MOST_BYTES, read_class_names

if TYPE_CHECKING:
    from cnnkit.models._uploads import UploadLimits

SUFFIXES = (".keras", ".h5", ".hdf5")
LITERT = ".tflite"
WEB = "model.json"


def unpack_package(archive: zipfile.ZipFile, limits: UploadLimits, folder: Path) -> Unpacked:
    """Take the one network out of an archive, and the names of its classes.

    Raises:
        InvalidModelError: it holds none or several, or a part of it is missing.
        UnsafeModelError: a member is too large.
    """
    members = {info.filename: info for info in archive.infolist() if _counts(info)}
    networks = [name for name in members if _is_network(name)]
    if len(networks) != 1:
        found = f"{len(networks)} networks, {', '.join(networks)[:120]}" if networks else "none"
        raise InvalidModelError(f"The archive must hold one network. It holds {found}. {READ}")
    (name,) = networks
    unpacked = (
        _web_model(archive, members, name, limits, folder)
        if posixpath.basename(name) == WEB
        else _inner_file(archive, members[name], limits, folder)
    )
    names = _class_names(archive, members.values())
    return Unpacked(unpacked.config, unpacked.weights, names, unpacked.web)


def litert_member(
    archive: zipfile.ZipFile, limits: UploadLimits
) -> tuple[bytes, tuple[str, ...]] | None:
    """The one LiteRT file of an archive and the names with it; None: it holds something else.

    Raises:
        InvalidModelError, UnsafeModelError: it is damaged or too large.
    """
    members = [info for info in archive.infolist() if _counts(info)]
    found = [info for info in members if info.filename.lower().endswith(LITERT)]
    if len(found) != 1 or any(_is_network(info.filename) for info in members):
        return None
    return _bytes(archive, found[0], limits.file_bytes), _class_names(archive, members)


def _counts(info: zipfile.ZipInfo) -> bool:
    """Whether a member is a file of the person's, not of an operating system."""
    parts = info.filename.split("/")
    return not info.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in parts)


def _is_network(name: str) -> bool:
    return posixpath.basename(name) == WEB or name.lower().endswith(SUFFIXES)


def _inner_file(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: UploadLimits, folder: Path
) -> Unpacked:
    check_packing(info)
    check_member(info, limits.file_bytes)
    path = folder / "inner"
    with archive.open(info) as packed, path.open("wb") as out:
        copy_member(packed, out, limits.file_bytes)
    with path.open("rb") as file:
        unpacked = unpack_file(file, limits, folder, packages=False)
    path.unlink()
    return unpacked


def _web_model(
    archive: zipfile.ZipFile,
    members: dict[str, zipfile.ZipInfo],
    name: str,
    limits: UploadLimits,
    folder: Path,
) -> Unpacked:
    web = read_model_json(_bytes(archive, members[name], limits.config_bytes), limits)
    beside = posixpath.dirname(name)

    def open_shard(path: str) -> IO[bytes]:
        # Only a key of the archive's list, so a path that leads elsewhere finds nothing.
        info = members.get(posixpath.join(beside, path))
        if info is None:
            raise InvalidModelError(
                f"The archive lacks {path[:80]!r}, which model.json names as a shard of weights."
            )
        check_packing(info)
        check_member(info, limits.weights_bytes)
        return archive.open(info)

    return Unpacked(web.config, write_shards(web, open_shard, folder), web=web)


def _class_names(archive: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo]) -> tuple[str, ...]:
    """Of the first file of class names; Teachable Machine's JSON has them under "labels"."""
    known = {posixpath.basename(info.filename).lower(): info for info in members}
    for file in LABEL_FILES:
        data = _bytes(archive, known[file], MOST_BYTES) if file in known else b""
        if data and (file != METADATA or b'"labels"' in data):
            return read_class_names(data)
    return ()


def _bytes(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    check_packing(info)
    check_member(info, limit)
    text = io.BytesIO()
    with archive.open(info) as packed:
        copy_member(packed, text, limit)
    return text.getvalue()
