"""Runs that nobody works on any more, and checkpoints that cannot be read: for `cnnkit doctor`."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from cnnkit.jobs._controls import Lease
from cnnkit.runs import Run, RunStore

ARCHIVE = b"PK"  # how an .npz begins; the checkpoint of a rehearsal is JSON


def forsaken(run: Run) -> bool:
    """Whether a run calls itself running and nobody works on it.

    Here that is known by its process; elsewhere by its heartbeat, if clocks agree.
    """
    from cnnkit.jobs._slot import is_dead

    heartbeat = run.heartbeat or run.started
    silent_for = (datetime.now(UTC) - heartbeat).total_seconds() if heartbeat else float("inf")
    return is_dead(run, silent_for)


def mark_interrupted(store: RunStore, run: Run) -> None:
    """Write down that a run's process is gone."""
    from cnnkit.jobs._slot import settle

    settle(store, run.id, Lease.parse(run.lease), None)


def checkpoint_problem(path: Path) -> str:
    """Why a checkpoint cannot be read, as the end of a sentence; "": it can.

    TensorFlow is not needed for that: every member of the archive has a checksum.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(ARCHIVE)) != ARCHIVE:
                json.loads(path.read_text("utf-8"))
                return ""
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        return f"is damaged in {damaged}" if damaged else ""
    except FileNotFoundError:
        return ""
    except (ValueError, OSError, zipfile.BadZipFile, NotImplementedError) as error:
        return f"cannot be read ({error})"
