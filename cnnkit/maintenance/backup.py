"""A home, or one run, in one file: a ZIP with a list of its files and their checksums.

Own images, networks, checkpoints and the record are in it; caches are not, for they can be made
again. A backup may come from anywhere, so nothing in it is believed before it was checked.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from cnnkit.errors import StorageError
from cnnkit.files import TEMPORARY, replacing
from cnnkit.maintenance.record import rows_of_run
from cnnkit.maintenance.rows import RUN_TABLES, move_artifacts, opened, write_run
from cnnkit.runs import RunStore
from cnnkit.runs.database import check_database
from cnnkit.settings import Settings

FORMAT = 1
LIST = "backup.json"  # format, what it is of, and file -> SHA-256
DATABASE = "runs.db"
RUN = "run.json"  # rows of a single run
FOLDERS = ("artifacts", "jobs", "images")  # of a home; all else can be made again
MOST_FILES = 1_000_000
CHUNK = 2**20


def back_up(settings: Settings, file: Path, run_id: str | None = None) -> int:
    """Write a home, or one run of it, to a file that must not exist.

    The app may run meanwhile: the record is copied by SQLite's own backup.

    Returns:
        How many files are in it.

    Raises:
        StorageError: the file exists, the record is elsewhere or damaged, the disk is full.
    """
    if file.exists():
        raise StorageError(f"{file} exists; a backup never overwrites. Name another file.")
    if not settings.tracking_is_local:
        raise StorageError(
            "The record of runs is on a server (MLFLOW_TRACKING_URI): back up its database and "
            "artifact store there."
        )
    check_database(settings)
    try:
        with replacing(file) as aside, tempfile.TemporaryDirectory() as folder:
            members = _run_members if run_id else _home_members
            return _write(aside, members(settings, Path(folder), run_id or ""), run_id or "")
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror or error}.") from error


def restore(settings: Settings, file: Path) -> str:
    """Put back what a backup holds: a home where there is none, or a run that is not there.

    Returns:
        What was restored, in words.

    Raises:
        StorageError: it is no backup, or a damaged or hostile one, or would overwrite something.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            listed = _listed(file, archive)
            settings.home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=settings.home, prefix=TEMPORARY) as name:
                _unpack(file, archive, listed["files"], Path(name))
                put_back = _restore_run if listed["run"] else _restore_home
                return put_back(settings, Path(name), listed["run"])
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise StorageError(f"{file} is no backup of cnnkit ({error}).") from error
    except OSError as error:
        raise StorageError(f"{file} cannot be restored: {error.strerror or error}.") from error


def _home_members(settings: Settings, folder: Path, _: str) -> Iterator[tuple[str, Path]]:
    database = settings.home / DATABASE
    if database.exists():
        _copy_database(database, folder / DATABASE)
        yield DATABASE, folder / DATABASE
    for name in FOLDERS:
        yield from _files(settings.home / name, settings.home)


def _run_members(settings: Settings, folder: Path, run_id: str) -> Iterator[tuple[str, Path]]:
    RunStore(settings).get(run_id)
    (folder / RUN).write_text(json.dumps(rows_of_run(settings, run_id)), "utf-8")
    yield RUN, folder / RUN
    for parent in (settings.artifacts, settings.jobs):
        yield from _files(parent / run_id, settings.home)


def _copy_database(source: Path, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(source)) as old:
        with contextlib.closing(sqlite3.connect(target)) as new:
            old.backup(new)


def _files(folder: Path, home: Path) -> Iterator[tuple[str, Path]]:
    for place, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith(TEMPORARY))
        for name in sorted(files):
            path = Path(place) / name
            if not name.startswith(TEMPORARY) and path.suffix != ".lock" and path.is_file():
                yield path.relative_to(home).as_posix(), path


def _write(aside: Path, members: Iterator[tuple[str, Path]], run_id: str) -> int:
    digests: dict[str, str] = {}
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for name, path in members:
            # A file of a running job may go while it is being read.
            with contextlib.suppress(FileNotFoundError), path.open("rb") as source:
                with archive.open(name, "w", force_zip64=True) as target:
                    digests[name] = _copy(source, target)
        facts = {"format": FORMAT, "run": run_id, "made": time.time(), "files": digests}
        archive.writestr(LIST, json.dumps(facts, indent=1))
    return len(digests)


