"""`JobContext`: all that a job's code knows of the world outside it."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from cnnkit.errors import CorruptAssetError
from cnnkit.files import replacing
from cnnkit.jobs._controls import CHECKPOINT, Lease
from cnnkit.jobs._sharing import fetch_inputs, share_result
from cnnkit.jobs.pace import Pace
from cnnkit.runs import LIVE_PREFIX, Point, Progress, Run, RunStore, Status
from cnnkit.visualize.results import ResultCache

LOOK_SECONDS = 0.4  # between two checks of what is asked of the job
WRITE_SECONDS = 1.0  # between two writes: heartbeat, progress and what was logged
PATIENCE = 60.0  # seconds to try to write the end of a job


class JobContext:
    """Carries a job's progress and figures to the record, and wishes back to the job.

    Nothing that the job calls waits for the record: a thread writes about once a second,
    and leaves the process when the run has gone to another attempt.

    Args:
        store: the record.
        run: as it was when the job began.
        lease: the right to write it.
        shared: this machine may have nothing of the others': own images come from the artifact
            store, checkpoints and results go there too.
    """

    def __init__(self, store: RunStore, run: Run, lease: Lease, shared: bool = False):
        self.store = store
        self.run = run
        self.lease = lease
        self.shared = shared
        self.folder = store.settings.jobs / run.id
        self.checkpoint = self.folder / CHECKPOINT
        self._wish: str | None = run.wish
        self._points: list[Point] = []
        self._params: dict[str, Any] = {}
        self._progress: Progress | None = None
        self._lock = threading.Lock()
        self._urgent = threading.Event()
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    # For the job

    def control(self) -> str | None:
        """What is asked of the job now: "pause", "cancel" or None. Free to call often."""
        return self._wish

    def progress(self, progress: Progress) -> None:
        """How far the job is. The first report is written at once."""
        first = self._progress is None
        self._progress = progress
        if first:
            self._urgent.set()

    def drive(self, events: Iterator[Progress | None]) -> Status:
        """Carry a task out, obey what is asked meanwhile, and estimate the time left.

        Args:
            events: the progress after each step, which may be cancelled, and None where
                nothing is half done and the task may be paused.
        """
        pace = Pace()
        for progress in events:
            if self._wish == "cancel":
                return Status.CANCELLED
            if progress is None:
                if self._wish == "pause":
                    return Status.PAUSED
                continue
            pace.add(progress.step)
            left = pace.seconds_left(progress.steps - progress.step)
            self.progress(replace(progress, seconds_left=left))
        return Status.FINISHED

    def log(self, step: int, values: Mapping[str, float], *, live: bool = False) -> None:
        """Add one point to each of some curves.

        Args:
            step: epoch (1-based), or batch if `live`.
            values: of the metrics, by name.
            live: points within an epoch, which go to curves of their own.
        """
        now = time.time()
        prefix = LIVE_PREFIX if live else ""
        points = [
            Point(metric=prefix + name, value=float(value), step=step, when=now)
            for name, value in values.items()
        ]
        with self._lock:
            self._points += points

    def params(self, values: Mapping[str, Any]) -> None:
        """Record what the job was told, so that `mlflow ui` can compare runs by it."""
        with self._lock:
            self._params |= values

    def metrics(self, values: Mapping[str, float]) -> None:
        """Record final figures."""
        self.store.set_metrics(self.run.id, values)

    def artifact(self, path: Path) -> None:
        """Keep a copy of a file with the run."""
        self.store.add_artifact(self.run.id, path)

    def fetch_inputs(self) -> None:
        """Fetch own images and uploaded networks that this machine lacks. Called first."""
        if self.shared:
            fetch_inputs(self.store, self.run.spec)

    def share_result(self, results: ResultCache, key: str) -> None:
        """Put a finished result where other machines find it."""
        if self.shared:
            share_result(self.store, results, key)

    def fetch_checkpoint(self, read: Callable[[Path], object]) -> None:
        """Fetch the last shared checkpoint, if there is one, and see that it can be read.

        One that is gone or damaged is told in the run, which begins again without it.

        Args:
            read: reads a checkpoint, and raises `CorruptAssetError` where it is damaged.
        """
        problem = "is gone"
        self._fetch_shared_checkpoint()
        try:
            if self.checkpoint.exists():
                read(self.checkpoint)
                return
        except CorruptAssetError as error:
            problem = "is damaged"
            print(f"The checkpoint cannot be used: {error}", file=sys.stderr)
            self.checkpoint.unlink()
        if epochs := len(self.store.history(self.run.id)):
            self.store.update(
                self.run.id,
                note=f"The checkpoint of epoch {epochs} {problem}: "
                f"attempt {self.lease.number} began again with the first epoch.",
            )

    def _fetch_shared_checkpoint(self) -> None:
        name = self.store.get(self.run.id).checkpoint
        if not self.shared or not name:
            return
        if not self.store.has_artifact(self.run.id, name):
            self.store.update(self.run.id, checkpoint=None)
            return
        # A store that does not answer now must not cost the epochs that it holds.
        with replacing(self.checkpoint) as aside:
            shutil.copyfile(self.store.artifact(self.run.id, name), aside)

    def share_checkpoint(self, epoch: int) -> None:
        """Put the checkpoint where other machines find it; the old one stays until then."""
        if not self.shared:
            return
        previous = self.store.get(self.run.id).checkpoint
        upload = self.checkpoint.with_name(f"checkpoint-{self.lease.number}-{epoch}.npz")
        os.link(self.checkpoint, upload)
        try:
            self.artifact(upload)
        finally:
            upload.unlink()
        self._leave_if_superseded(self.store.get(self.run.id))
        self.store.update(self.run.id, checkpoint=upload.name)
        if previous and previous != upload.name:
            self.store.remove_artifact(self.run.id, previous)

    def drop_checkpoint(self) -> None:
        """A finished run needs it no more."""
        self.checkpoint.unlink(missing_ok=True)
        name = self.store.get(self.run.id).checkpoint
        if name:
            self.store.update(self.run.id, checkpoint=None)
            self.store.remove_artifact(self.run.id, name)

    # For the process that runs it

    def begin(self) -> None:
        """Say which process this is, and start the heartbeat."""
        self.folder.mkdir(parents=True, exist_ok=True)
        me = psutil.Process()
        self.store.update(self.run.id, pid=me.pid, pid_created=me.create_time())
        self._beating.start()

    def end(self, status: Status, reason: str = "") -> None:
        """Write what is left and how the job ended, even to a record that is away a while."""
        self._ended.set()
        self._urgent.set()
        self._beating.join()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._write_end(status, reason)
            except Exception as error:
                # Databases and HTTP libraries below MLflow each have errors of their own.
                if time.monotonic() > deadline:
                    raise
                print(f"The record does not take the end of the run yet: {error}", file=sys.stderr)
            time.sleep(1)

    def _write_end(self, status: Status, reason: str) -> None:
        self._leave_if_superseded(self.store.get(self.run.id))
        self._write()
        now = datetime.now(UTC)
        self.store.update(self.run.id, status=status, reason=reason, ended=now, wish=None)

    def _beat(self) -> None:
        written = 0.0
        while not self._ended.is_set():
            try:
                self._look()
                if self._urgent.is_set() or time.monotonic() - written > WRITE_SECONDS:
                    self._urgent.clear()
                    written = time.monotonic()
                    self._write()
            except Exception as error:
                # The job goes on without a record for a while, whatever library complains.
                print(f"The record does not answer: {error}", file=sys.stderr)
            self._urgent.wait(LOOK_SECONDS)

    def _look(self) -> None:
        run = self.store.get(self.run.id)
        self._leave_if_superseded(run)
        self._wish = run.wish

    def _write(self) -> None:
        with self._lock:
            points, self._points = self._points, []
            params, self._params = self._params, {}
        fields: dict[str, Any] = {"heartbeat": datetime.now(UTC)}
        if self._progress:
            fields["progress"] = self._progress
        try:
            self.store.log(self.run.id, points, fields=fields, params=params)
        except Exception:
            with self._lock:
                self._points = points + self._points
                self._params = params | self._params
            raise

    def _leave_if_superseded(self, run: Run) -> None:
        if not self.lease.holds(run):
            # No clean-up: whatever could be cleaned up belongs to the other attempt now.
            os._exit(0)
