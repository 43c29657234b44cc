"""The database of the record: is it sound, and what can be saved of one that is not."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from cnnkit.errors import StorageError
from cnnkit.files import TEMPORARY
from cnnkit.maintenance.findings import Finding
from cnnkit.maintenance.replacing import replace_content
from cnnkit.maintenance.rows import (
    Rows,
    opened,
    read_run,
    readable_rows,
    run_ids,
    write_rows,
    write_run,
)
from cnnkit.runs import RunStore, Status, to_tags
from cnnkit.runs.database import damage, database_file
from cnnkit.settings import Settings

TABLES = ("experiments", "runs", "tags", "params", "metrics", "latest_metrics")
ADVICE = "`cnnkit doctor --repair` keeps a copy of the database and saves what can be read."


def examine_record(settings: Settings) -> list[Finding]:
    """What is wrong with the database; only one that is not damaged can be asked for its runs."""
    path = database_file(settings)
    if path is None or not settings.tracking_is_local:
        return []
    problem = damage(path) or _inner_damage(path, settings)
    if not problem:
        return []
    what = f"The record of runs {path} {problem}."
    return [Finding(what=what, advice=ADVICE, repair=lambda: rebuild(settings))]


def rebuild(settings: Settings) -> Path | None:
    """A sound record from what the damaged one and the files of runs still say.

    Returns:
        The copy of the old database, or None where there was none.
    """
    path = settings.home / "runs.db"
    with tempfile.TemporaryDirectory(dir=settings.home, prefix=TEMPORARY) as name:
        fresh = _fresh_record(Path(name), settings)
        if path.is_file():
            _copy_readable(path, fresh)
        _adopt_files(fresh, settings)
        return _put_in_place(path, fresh.read_bytes())


def _inner_damage(path: Path, settings: Settings) -> str:
    """What SQLite finds, as the end of a sentence; "": nothing."""
    if not path.exists() or path.stat().st_size == 0:
        runs = len(list(settings.artifacts.glob("*/artifacts")))
        return f"is missing or empty, but files of {runs:,} runs are there" if runs else ""
    try:
        with opened(path) as connection:
            (said,) = connection.execute("pragma integrity_check(1)").fetchone()
            names = {row[0] for row in connection.execute("select name from sqlite_master")}
    except sqlite3.DatabaseError as error:
        return "" if "locked" in str(error) else f"is damaged: {error}"
    missing = sorted(set(TABLES) - names)
    if said != "ok":
        return f"is damaged: {said.splitlines()[-1]}"
    return f"is damaged: it has no table {missing[0]!r}" if missing else ""


def _fresh_record(folder: Path, settings: Settings) -> Path:
    """An empty record that MLflow made, whose files are those of the home."""
    RunStore(Settings.from_environment({"CNNKIT_HOME": str(folder)})).list()
    path = folder / "runs.db"
    with opened(path) as connection:
        connection.execute(
            "update experiments set artifact_location = ? where name = 'cnnkit'",
            [settings.artifacts.as_uri()],
        )
    return path


def _copy_readable(damaged: Path, fresh: Path) -> None:
    with contextlib.suppress(sqlite3.DatabaseError), opened(damaged) as old:
        tables = {table: readable_rows(old, table) for table in TABLES[1:]}
        with opened(fresh) as new:
            (experiment,) = new.execute(
                "select experiment_id from experiments where name = 'cnnkit'"
            ).fetchone()
            tables["runs"] = [row | {"experiment_id": experiment} for row in tables["runs"]]
            known = {row["run_uuid"] for row in tables["runs"]}
            for table, rows in tables.items():
                write_rows(new, table, [row for row in rows if row["run_uuid"] in known])


def _adopt_files(fresh: Path, settings: Settings) -> None:
    """Make runs of the trained networks in folders that the record does not name."""
    with opened(fresh) as connection:
        known = run_ids(connection)
        for folder in sorted(settings.artifacts.glob("*/artifacts")):
            rows = None if folder.parent.name in known else rows_of_files(folder)
            if rows:
                write_run(connection, rows, settings.artifacts)


def rows_of_files(folder: Path) -> Rows | None:
    """What the files of a finished training say of its run; None: they say nothing."""
    card = folder / "card.json"
    try:
        values = json.loads(card.read_text("utf-8"))
        recipe, metrics = dict(values["recipe"]), dict(values["metrics"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    run_id = folder.parent.name
    made = card.stat().st_mtime
    when = datetime.fromtimestamp(made, UTC)
    tags = to_tags(
        {"kind": "train", "spec": recipe, "status": Status.FINISHED, "ticket": 1}
        | {"started": when, "ended": when, "note": "Restored from its files: curves are lost."}
    )
    name = f"{recipe.get('model', 'network')} {recipe.get('name', '')}".strip()
    values = {key: value for key, value in metrics.items() if isinstance(value, int | float)}
    return {
        "runs": [
            {"run_uuid": run_id, "name": name, "source_type": "UNKNOWN", "user_id": ""}
            | {"status": "FINISHED", "lifecycle_stage": "active"}
            | {"start_time": int(made * 1000), "end_time": int(made * 1000)}
        ],
        "tags": [{"run_uuid": run_id, "key": key, "value": text} for key, text in tags.items()],
        "latest_metrics": [
            {"run_uuid": run_id, "key": key, "value": value}
            | {"timestamp": int(made * 1000), "step": 0, "is_nan": False}
            for key, value in values.items()
        ],
    }


def adopt(settings: Settings, folder: Path) -> None:
    """Make a run of the files in a folder that no run names.

    Raises:
        StorageError: they do not say enough.
    """
    rows = rows_of_files(folder / "artifacts")
    if rows is None:
        raise StorageError(f"{folder} holds no card of a trained network.")
    with opened(settings.home / "runs.db") as connection:
        write_run(connection, rows, settings.artifacts)


def rows_of_run(settings: Settings, run_id: str) -> Rows:
    """All that the record says of one run."""
    with opened(settings.home / "runs.db") as connection:
        return read_run(connection, run_id)


def _put_in_place(path: Path, fresh: bytes) -> Path | None:
    """Write the new database, and keep what was in its place; None: nothing was."""
    kept = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    for suffix in ("-journal", "-wal", "-shm"):  # they belong to the old content
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            shutil.move(beside, kept.with_name(kept.name + suffix))
    if path.is_file():
        replace_content(path, fresh, kept)
        return kept
    was_there = path.exists()
    if was_there:
        shutil.move(path, kept)
    path.write_bytes(fresh)
    return kept if was_there else None