def _listed(file: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    """The list of a backup, if all its members are on it and none leads out."""
    names = archive.namelist()
    if LIST not in names or len(names) > MOST_FILES or archive.getinfo(LIST).file_size > 2**29:
        raise StorageError(f"{file} is no backup of cnnkit: it has no list of its files.")
    try:
        facts = json.loads(archive.read(LIST))
        listed, files = facts["format"] == FORMAT, dict(facts["files"])
        run = str(facts["run"])
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{file} is no backup of cnnkit: its list cannot be read.") from error
    if not listed:
        raise StorageError(f"{file} was made by another version of cnnkit.")
    if sorted(names) != sorted([*files, LIST]) or len(set(names)) != len(names):
        raise StorageError(f"{file} is damaged: its files are not those on its list.")
    for info in archive.infolist():
        if info.filename != LIST and not _is_harmless(info, run):
            raise StorageError(f"{file} is refused: {info.filename!r} is no file of a home.")
    return {"run": run, "files": files}


def _is_harmless(info: zipfile.ZipInfo, run: str) -> bool:
    path = PurePosixPath(info.filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or path.is_absolute() or "\\" in info.filename:
        return False
    if any(part in ("", "..") or part.startswith(TEMPORARY) for part in info.filename.split("/")):
        return False
    if run:
        return info.filename == RUN or path.parts[:2] in (("artifacts", run), ("jobs", run))
    return info.filename == DATABASE or (len(path.parts) > 1 and path.parts[0] in FOLDERS)


def _unpack(file: Path, archive: zipfile.ZipFile, files: dict[str, str], folder: Path) -> None:
    needed = sum(info.file_size for info in archive.infolist())
    if needed > shutil.disk_usage(folder).free:
        raise StorageError(f"{file} needs {needed / 2**20:,.0f} MB, more than the disk has free.")
    for name, digest in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, path.open("xb") as target:
            if _copy(source, target) != digest:
                raise StorageError(f"{file} is damaged: {name} is not what was backed up.")


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()


def _restore_home(settings: Settings, folder: Path, _: str) -> str:
    there = [name for name in (DATABASE, *FOLDERS) if _is_filled(settings.home / name)]
    if there:
        raise StorageError(
            f"{settings.home} already has {' and '.join(there)}; a backup never overwrites. "
            "Set CNNKIT_HOME to a new folder."
        )
    database = folder / DATABASE
    if database.exists():
        _check(database)
        with opened(database) as connection:
            move_artifacts(connection, settings.artifacts)
    for path in sorted(folder.iterdir()):
        place = settings.home / path.name
        if place.is_dir():
            place.rmdir()  # empty, as was seen above
        path.rename(place)
    return f"the home {settings.home}"


def _restore_run(settings: Settings, folder: Path, run_id: str) -> str:
    rows = _checked_rows(folder / RUN, run_id)
    RunStore(settings).list(limit=1)  # makes a new record where there is none
    with opened(settings.home / DATABASE) as connection:
        known = connection.execute("select 1 from runs where run_uuid = ?", [run_id]).fetchone()
        if known or (settings.artifacts / run_id).exists():
            raise StorageError(f"Run {run_id} is already there; a backup never overwrites.")
        for name in ("artifacts", "jobs"):
            if (folder / name).exists():
                (settings.home / name).mkdir(exist_ok=True)
                (folder / name / run_id).rename(settings.home / name / run_id)
        write_run(connection, rows, settings.artifacts)
    return f"run {run_id}"


def _checked_rows(path: Path, run_id: str) -> dict[str, list[dict]]:
    plain = str | int | float | None
    try:
        rows = json.loads(path.read_text("utf-8"))
        sound = len(rows["runs"]) == 1 and all(
            row["run_uuid"] == run_id and all(isinstance(value, plain) for value in row.values())
            for table in RUN_TABLES
            for row in rows.get(table, ())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise StorageError("The backup is damaged: its rows are not those of one run.")
    return rows


def _check(database: Path) -> None:
    try:
        with opened(database) as connection:
            (said,) = connection.execute("pragma integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise StorageError(f"The record of runs in the backup is damaged: {said}.")


def _is_filled(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists() and path.stat().st_size > 0
