"""Everything the pages keep between two clicks, all of it bounded.

What is shared by all visitors (`st.cache_resource`) is read only: models, data sets,
the record, the pool of jobs.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Collection, Hashable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from cnnkit import models
from cnnkit.datasets import Dataset, dataset_info, load_dataset
from cnnkit.errors import CorruptRunError, UnknownDatasetError
from cnnkit.jobs.kinds import TRAINED, WITH_NETWORK
from cnnkit.jobs.limits import PersonalLimits
from cnnkit.jobs.personal import PersonalJobs, PersonalWorker
from cnnkit.jobs.turns import position_in_queue
from cnnkit.jobs.visualization import VisualizationWorker
from cnnkit.models import (
    CARD_FILE,
    ModelCache,
    ModelCard,
    Predictor,
    pretrained_info,
)
from cnnkit.networks import RUN, NetworkRef, check_uploads
from cnnkit.runs import Run, RunStore, Status, select_runs
from cnnkit.settings import get_settings
from cnnkit.training.predictions import Predictions, evaluation_dataset
from cnnkit.training.recipe import network_name
from cnnkit.ui.common.person import own_id, person
from cnnkit.ui.common.shared_reads import SharedReads

if TYPE_CHECKING:
    from cnnkit.jobs import JobPool

UNFINISHED = 1_000  # runs of one status that are read at once
FEW = 100  # fewer runs are read at once, whatever is asked for


def store() -> RunStore:
    """The record of runs, in the hands of the visitor: runs of others are read only.

    Raises:
        StorageError: it does not answer.
        NotAllowedError: nobody is logged in, where that is required.
    """
    return shared_store().acting_for(person())


def jobs() -> PersonalJobs:
    """The pool that runs jobs, in the hands of the visitor.

    Raises:
        StorageError, NotAllowedError: see `store`.
    """
    return PersonalJobs(shared_jobs(), store(), limits())


def visualization_worker() -> PersonalWorker:
    """The process that optimizes images, in the hands of the visitor.

    Raises:
        NotAllowedError: see `store`.
    """
    return PersonalWorker(shared_worker(), person(), limits)


def limits() -> PersonalLimits:
    """What the visitor has, and may have.

    Raises:
        StorageError, NotAllowedError: see `store`.
    """
    return PersonalLimits(get_settings(), store(), person(), shared_worker().busy)


@st.cache_resource(show_spinner="Opening the record of runs …")
def shared_store() -> RunStore:
    """The record of runs, opened, for the server itself.

    Raises:
        StorageError: it does not answer.
    """
    opened = RunStore(get_settings())
    _ = opened.client  # imports MLflow, which takes a second or two: here, under the spinner
    return opened


@st.cache_resource(
    show_spinner="Starting the job runner …", on_release=lambda opened: opened.close()
)
def shared_jobs() -> JobPool:
    """The pool that runs jobs for all, with what an earlier server left taken up again."""
    from cnnkit.jobs import JobPool  # Dask: some hundred milliseconds, needed to start jobs only

    pool = JobPool(get_settings(), shared_store())
    pool.recover()
    _started["jobs"] = pool
    return pool


def jobs_if_started() -> JobPool | None:
    """The pool, where a page has needed it; asking starts nothing."""
    return _started.get("jobs")


_started: dict[str, JobPool] = {}


@st.cache_resource(show_spinner=False, on_release=lambda opened: opened.close())
def shared_worker() -> VisualizationWorker:
    """The process that optimizes images, for all visitors; it starts when first needed."""
    return VisualizationWorker(get_settings())


@st.cache_resource(show_spinner=False)
def networks() -> ModelCache:
    """The networks in memory: as many as the settings allow, the least used go first."""
    return ModelCache(get_settings().model_memory)


def network(ref: NetworkRef) -> Predictor:
    """A network, ready to predict, from memory where it is there.

    Raises:
        CnnkitError: it cannot be had; says why.
    """
    with st.spinner("Loading the network; the first takes some seconds …"):
        return opened_network(ref)


def opened_network(ref: NetworkRef) -> Predictor:
    """`network`, for callbacks, which draw nothing."""
    check_uploads(str(ref), person())
    return ref.open(networks())


def model(run_id: str) -> Predictor:
    """The trained network of a finished run, ready to predict.

    Raises:
        RunNotFoundError, CorruptRunError, CorruptAssetError, LimitError
    """
    return network(NetworkRef(RUN, run_id))


def card(run_id: str) -> ModelCard:
    """What is known of a finished run's network, without opening it.

    Raises:
        RunNotFoundError, CorruptRunError, CorruptAssetError
    """
    path = store().artifact(run_id, CARD_FILE)
    return _card(str(path), path.stat().st_mtime_ns)


def rename_classes(run_id: str, names: Sequence[str]) -> None:
    """Call the answers of a finished run's network otherwise.

    Raises:
        RunNotFoundError, CorruptRunError, CorruptAssetError, StorageError
    """
    renamed = dataclasses.replace(card(run_id), class_names=tuple(names))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / CARD_FILE
        path.write_text(renamed.to_json(), "utf-8")
        store().replace_artifact(run_id, path)


@st.cache_data(max_entries=256, show_spinner=False)
def _card(path: str, changed: int) -> ModelCard:
    return models.load_card(Path(path))


@st.cache_resource(max_entries=4, show_spinner="Reading the images …")
def dataset(name: str) -> Dataset:
    """A data set, shared by all visitors and therefore not writable.

    Raises:
        UnknownDatasetError, AssetUnavailableError, CorruptAssetError
    """
    loaded = load_dataset(name)
    loaded.images.setflags(write=False)
    loaded.labels.setflags(write=False)
    return loaded


def digits() -> Dataset:
    """MNIST where it is on this machine, else the embedded digits."""
    return dataset("mnist" if dataset_info("mnist").available else "digits")


@st.cache_resource(max_entries=16, show_spinner=False)
def predictions(run_id: str) -> Predictions:
    """Predictions of a finished run's network for the test set.

    Raises:
        RunNotFoundError, CorruptRunError, CorruptAssetError
    """
    return Predictions.read(store().artifact(run_id, "predictions.npz"))


def test_images(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of the test set of a run, in the order of its predictions.

    Raises:
        UnknownDatasetError, AssetUnavailableError, CorruptAssetError
    """
    spec = dataset_info(str(run.spec["dataset"]))
    if spec.files and spec.kind == "small":
        return dataset(spec.name).part("test")  # as published, whatever the seeds
    decisive = ("dataset", "seed", "split_seed", "head")
    return _test_images(json.dumps({name: run.spec[name] for name in decisive if name in run.spec}))


