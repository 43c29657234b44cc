"""A new record of runs in a moment: migrating a new database takes MLflow seconds."""

from __future__ import annotations

import os
import shutil
import sqlite3
from functools import cache
from pathlib import Path

from cnnkit.runs import RunStore
from cnnkit.settings import Settings

# Of the whole session: `conftest.py` makes it before any test and removes it after all.
SESSION = Path(os.environ["CNNKIT_HOME"])


def new_store(settings: Settings) -> RunStore:
    """An empty record where the settings say, copied from one that MLflow made once."""
    settings.home.mkdir(parents=True, exist_ok=True)
    database = settings.home / "runs.db"
    shutil.copyfile(_template(), database)
    with sqlite3.connect(database) as connection:
        connection.execute(
            "update experiments set artifact_location = ? where name = 'cnnkit'",
            (settings.artifacts.as_uri(),),
        )
    connection.close()
    return RunStore(settings)


@cache
def _template() -> Path:
    home = SESSION / "record"
    RunStore(Settings.from_environment({"CNNKIT_HOME": str(home)})).list()
    _read_migrations_once()
    return home / "runs.db"


def _read_migrations_once() -> None:
    """MLflow reads all its migrations whenever a record is opened, to see that it has the last."""
    from mlflow.store.db import utils

    utils._get_latest_schema_revision = cache(utils._get_latest_schema_revision)
