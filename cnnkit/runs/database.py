"""The SQLite file of the record, looked at without MLflow, which would try ten times and wait.

What is wrong is said in a sentence before MLflow opens the file; `cnnkit doctor` says more.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

from cnnkit.errors import StorageError
from cnnkit.settings import Settings

BUSY_SECONDS = 15.0  # how long a write waits for other writers
_MAGIC = b"SQLite format 3\0"
_PREFIX = "sqlite:///"
DOCTOR = "`cnnkit doctor` says what can be saved, and `cnnkit doctor --repair` saves it"


def database_file(settings: Settings) -> Path | None:
    """The SQLite file of the record, or None where a server keeps the record."""
    uri = settings.tracking_uri
    return Path(uri.removeprefix(_PREFIX)) if uri.startswith(_PREFIX) else None


def check_database(settings: Settings) -> None:
    """Refuse a record that is damaged, locked, or lost while files of its runs are there.

    Raises:
        StorageError: what is wrong, and what to do.
    """
    path = database_file(settings)
    if path is None:
        return
    problem = _damage_before_opening(settings, path)
    if problem:
        raise StorageError(f"The record of runs {path} {problem}. {DOCTOR}.")
    if not path.exists() or path.stat().st_size == 0:
        _refuse_beside_older_runs(settings, path)
        return
    try:
        with contextlib.closing(connect(path)) as connection:
            connection.execute("begin immediate")
            connection.rollback()
    except sqlite3.Error as error:
        raise StorageError(sentence(str(error), str(path))) from error


def _damage_before_opening(settings: Settings, path: Path) -> str:
    """What `damage` says of a file that this process has not opened yet; of others, nothing.

    Closing any descriptor of a file ends all locks that the process holds on it (POSIX), those of
    SQLite's connections too, and two processes would then write the same pages at once.
    """
    with _LOOKING:
        identity = file_identity(settings)
        if identity in _OPENED:
            return ""
        problem = damage(path)
        if identity and not problem:
            _OPENED.add(identity)
        return problem


_OPENED: set[tuple[int, int]] = set()  # identities of files that connections may be open to
_LOOKING = threading.Lock()


def file_identity(settings: Settings) -> tuple[int, int] | None:
    """What tells the database from another file of its name; None: there is no such file."""
    path = database_file(settings)
    try:
        status = path.stat() if path else None
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status else None


def check_unchanged(settings: Settings, identity: tuple[int, int] | None) -> None:
    """Refuse to write to a file that was removed or replaced since it was opened.

    Raises:
        StorageError: it was; its connections still write to the old file, which is lost.
    """
    if identity and file_identity(settings) != identity:
        raise StorageError(
            f"The record of runs {database_file(settings)} was removed or replaced while it was "
            f"open. Put it back, or restart the app; {DOCTOR}."
        )


def damage(path: Path) -> str:
    """What a look at the file from outside shows, as the end of a sentence; "": nothing.

    A file that is absent or empty is none: it may be the beginning of a record. Never call this
    in a process that may have a connection to the file: see `_damage_before_opening`.
    """
    if path.is_dir():
        return "is a folder where the database should be"
    if not path.exists() or path.stat().st_size == 0:
        return ""
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or not head.startswith(_MAGIC):
        return "is damaged: it does not begin as a SQLite database does"
    size, expected = path.stat().st_size, _expected_size(head)
    if size < expected:
        return f"is damaged: it ends after {size:,} of {expected:,} bytes"
    return ""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a database that exists, which waits for others that write."""
    return sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )


def sentence(error: str, where: str = "") -> str:
    """What to tell a person about an error of the record: what happened, and what to do."""
    record = f"The record of runs {where}".rstrip()
    first = error.strip().splitlines()[0] if error.strip() else "no reason given"
    known = next((words for sign, words in _SIGNS.items() if sign in error), "")
    return f"{record} {known or f'does not answer: {first}'}"


def is_locked(error: Exception) -> bool:
    """Whether another process is writing the SQLite file."""
    return "database is locked" in str(error)


# What SQLite, the system or MLflow says -> the end of a sentence that begins with the record.
_SIGNS = {
    "database is locked": f"has been locked by another program for {BUSY_SECONDS:.0f} s. "
    "Wait, or end the program that has it open, and try again.",
    "malformed": f"is damaged. {DOCTOR}.",
    "not a database": f"is damaged: it is no SQLite database. {DOCTOR}.",
    "no such table": f"is damaged: a table is missing. {DOCTOR}.",
    "is full": "cannot be written, because the disk is full. Free some space, and try again.",
    "No space left": "cannot be written, because the disk is full. Free some space, and try again.",
    "readonly database": "may only be read. Allow the user that runs cnnkit to write it and its "
    "folder.",
    "Read-only file system": "is on a disk that may only be read. Mount it for writing, or set "
    "CNNKIT_HOME to another folder.",
    "unable to open database file": "cannot be opened. Allow the user that runs cnnkit to write "
    "its folder.",
    "disk I/O error": f"cannot be read or written: the disk reports an error. {DOCTOR}.",
}


def _expected_size(head: bytes) -> int:
    """Bytes that a database has, by its header; 0 where an old SQLite did not write it down."""
    page_size = int.from_bytes(head[16:18], "big")
    page_size = 65_536 if page_size == 1 else page_size
    written_by_this_format = head[24:28] == head[92:96]
    return page_size * int.from_bytes(head[28:32], "big") if written_by_this_format else 0


def _refuse_beside_older_runs(settings: Settings, path: Path) -> None:
    folders = [folder.name for folder in settings.artifacts.glob("*/artifacts")]
    if folders and settings.tracking_is_local:
        state = "is empty" if path.exists() else "is missing"
        raise StorageError(
            f"The record of runs {path} {state}, but files of {len(folders):,} earlier runs are in "
            f"{settings.artifacts}. Put the database back from a backup (`cnnkit restore`); "
            f"{DOCTOR}."
        )
