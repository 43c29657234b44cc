"""Folders that machines hand to each other by way of the artifact store.

What one machine has and another needs (a person's own images, an uploaded network, the results of
a job) is a folder under a name that stands for its contents. It becomes the files of a run of its
own, in an experiment beside the one of people's runs, so that any artifact store of MLflow will
do and several jobs use one copy.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cnnkit.errors import StorageError
from cnnkit.runs._mlflow import experiment_id, patiently, remove_artifacts
from cnnkit.runs._store import RunStore

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

EXPERIMENT = "cnnkit-shared"
NAME, FILES = "cnnkit.shared", "cnnkit.files"  # tags; the second is there once all files are
CARD = "card.json"  # the one file that may change under the same name

log = logging.getLogger("cnnkit.runs")


class SharedFolders:
    """The folders in the artifact store of a record.

    Args:
        store: the record.
    """

    def __init__(self, store: RunStore):
        """Touch nothing yet."""
        self._store = store

    def share(self, name: str, folder: Path) -> None:
        """Store the files of a folder, or its card alone where the others are there already.

        Args:
            name: which stands for the contents, such as "images/own-3f9a0c12b7de".
            folder: without folders inside.
        """
        files = sorted(path for path in folder.iterdir() if path.is_file())
        there = self._find(name)
        if there is None:
            self._add(name, files)
            return
        known = _digests(there)
        for path in files:
            if path.name == CARD and _digest(path) != known.get(CARD):
                self._upload(there.info.run_id, [path], known)

    def size(self, name: str) -> int | None:
        """Bytes of a folder's files; None: it is not there."""
        record = self._find(name)
        if record is None:
            return None
        files = patiently(self._store.client.list_artifacts, record.info.run_id)
        return sum(file.file_size or 0 for file in files)

    def fetch(self, name: str, folder: Path, only: Collection[str] | None = None) -> None:
        """Copy the files into a folder.

        Args:
            name: as it was shared.
            folder: is there, and empty of these files.
            only: names of files; None: all.

        Raises:
            StorageError: they are not there, cannot be fetched, or come with other contents.
        """
        from mlflow.exceptions import MlflowException

        record = self._find(name)
        if record is None:
            raise StorageError(
                f"{name} is not in the artifact store of {self._store.settings.tracking_uri}."
            )
        for file, digest in _digests(record).items():
            if only is not None and file not in only:
                continue
            try:
                self._store.client.download_artifacts(record.info.run_id, file, str(folder))
            except (MlflowException, OSError) as error:
                raise StorageError(f"{name}/{file} cannot be fetched: {error}") from error
            if _digest(folder / file) != digest:
                raise StorageError(f"{name}/{file} has other contents than when it was shared.")

    def names(self, prefix: str) -> list[str]:
        """Names of the folders whose names begin with a word and a slash."""
        return [run.data.tags[NAME] for run in self._search(f"LIKE '{prefix}/%'")]

    def forget(self, name: str) -> None:
        """Remove a folder from the artifact store, if it is there."""
        record = self._find(name)
        if record is not None:
            remove_artifacts(record)
            patiently(self._store.client.delete_run, record.info.run_id)

    def _add(self, name: str, files: Collection[Path]) -> None:
        run = patiently(
            self._store.client.create_run, self._experiment, run_name=name, tags={NAME: name}
        )
        self._upload(run.info.run_id, files, {})
        patiently(self._store.client.set_terminated, run.info.run_id)

    def _upload(self, run_id: str, files: Collection[Path], known: Mapping[str, str]) -> None:
        digests = dict(known)
        for path in files:
            patiently(self._store.client.log_artifact, run_id, str(path))
            digests[path.name] = _digest(path)
        patiently(self._store.client.set_tag, run_id, FILES, json.dumps(digests))

    def _find(self, name: str) -> MlflowRun | None:
        # Of two that were shared at once, the first.
        return next(iter(self._search(f"= '{name}'")), None)

    def _search(self, condition: str) -> list[MlflowRun]:
        """Complete folders whose name meets a condition, oldest first."""
        found: list[MlflowRun] = []
        token = None
        while True:
            page = patiently(
                self._store.client.search_runs,
                [self._experiment],
                filter_string=f"tags.`{NAME}` {condition}",
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
            found += page
            token = page.token
            if not token:
                return [run for run in found if FILES in run.data.tags]

    @property
    def _experiment(self) -> str:
        return experiment_id(self._store.client, self._store.settings, EXPERIMENT)


def _digests(record: MlflowRun) -> dict[str, str]:
    return json.loads(record.data.tags[FILES])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
