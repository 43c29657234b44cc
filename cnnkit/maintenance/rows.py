"""The rows of runs in MLflow's SQLite tables: read what can be read, write it elsewhere.

MLflow itself gives a run a new id; a run that is restored keeps the one by which others name it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Rows = dict[str, list[Row]]  # table -> rows

RUN_TABLES = ("runs", "tags", "params", "metrics", "latest_metrics")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection whose rows have names; what was written is kept if the block ends well."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        with connection:
            yield connection


def read_run(connection: sqlite3.Connection, run_id: str) -> Rows:
    """All rows of one run."""
    rows = {}
    for table in RUN_TABLES:
        query = f"select * from {table} where run_uuid = ?"  # nosec B608
        rows[table] = [dict(row) for row in connection.execute(query, [run_id])]
    return rows


def run_ids(connection: sqlite3.Connection) -> dict[str, str]:
    """Id -> MLflow's stage, "active" or "deleted", of every run."""
    return dict(connection.execute("select run_uuid, lifecycle_stage from runs").fetchall())


def write_rows(connection: sqlite3.Connection, table: str, rows: Sequence[Mapping]) -> int:
    """Add rows, of which only the columns count that the table has; how many were new."""
    known = [column[1] for column in connection.execute(f"pragma table_info({table})")]
    added = 0
    for row in rows:
        columns = [name for name in known if name in row]
        marks = ", ".join("?" * len(columns))
        added += connection.execute(
            f"insert or ignore into {table} ({', '.join(columns)}) values ({marks})",  # noqa: S608
            [row[name] for name in columns],
        ).rowcount
    return added


def write_run(connection: sqlite3.Connection, rows: Rows, artifacts: Path) -> None:
    """Add a run to the experiment of cnnkit, its files below a folder of this machine."""
    (experiment,) = connection.execute(
        "select experiment_id from experiments where name = 'cnnkit'"
    ).fetchone()
    for table in RUN_TABLES:
        for row in rows.get(table, ()):
            if table == "runs":
                place = (artifacts / row["run_uuid"] / "artifacts").as_uri()
                row = row | {"experiment_id": experiment, "artifact_uri": place}
            write_rows(connection, table, [row])


def move_artifacts(connection: sqlite3.Connection, artifacts: Path) -> None:
    """Let every run and experiment name its folder below `artifacts`: a home may have moved."""
    connection.execute(
        "update experiments set artifact_location = ? where name = 'cnnkit'", [artifacts.as_uri()]
    )
    for run_id in run_ids(connection):
        place = (artifacts / run_id / "artifacts").as_uri()
        connection.execute("update runs set artifact_uri = ? where run_uuid = ?", [place, run_id])


def readable_rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    """The rows of a table of a damaged database, from both ends up to what cannot be read."""
    found: dict[int, Row] = {}
    for order in ("asc", "desc"):
        with contextlib.suppress(sqlite3.DatabaseError):
            # Tables are named by this package, never by a visitor.
            query = f"select rowid as _row, * from {table} order by rowid {order}"  # nosec B608
            for row in connection.execute(query):
                values = dict(row)
                number = values.pop("_row")
                if number in found:
                    break
                found[number] = values
    return [found[number] for number in sorted(found)]
