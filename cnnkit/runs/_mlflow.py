"""MLflow's record and its files: opened quietly, without telemetry, one process at a time."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from cnnkit.errors import CnnkitError, CorruptRunError, SettingsError, StorageError
from cnnkit.files import TEMPORARY
from cnnkit.runs._reachable import check_reachable, without_password
from cnnkit.runs.database import BUSY_SECONDS, check_database, is_locked, sentence
from cnnkit.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun
    from mlflow.exceptions import MlflowException

EXPERIMENT = "cnnkit"
LOCK_SECONDS = 120.0  # a slow machine needs some ten seconds for its first database
# For processes that a person waits for; jobs have the patience of MLflow's own defaults.
IMPATIENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}
# Module of a driver -> what pip calls it, where that differs.
DRIVERS = {
    "psycopg": "'psycopg[binary]'",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
    "pymysql": "PyMySQL",
}


def open_record(settings: Settings) -> tuple[MlflowClient, str]:
    """A client of the record and the id of cnnkit's experiment in it, made if need be.

    Three processes that open a new SQLite database at once crash in its migration: a
    file lock lets one go first.

    Raises:
        StorageError: the record cannot be opened; says why, and what to do.
        SettingsError: its database needs a driver that is not installed.
    """
    from filelock import FileLock

    silence_mlflow()
    try:
        if not settings.tracking_is_local:
            check_reachable(settings.tracking_uri)
            check_database(settings)
            return _open(settings)
        settings.home.mkdir(parents=True, exist_ok=True)
        with FileLock(settings.home / "runs.db.lock", timeout=LOCK_SECONDS):
            check_database(settings)
            return _open(settings)
    except CnnkitError:
        raise
    except ModuleNotFoundError as error:
        raise SettingsError(_missing_driver(settings, error)) from error
    except Exception as error:
        # Drivers of databases below MLflow each have errors of their own.
        raise StorageError(
            sentence(str(error), f"at {without_password(settings.tracking_uri)}")
        ) from error


def silence_mlflow() -> None:
    """Switch MLflow's telemetry and its remarks off, before it is imported.

    A server that is away should cost a person some seconds, not the minutes of MLflow's
    retries. What the environment says goes first.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    for name, value in IMPATIENT.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It would print the traceback of every error that is told in a sentence here.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def patiently(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call again while another process is writing the SQLite file.

    Raises:
        StorageError: the record does not do what it is told; says why, and what to do.
        MlflowException: it has no such thing (see `is_unknown`).
    """
    from mlflow.exceptions import MlflowException

    deadline = time.monotonic() + BUSY_SECONDS
    pause = 0.05
    while True:
        try:
            return call(*args, **kwargs)
        except MlflowException as error:
            if is_unknown(error):
                raise
            if not is_locked(error) or time.monotonic() > deadline:
                raise StorageError(sentence(str(error))) from error
        except OSError as error:
            raise StorageError(sentence(str(error))) from error
        time.sleep(pause)
        pause = min(1.0, 2 * pause)


def is_unknown(error: MlflowException) -> bool:
    """Whether the record answered that it has no such thing."""
    return error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def _missing_driver(settings: Settings, error: ModuleNotFoundError) -> str:
    package = DRIVERS.get(str(error.name), str(error.name))
    return (
        f"MLFLOW_TRACKING_URI names a database whose driver {error.name!r} is not installed. "
        f"Install it with `pip install {package}`. "
        f"Received: {without_password(settings.tracking_uri)!r}."
    )


def _open(settings: Settings) -> tuple[MlflowClient, str]:
    # The package itself patches and imports much more than its client needs.
    from mlflow.tracking import MlflowClient

    # A registry of its own would otherwise be sought in the working directory.
    client = MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)
    return client, experiment_id(client, settings)


def experiment_id(client: MlflowClient, settings: Settings, name: str = EXPERIMENT) -> str:
    """The id of an experiment of a name, made if need be."""
    from mlflow.exceptions import MlflowException

    experiment = patiently(client.get_experiment_by_name, name)
    if experiment is None:
        location = settings.artifacts.as_uri() if settings.tracking_is_local else None
        try:
            return patiently(client.create_experiment, name, artifact_location=location)
        except MlflowException:
            # Another machine was faster, on a server that no file lock guards.
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return experiment.experiment_id


def fetch_artifact(client: MlflowClient, record: MlflowRun, name: str, cache: Path) -> Path:
    """Local path of one file; what comes from elsewhere is kept in `cache`.

    Raises:
        CorruptRunError: the run has no such file.
    """
    from mlflow.exceptions import MlflowException

    if not is_inside(name):
        raise ValueError(f"`name` must be a path inside the run. Received: {name!r}")
    run_id = record.info.run_id
    folder = local_folder(record)
    if folder is not None:
        if not (folder / name).is_file():
            raise CorruptRunError(run_id, folder / name, "is missing")
        return folder / name
    path = cache / name
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=cache, prefix=TEMPORARY) as folder:
            os.replace(client.download_artifacts(run_id, name, folder), path)
    except (MlflowException, OSError) as error:
        raise CorruptRunError(run_id, name, f"cannot be fetched ({error})") from error
    return path


def is_inside(name: str) -> bool:
    """Whether the path of an artifact stays inside its run."""
    return not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts


def remove_artifacts(record: MlflowRun, name: str | None = None) -> None:
    """Remove one file of a run, or all of them."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    folder = local_folder(record)
    if folder is not None and name is None:
        # The run's own folder holds the one that MLflow names.
        remove_folder(folder.parent)
    elif folder is not None:
        (folder / str(name)).unlink(missing_ok=True)
    else:
        get_artifact_repository(str(record.info.artifact_uri)).delete_artifacts(name)


def artifacts_size(client: MlflowClient, run_id: str, folder: str | None = None) -> int:
    """Bytes of the files of a run, wherever they are."""
    total = 0
    for one in patiently(client.list_artifacts, run_id, folder):
        total += artifacts_size(client, run_id, one.path) if one.is_dir else one.file_size or 0
    return total


def remove_folder(folder: Path) -> None:
    """Remove a folder and what is in it; one that is not there is as good as removed."""
    shutil.rmtree(folder, ignore_errors=True)


def local_folder(record: MlflowRun) -> Path | None:
    """The folder of a run's files if it is on this machine's own disks."""
    uri = urlparse(str(record.info.artifact_uri))
    if uri.scheme == "file":
        return Path(url2pathname(uri.path))
    return None if uri.scheme else Path(str(record.info.artifact_uri))
