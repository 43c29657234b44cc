"""Files of runs, where MLflow keeps them: a folder here, or a store elsewhere."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlparse
from urllib.request import url2pathname

from cnnkit.errors import CorruptRunError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun


def fetch(client: MlflowClient, record: MlflowRun, name: str, cache: Path) -> Path:
    """Local path of one file; what comes from elsewhere is kept in `cache`.

    Raises:
        CorruptRunError: the run has no such file.
    """
    from mlflow.exceptions import MlflowException

    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
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
    aside = cache / f".{uuid.uuid4().hex}"
    aside.mkdir(parents=True)
    try:
        fetched = Path(client.download_artifacts(run_id, name, str(aside)))
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(fetched, path)
    except (MlflowException, OSError) as error:
        raise CorruptRunError(run_id, name, f"cannot be fetched ({error})") from error
    finally:
        remove_folder(aside)
    return path


def remove(record: MlflowRun, name: str | None = None) -> None:
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


def remove_folder(folder: Path) -> None:
    """Remove a folder and what is in it; one that is not there is as good as removed."""
    shutil.rmtree(folder, ignore_errors=True)


def local_folder(record: MlflowRun) -> Path | None:
    """The folder of a run's files if it is on this machine's own disks."""
    uri = urlparse(str(record.info.artifact_uri))
    if uri.scheme == "file":
        return Path(url2pathname(uri.path))
    return None if uri.scheme else Path(str(record.info.artifact_uri))
