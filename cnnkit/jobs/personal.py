"""Jobs and sessions in the hands of one person: the only door of the pages to both.

What a person begins is that person's, within the limits; what others began can be seen, and
neither steered nor ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnkit.errors import NotAllowedError
from cnnkit.jobs.kinds import check_kind
from cnnkit.jobs.limits import PersonalLimits
from cnnkit.jobs.session_kinds import SessionStarter
from cnnkit.jobs.sessions import FRAME, SessionState
from cnnkit.jobs.visualization import VisualizationWorker
from cnnkit.networks import check_uploads
from cnnkit.people import Person
from cnnkit.runs import Run, RunStore

if TYPE_CHECKING:
    from cnnkit.jobs._pool import JobPool


class PersonalJobs:
    """The pool of jobs for one person.

    Args:
        pool: of all people.
        store: the record, acting for the person.
        limits: of the person.
    """

    def __init__(self, pool: JobPool, store: RunStore, limits: PersonalLimits):
        self._pool = pool
        self._store = store
        self._limits = limits

    def submit(
        self, *, kind: str = "train", spec: Mapping[str, Any] | None = None, name: str = ""
    ) -> Run:
        """Create a run of the person, and queue it. See `JobPool.submit`.

        Raises:
            LimitError: the person may not have one job more.
            NotAllowedError: it names an uploaded network of somebody else.
            JobError, UnknownNameError: see `JobPool.submit`.
        """
        check_kind(kind)
        check_uploads(json.dumps(spec or {}), self._store.person)
        self._limits.check_job()
        return self._pool.submit(self._store.create(kind, spec or {}, name).id)

    def cancel(self, run_id: str) -> Run:
        """End an own run. See `JobPool.cancel`.

        Raises:
            NotAllowedError: it belongs to somebody else.
        """
        return self._pool.cancel(self._store.check_change(run_id).id)

    def pause(self, run_id: str) -> Run:
        """Stop an own run after its running epoch. See `JobPool.pause`.

        Raises:
            NotAllowedError: it belongs to somebody else.
        """
        return self._pool.pause(self._store.check_change(run_id).id)

    def resume(self, run_id: str) -> Run:
        """Queue an own run again. See `JobPool.resume`.

        Raises:
            NotAllowedError: it belongs to somebody else.
            LimitError: the person may not have one job more.
        """
        run = self._store.check_change(run_id)
        self._limits.check_job()
        return self._pool.resume(run.id)


class PersonalWorker(SessionStarter):
    """The visualization worker for one person, who sees no session of others.

    Args:
        worker: of all people.
        person: who.
        limits: of the person, when they are needed: they open the record of runs.
    """

    def __init__(
        self, worker: VisualizationWorker, person: Person, limits: Callable[[], PersonalLimits]
    ):
        self._worker = worker
        self._person = person
        self._limits = limits
        self.results = worker.results

    def wake(self) -> None:
        """Start the process if it does not run."""
        self._worker.wake()

    def start(
        self, kind: str, spec: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> str:
        """Begin a session of the person. See `SessionStarter`.

        Raises:
            LimitError: the person may not have one session more.
            NotAllowedError: it names an uploaded network, or a session, of somebody else.
        """
        check_uploads(json.dumps(spec), self._person)
        if spec.get("session"):
            self._check(spec["session"])
        if not self._person.admin:
            self._limits().check_session()
        return self._worker.start(kind, spec, arrays, person=self._person)

    def command(self, session: str, command: str, **values: Any) -> None:
        """Have an own session do something. See `VisualizationWorker.command`.

        Raises:
            NotAllowedError: it belongs to somebody else.
        """
        self._check(session)
        self._worker.command(session, command, **values)

    def state(self, session: str) -> SessionState | None:
        """How an own session stands; None: the person has no such session (any more)."""
        return self._worker.state(session) if self._may_see(session) else None

    def frame(self, session: str, name: str = FRAME) -> np.ndarray | None:
        """An array that an own session has written."""
        return self._worker.frame(session, name) if self._may_see(session) else None

    def _may_see(self, session: str) -> bool:
        owner = self._worker.owner(session)
        return owner is not None and self._person.may_change(owner)

    def _check(self, session: str) -> None:
        owner = self._worker.owner(session)
        if owner is not None and not self._person.may_change(owner):
            raise NotAllowedError("This session belongs to somebody else. Start your own.")