@st.cache_resource(max_entries=4, show_spinner="Reading the test images …")
def _test_images(spec: str) -> tuple[np.ndarray, np.ndarray]:
    return evaluation_dataset(json.loads(spec)).part("test")


def finished_runs(
    input_shape: tuple[int, int, int] | None = None, *, kinds: Collection[str] = WITH_NETWORK
) -> list[Run]:
    """Runs with a network, newest first, the starter last.

    Args:
        input_shape: only networks that take such images; None: any.
        kinds: of jobs.
    """
    runs = learning_runs(kinds=kinds, statuses=[Status.FINISHED])
    if input_shape is None:
        return runs
    return [run for run in runs if run_input_shape(run) == input_shape]


def list_runs(**filters: Any) -> list[Run]:
    """`RunStore.list`, read at most once a second for all visitors together.

    What this server changes is seen at once; what a job's process writes, within the second. Pages
    ask in many ways, and each question takes MLflow tens of milliseconds: while there are not many
    runs, all of them are read at once instead.
    """
    if "text" not in filters:
        runs = _read_runs(limit=FEW)
        if len(runs) < FEW:
            return select_runs(runs, **filters)
    return _read_runs(**filters)


def _read_runs(**filters: Any) -> list[Run]:
    record = shared_store()
    plain = tuple((name, _plain(value)) for name, value in sorted(filters.items()))
    what = record.settings.tracking_uri, record.changes, plain
    return list(_READS.get(what, lambda: record.list(**filters)))


_READS = SharedReads()


def unfinished_runs(
    statuses: Collection[Status], *, kinds: Collection[str] = TRAINED, owner: str | None = None
) -> list[Run]:
    """Runs that are queued, running or can go on, newest first, read once for all visitors.

    Args:
        statuses: only in these.
        kinds: of jobs.
        owner: only those of the person with this id; None: of all.
    """
    runs = [run for one in statuses for run in list_runs(statuses=[one], limit=UNFINISHED)]
    runs = [run for run in runs if run.kind in kinds and owner in (None, run.owner)]
    return sorted(runs, key=_begun, reverse=True)


def queue_position(run_id: str) -> int | None:
    """Position in the queue of all people, 1 being next; None: it is not queued."""
    return position_in_queue(run_id, list_runs(statuses=[Status.QUEUED], limit=UNFINISHED))


def _plain(value: Any) -> Hashable:
    """A filter as a key."""
    return value if value is None or isinstance(value, str | int) else tuple(sorted(value))


def learning_runs(*, kinds: Collection[str] = TRAINED, **filters) -> list[Run]:
    """Runs that train or fine-tune a network: own ones first, newest first, the starter last.

    Args:
        kinds: of jobs.
        **filters: see `RunStore.list`.
    """
    own = own_id()
    # Asked for apart: a class makes more runs than one list holds.
    owners = [None] if own is None else [own, None]
    found = {
        run.id: run
        for kind in kinds
        for owner in owners
        for run in list_runs(kind=kind, owner=owner, **filters)
    }
    return sorted(
        found.values(), key=lambda run: (run.starter, run.owner != (own or ""), -_begun(run))
    )


def run_input_shape(run: Run) -> tuple[int, int, int]:
    """Height, width and channels of the images that a run's network takes."""
    try:
        return card(run.id).input_shape
    except CorruptRunError:  # it has no network (any more), and keeps its place in the lists
        return _published_shape(run)


def run_classes(run: Run) -> tuple[str, ...]:
    """Names of a finished run's classes, as they are called now.

    Raises:
        UnknownDatasetError: its network and its data set are gone.
    """
    try:
        return card(run.id).class_names
    except CorruptRunError:
        return dataset_info(str(run.spec["dataset"])).class_names


def _published_shape(run: Run) -> tuple[int, int, int]:
    model = network_name(run.spec)
    if model in models.list_pretrained():
        size = run.spec.get("size") or pretrained_info(model).size
        return size, size, 3
    if model == models.UPLOADED_MODEL:  # of a file, which nobody has any more
        return 0, 0, 0
    shape = models.model_info(model).input_shape
    with suppress(UnknownDatasetError):  # an imported data set may have been deleted
        shape = dataset_info(str(run.spec["dataset"])).input_shape
    size = run.spec.get("size")
    return (size, size, shape[2]) if size else shape


def _begun(run: Run) -> float:
    return run.created.timestamp() if run.created else 0.0
