"""`RunStore`: the one door to the record of runs."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from cnnkit.errors import CorruptRunError, RunNotFoundError, StorageError
from cnnkit.files import folder_bytes
from cnnkit.people import LOCAL, Person, check_owner
from cnnkit.runs import _starter
from cnnkit.runs._mlflow import (
    artifacts_size,
    fetch_artifact,
    is_inside,
    local_folder,
    open_record,
    patiently,
    remove_artifacts,
    remove_folder,
)
from cnnkit.runs._record import (
    FORMER,
    HISTORY,
    LIVE_COLUMNS,
    PREFIX,
    Run,
    Status,
    from_mlflow,
    thin,
    to_rows,
    to_tags,
)
from cnnkit.runs.database import check_unchanged, file_identity
from cnnkit.settings import Settings

POINTS = 600  # of a curve within epochs: as many as a screen can show
FORMER_FILES = {"image.png": "picture.png"}  # as earlier versions called an artifact
METRICS_PER_CALL = 1000  # MLflow's limit


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value of one metric, as a job logs it."""

    metric: str
    value: float
    step: int
    when: float  # seconds since 1970


class RunStore:
    """Reads and writes runs. Making one is free; MLflow is imported at the first use.

    Args:
        settings: where the record is.
        person: who asks, and owns the runs that are created.
    """

    def __init__(self, settings: Settings, person: Person = LOCAL):
        self.settings = settings
        self.person = person
        self._opening = threading.Lock()
        self._changes = [0]  # shared by all hands
        self._folders: dict[str, Path] = {}  # of the files of runs, where they are on this machine

    @property
    def changes(self) -> int:
        """How often this object, in anybody's hands, has changed the record."""
        return self._changes[0]

    def acting_for(self, person: Person) -> RunStore:
        """The same record, opened once, in the hands of another person."""
        _ = self._opened
        other = copy.copy(self)
        other.person = person
        return other

    # Reading

    def get(self, run_id: str) -> Run:
        """One run as it stands now.

        Raises:
            RunNotFoundError: there is none of this id, or it was deleted.
        """
        if run_id == _starter.STARTER_ID:
            starter = _starter.starter_run()
            if starter is None:
                raise RunNotFoundError(run_id)
            return starter
        record = self._record(run_id)
        run = from_mlflow(record)
        if run is None or record.info.lifecycle_stage == "deleted":
            raise RunNotFoundError(run_id)
        return run

    def list(
        self,
        *,
        kind: str | None = None,
        statuses: Iterable[Status] | None = None,
        text: str | None = None,
        owner: str | None = None,
        limit: int = 200,
    ) -> list[Run]:
        """Runs, newest first; the starter comes last.

        Args:
            kind: only of this kind; None: all.
            statuses: only in one of these; None: in any.
            text: only those that have it in their name, model or data set, in any case.
            owner: only those of the person with this id; None: of all.
            limit: at most so many.
        """
        allowed = set(Status) if statuses is None else {Status(status) for status in statuses}
        runs = self._search(kind, allowed, owner, limit if not text else None)
        starter = _starter.starter_run()
        if starter and owner is None and kind in (None, starter.kind) and starter.status in allowed:
            runs.append(starter)
        # MLflow reads a run's tags after it has found it: meanwhile it may have become another.
        return [run for run in runs if run.status in allowed and _mentions(run, text)][:limit]

    def history(self, run_id: str) -> list[dict[str, float]]:
        """One row an epoch: epoch (1-based), loss, accuracy, val_…, learning_rate, seconds."""
        if run_id == _starter.STARTER_ID:
            return _starter.starter_history()
        return self._rows(run_id, HISTORY, "epoch")

    def live(self, run_id: str) -> list[dict[str, float]]:
        """Points within epochs, thinned: step, loss, accuracy, learning_rate, …_second."""
        if run_id == _starter.STARTER_ID:
            return []
        return thin(self._rows(run_id, LIVE_COLUMNS, "step"), POINTS)

    def artifact(self, run_id: str, name: str) -> Path:
        """Local path of a file of the run, fetched first when the record is elsewhere.

        Raises:
            RunNotFoundError: there is no such run.
            CorruptRunError: it has no such file.
        """
        if run_id == _starter.STARTER_ID:
            return _starter.starter_artifact(name)
        known = self._folders.get(run_id)  # a page may ask for the card of every run
        if known and is_inside(name) and (known / name).is_file():
            return known / name
        cache = self.settings.home / "cache" / "artifacts" / run_id
        record = self._record(run_id)
        folder = local_folder(record)
        if folder is not None:
            self._folders[run_id] = folder
        try:
            return fetch_artifact(self.client, record, name, cache)
        except CorruptRunError:
            if name not in FORMER_FILES:
                raise
            return fetch_artifact(self.client, record, FORMER_FILES[name], cache)

    def has_artifact(self, run_id: str, name: str) -> bool:
        """Whether the run has a file of this name, right in its folder."""
        listed = patiently(self.client.list_artifacts, run_id)
        return name in {file.path for file in listed}

    def model_folder(self, run_id: str) -> Path:
        """Folder with a finished run's `model.keras` and its card, for `models.load_model`.

        Raises:
            RunNotFoundError: there is no such run.
            CorruptRunError: it has no trained network.
        """
        self.artifact(run_id, "card.json")
        return self.artifact(run_id, "model.keras").parent

    # Writing, for people. The starter is read only: it raises `StorageError`. Runs of others
    # are too: `NotAllowedError`.

    def create(
        self,
        kind: str,
        spec: Mapping[str, Any],
        name: str = "",
        *,
        status: Status = Status.QUEUED,
    ) -> Run:
        """A new run; `JobPool.submit` starts a queued one.

        Args:
            kind: registered kind of job, or what a finished run is a record of.
            spec: what to do, as plain values.
            name: for people; not unique.
            status: FINISHED for what was done without a job.
        """
        queued = {"kind": kind, "spec": spec, "status": status, "ticket": 1}
        queued |= {"owner": self.person.id, "owner_name": self.person.name}
        record = self._write(
            self.client.create_run,
            self._experiment,
            run_name=name or kind,
            tags=to_tags(queued | {"queued": datetime.now(UTC)}),
        )
        if status is Status.FINISHED:
            self._write(self.client.set_terminated, record.info.run_id, status.in_mlflow)
        return self.get(record.info.run_id)

    def add_artifact(self, run_id: str, path: Path, folder: str | None = None) -> None:
        """Keep a copy of a file with the run, in one of its folders if named."""
        self.check_change(run_id)
        patiently(self.client.log_artifact, run_id, str(path), folder)

    def replace_artifact(self, run_id: str, path: Path) -> None:
        """Store a file in the place of one of the same name."""
        self.add_artifact(run_id, path)
        fetched = self.settings.home / "cache" / "artifacts" / run_id / path.name
        fetched.unlink(missing_ok=True)

    def rename(self, run_id: str, name: str) -> None:
        """Give a run another name, which must not be empty."""
        self.check_change(run_id)
        if not name.strip():
            raise StorageError("A run needs a name.")
        self._write(self.client.update_run, run_id, name=name.strip()[:200])

    def delete(self, run_id: str) -> None:
        """Forget a run and remove its files.

        Raises:
            StorageError: it is queued or running, or it is the starter.
        """
        run = self.check_change(run_id)
        if not run.status.over:
            raise StorageError(f"Run {run.name!r} is {run.status}. Cancel it before deleting it.")
        remove_artifacts(self._record(run_id))
        remove_folder(self.settings.home / "cache" / "artifacts" / run_id)
        remove_folder(self.settings.jobs / run_id)
        self._write(self.client.delete_run, run_id)

    def stored_bytes(self, run_id: str) -> int:
        """What the files of a run take, its checkpoint on this machine included."""
        here = folder_bytes(self.settings.jobs / run_id)
        if self.settings.tracking_is_local:
            return here + folder_bytes(self.settings.artifacts / run_id)
        return here + artifacts_size(self.client, run_id)

    def check_change(self, run_id: str) -> Run:
        """A run that the person may change.

        Raises:
            RunNotFoundError: there is no such run.
            NotAllowedError: it belongs to somebody else.
            StorageError: it is the starter.
        """
        run = self.get(run_id)
        if run.starter:
            raise StorageError("The starter ships with cnnkit and cannot be changed.")
        check_owner(self.person, run.owner, f"Run {run.name!r}")
        return run

    # Writing, for jobs

    def update(self, run_id: str, **fields: Any) -> None:
        """Set fields of `Run` (status, wish, reason, progress, …) in one write."""
        self.log(run_id, fields=fields)
        if "status" in fields:
            status = Status(fields["status"]).in_mlflow
            if status in ("FINISHED", "FAILED", "KILLED"):
                self._write(self.client.set_terminated, run_id, status)
            else:
                self._write(self.client.update_run, run_id, status=status)

    def log(
        self,
        run_id: str,
        points: Iterable[Point] = (),
        *,
        fields: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        """Write metrics, fields and parameters in as few calls as MLflow allows."""
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(p.metric, p.value, int(p.when * 1000), p.step) for p in points]
        tags = [RunTag(name, text) for name, text in to_tags(fields or {}).items()]
        written = [Param(name, str(value)[:500]) for name, value in (params or {}).items()]
        while len(metrics) > METRICS_PER_CALL:
            self._write(self.client.log_batch, run_id, metrics=metrics[:METRICS_PER_CALL])
            del metrics[:METRICS_PER_CALL]
        self._write(self.client.log_batch, run_id, metrics=metrics, params=written, tags=tags)

    def remove_artifact(self, run_id: str, name: str) -> None:
        """Remove one file of a run."""
        remove_artifacts(self._record(run_id), name)

    def set_metrics(self, run_id: str, values: Mapping[str, float]) -> None:
        """Write final figures of a run."""
        now = time.time()
        self.log(run_id, [Point(metric=k, value=v, step=0, when=now) for k, v in values.items()])

    # The record itself

    @property
    def client(self):
        """The `MlflowClient`, opened at the first use."""
        return self._opened[0]

    @property
    def _experiment(self) -> str:
        return self._opened[1]

    @property
    def _opened(self):
        with self._opening:
            client, experiment, identity = self._open_once
        check_unchanged(self.settings, identity)
        return client, experiment

    @cached_property
    def _open_once(self):
        return *open_record(self.settings), file_identity(self.settings)

    def _write(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        written = patiently(call, *args, **kwargs)
        self._changes[0] += 1
        return written

    def _record(self, run_id: str):
        from mlflow.exceptions import MlflowException

        try:
            return patiently(self.client.get_run, run_id)
        except MlflowException as error:
            raise RunNotFoundError(run_id) from error

    def _search(
        self, kind: str | None, statuses: set[Status], owner: str | None, limit: int | None
    ) -> list[Run]:
        asked = {"kind": kind or None, "owner": owner}
        filters = [
            [f"tags.`{PREFIX}{tag}` = '{text}'" for tag, text in asked.items() if text is not None]
        ]
        # MLflow cannot ask for one of several tags; a search that finds little is quick.
        if len(statuses) < len(Status):
            filters = [[*filters[0], f"tags.`{PREFIX}status` = '{s}'"] for s in sorted(statuses)]
        runs = [run for one in filters for run in self._pages(" and ".join(one), limit)]
        return sorted(runs, key=lambda run: run.created or _LONG_AGO, reverse=True)

    def _pages(self, text: str, limit: int | None) -> list[Run]:
        runs: list[Run] = []
        token = None
        while limit is None or len(runs) < limit:
            page = patiently(
                self.client.search_runs,
                [self._experiment],
                filter_string=text,
                max_results=min(limit or 500, 500),
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            runs += [run for run in map(from_mlflow, page) if run]
            token = page.token
            if not token:
                break
        return runs

    def _rows(self, run_id: str, columns: Mapping[str, str], index: str) -> list[dict[str, float]]:
        logged = self._record(run_id).data.metrics
        histories = {
            column: patiently(self.client.get_metric_history, run_id, name)
            for column, metric in columns.items()
            for name in (FORMER.get(metric), metric)
            if name in logged
        }
        return to_rows(histories, index)


def select_runs(
    runs: Iterable[Run],
    *,
    kind: str | None = None,
    statuses: Iterable[Status] | None = None,
    owner: str | None = None,
    limit: int = 200,
) -> list[Run]:
    """What `RunStore.list` gives where the record holds these runs alone; see there."""
    allowed = set(Status) if statuses is None else {Status(status) for status in statuses}
    found = (
        run
        for run in runs
        if kind in (None, run.kind) and owner in (None, run.owner) and run.status in allowed
    )
    return list(islice(found, limit))


@lru_cache(maxsize=4)
def shared_store(settings: Settings) -> RunStore:
    """One store for a whole process: each has connections of its own, which stay open."""
    return RunStore(settings)


_LONG_AGO = datetime.fromtimestamp(0, UTC)


def _mentions(run: Run, text: str | None) -> bool:
    if not text:
        return True
    places = (run.name, run.id, str(run.spec.get("model", "")), str(run.spec.get("dataset", "")))
    return any(text.casefold() in place.casefold() for place in places)
