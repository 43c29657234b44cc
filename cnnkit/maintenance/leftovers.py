"""What processes that were killed left behind, and caches beyond their limits."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cnnkit.files import TEMPORARY, BoundedFolder, disk_size
from cnnkit.maintenance.findings import Finding
from cnnkit.settings import Settings

IDLE_SECONDS = 3600.0  # what nobody has written to for so long is nobody's
# In the system's folder for temporary files: TensorFlow's translations of Python functions, ours.
FOREIGN = ("__autograph_generated_file*.py", "cnnkit-upload-*")


def examine_leftovers(settings: Settings, idle: float = IDLE_SECONDS) -> Iterator[Finding]:
    """Half-written files and folders, temporary files, caches beyond their limits.

    Args:
        settings: of the home.
        idle: seconds since somebody wrote to a file, after which it is a leftover.
    """
    for path in _temporaries(settings.home):
        if _idle(path) >= idle:
            yield _leftover(path, "was never finished: its process ended before")
    for pattern in FOREIGN:
        old = [path for path in Path(tempfile.gettempdir()).glob(pattern) if _is_ours(path, idle)]
        if old:
            yield Finding(
                what=f"{len(old):,} temporary files {old[0].parent / pattern} were left by "
                "processes that are gone.",
                advice="`--repair` removes them.",
                repair=lambda old=old: [_remove(path) for path in old],
            )
    yield from _caches(settings)


def _temporaries(home: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(home):
        for name in [name for name in (*names, *files) if name.startswith(TEMPORARY)]:
            yield Path(folder) / name
        names[:] = [name for name in names if not name.startswith(TEMPORARY)]


def _caches(settings: Settings) -> Iterator[Finding]:
    for name in ("results", "features"):
        limit = getattr(settings, f"{name}_memory")
        cache = BoundedFolder(getattr(settings, name), limit)
        held = sum(disk_size(cache.path(key)) for key in cache.keys())
        if held > limit:
            yield Finding(
                what=f"{cache.folder} holds {held / 2**20:,.0f} MB, more than its limit of "
                f"{limit / 2**20:,.0f}.",
                advice="`--repair` removes what was used least recently.",
                repair=cache.shrink,
            )


def _leftover(path: Path, words: str) -> Finding:
    return Finding(
        what=f"{path} {words}.",
        advice="`--repair` removes it.",
        repair=lambda: _remove(path),
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _idle(path: Path) -> float:
    """Seconds since the newest change of a file, or in a folder."""
    newest = 0.0
    for place in (path, *(path.rglob("*") if path.is_dir() else ())):
        try:
            newest = max(newest, place.lstat().st_mtime)
        except FileNotFoundError:
            continue
    return time.time() - newest


def _is_ours(path: Path, idle: float) -> bool:
    try:
        return path.lstat().st_uid == os.getuid() and _idle(path) >= idle
    except FileNotFoundError:
        return False
