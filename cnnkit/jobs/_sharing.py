"""What a job on another machine needs from this one, and what it gives back.

Own images and uploaded networks are on the machine of the web server, results on the one that
made them. Each travels through the artifact store, under a name that stands for its contents, and
is fetched once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cnnkit.datasets import folders
from cnnkit.files import Fetch
from cnnkit.networks import UPLOADED, NetworkRef, receive_upload, upload_folder
from cnnkit.runs import RunStore, SharedFolders, shared_store
from cnnkit.settings import Settings
from cnnkit.visualize.results import ResultCache

IMAGES, UPLOADS, RESULTS = "images", "uploads", "results"
LISTED_SECONDS = 2.0  # how long an answer to "which results are there" is good for


def is_shared(settings: Settings) -> bool:
    """Whether jobs may run on machines that see the record and nothing else of this one."""
    return settings.scheduler is not None and not settings.tracking_is_local


@dataclass(frozen=True)
class Input:
    """Something that a run needs and that only the machine that queued it may have.

    Args:
        name: in the artifact store.
        folder: where its files are on this machine, if they are.
        receive: keeps files of so many bytes, which a function fetches, on this machine.
    """

    name: str
    folder: Callable[[], Path | None]
    receive: Callable[[int, Fetch], None]


def inputs(spec: Mapping[str, Any]) -> list[Input]:
    """What a run of this specification needs: own images, an uploaded network."""
    needed = []
    dataset = str(spec.get("dataset", ""))
    if folders.is_own(dataset):
        place, receive = partial(folders.stored_folder, dataset), partial(folders.receive, dataset)
        needed.append(Input(f"{IMAGES}/{dataset}", place, receive))
    network = NetworkRef.from_spec(spec) if "network" in spec or "source" in spec else None
    if network is not None and network.kind == UPLOADED:
        place, receive = partial(upload_folder, network), partial(receive_upload, network)
        needed.append(Input(f"{UPLOADS}/{network.name}", place, receive))
    return needed


def share_inputs(store: RunStore, spec: Mapping[str, Any]) -> None:
    """Put what a run needs where the machine that will do it can fetch it.

    What is not here any more is left to the job, which says so.
    """
    for one in inputs(spec):
        folder = one.folder()
        if folder is not None:
            SharedFolders(store).share(one.name, folder)


def fetch_inputs(store: RunStore, spec: Mapping[str, Any]) -> None:
    """Fetch what a run needs, unless it is here.

    Raises:
        LimitError: there is not enough room for it.
        StorageError: it cannot be fetched.
    """
    shared = SharedFolders(store)
    for one in inputs(spec):
        size = shared.size(one.name)
        if size is not None:
            one.receive(size, partial(shared.fetch, one.name))


def forget_images(settings: Settings, dataset: str) -> None:
    """Remove own images that were deleted here from the artifact store, if they are there.

    Copies on other machines go when those need the room.
    """
    if is_shared(settings):
        SharedFolders(shared_store(settings)).forget(f"{IMAGES}/{dataset}")


def result_cache(settings: Settings, shared: bool) -> ResultCache:
    """The results of this machine; if `shared`, with those that other machines have shared."""
    elsewhere = SharedResults(settings) if shared else None
    return ResultCache(settings.results, settings.results_memory, elsewhere)


def share_result(store: RunStore, results: ResultCache, key: str) -> None:
    """Put a result where other machines find it."""
    SharedFolders(store).share(f"{RESULTS}/{key}", results.path(key))


class SharedResults:
    """Fetches results of other machines, and asks the record for their names now and then.

    Args:
        settings: where the record is.
    """

    def __init__(self, settings: Settings):
        """Touch nothing yet."""
        self._shared = SharedFolders(shared_store(settings))
        self._lock = threading.Lock()
        self._names: frozenset[str] = frozenset()
        self._listed = float("-inf")  # time.monotonic()

    def __contains__(self, key: str) -> bool:
        """Whether a machine had shared a result a moment ago."""
        with self._lock:
            if time.monotonic() - self._listed > LISTED_SECONDS:
                self._names = frozenset(self._shared.names(RESULTS))
                self._listed = time.monotonic()
            return f"{RESULTS}/{key}" in self._names

    def fetch(self, key: str, folder: Path) -> None:
        """Write the files of a result into a folder.

        Raises:
            StorageError: they cannot be fetched.
        """
        self._shared.fetch(f"{RESULTS}/{key}", folder)
