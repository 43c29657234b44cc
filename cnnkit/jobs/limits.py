"""How much one person may have on a server that many share.

Nothing limits administrators, nor the local person of a server without login.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnnkit.datasets.folders import own_bytes
from cnnkit.errors import LimitError
from cnnkit.networks import uploads_bytes
from cnnkit.people import Person
from cnnkit.runs import RunStore, Status
from cnnkit.settings import Settings

ALL_RUNS = 10_000


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a person has now."""

    jobs: int  # running or queued
    sessions: int  # of the visualization worker, running or queued
    stored: int  # bytes of runs, own images and uploaded networks


class PersonalLimits:
    """What one person has, and may have.

    Args:
        settings: how much everybody may have.
        store: the record of runs.
        person: who.
        count_sessions: how many sessions a person (an id) has running or queued.
    """

    def __init__(
        self,
        settings: Settings,
        store: RunStore,
        person: Person,
        count_sessions: Callable[[str], int],
    ):
        self.settings = settings
        self.store = store
        self.person = person
        self._count_sessions = count_sessions

    @property
    def hold(self) -> bool:
        """Whether anything limits the person."""
        return not self.person.admin

    def usage(self) -> Usage:
        """What the person has now."""
        return Usage(jobs=self._jobs(), sessions=self._sessions(), stored=self._stored())

    def check_job(self) -> None:
        """Refuse one job more than the person may have, and any while the storage is full.

        Raises:
            LimitError: says what there is, what may be, and what would help.
        """
        allowed = self.settings.jobs_per_person
        if self.hold and self._jobs() >= allowed:
            raise LimitError(
                f"You have {_count(self._jobs(), 'job')} running or queued, and {allowed} are "
                "allowed. Wait until one ends, or cancel one."
            )
        self.check_storage()

    def check_session(self) -> None:
        """Refuse one session of the visualization worker more than the person may have.

        Raises:
            LimitError: see `check_job`.
        """
        allowed = self.settings.sessions_per_person
        if self.hold and self._sessions() >= allowed:
            raise LimitError(
                f"{self._sessions()} images or explanations are being computed for you, and "
                f"{allowed} are allowed at once. Wait until one ends, or stop one on its page."
            )

    def check_storage(self) -> None:
        """Refuse to store anything more where the person's storage is full.

        Raises:
            LimitError: see `check_job`.
        """
        room = self.room()
        if room is not None and room <= 0:
            raise LimitError(
                f"Your runs, images and uploaded networks take {megabytes(self._stored())}, and "
                f"{megabytes(self.settings.storage_per_person)} are allowed. Delete runs (page "
                "Runs) or images (page Fine-tune) that you do not need any more, or remove an "
                "uploaded network where you uploaded it."
            )

    def check_upload(self, name: str, size: int) -> None:
        """Refuse a file that is larger than a person may upload, and any without room for it.

        Args:
            name: of the file.
            size: bytes.

        Raises:
            LimitError: see `check_job`.
        """
        allowed = self.settings.upload_size
        if self.hold and size > allowed:
            raise LimitError(
                f"{name} has {megabytes(size)}, and files of at most {megabytes(allowed)} may be "
                "uploaded here. Make it smaller, or ask whoever runs this server to raise "
                "CNNKIT_UPLOAD_SIZE."
            )
        self.check_storage()

    def room(self) -> int | None:
        """Bytes that the person may still store; None: as many as there is room for."""
        return self.settings.storage_per_person - self._stored() if self.hold else None

    def _jobs(self) -> int:
        live = [Status.QUEUED, Status.RUNNING]
        return len(self.store.list(owner=self.person.id, statuses=live, limit=ALL_RUNS))

    def _sessions(self) -> int:
        return self._count_sessions(self.person.id)

    def _stored(self) -> int:
        runs = self.store.list(owner=self.person.id, limit=ALL_RUNS)
        of_runs = sum(self.store.stored_bytes(run.id) for run in runs)
        return of_runs + own_bytes(self.person.id) + uploads_bytes(self.person.id)


def megabytes(size: int) -> str:
    """A number of bytes in words, in the unit of the settings."""
    return f"{size / 2**20:,.0f} MB"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
