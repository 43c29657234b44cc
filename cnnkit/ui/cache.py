"""Everything the pages keep between two clicks, all of it bounded.

What is shared by all visitors (`st.cache_resource`) is read only: models, data sets,
the record, the pool of jobs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cnnkit.datasets import Dataset, dataset_info, load_dataset
from cnnkit.ideas.softmax import softmax
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import get_settings
from cnnkit.training.mistakes import Predictions

if TYPE_CHECKING:
    from keras import Model

    from cnnkit.jobs import JobPool
    from cnnkit.models import ModelCard

CHUNK = 256  # pictures at once: more needs more memory and is no faster on a CPU


@dataclass(frozen=True, eq=False)
class CachedModel:
    """A trained network that all visitors share: read it, never train or change it."""

    model: Model
    card: ModelCard
    lock: threading.Lock = field(default_factory=threading.Lock)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """What the network answers.

        Args:
            images: (pictures, height, width, channels), 0 to 255.

        Returns:
            float32 (pictures, classes).
        """
        # Not `predict`: that takes 60 ms and leaks memory with every call.
        with self.lock:
            chunks = [
                np.asarray(self.model(np.float32(images[i : i + CHUNK]), training=False))
                for i in range(0, len(images), CHUNK)
            ]
        return np.concatenate(chunks)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """The same as probabilities: float64 (pictures, classes), each row sums to 1."""
        return softmax(self.logits(images))


@st.cache_resource(show_spinner="Opening the record of runs …")
def store() -> RunStore:
    """The record of runs, opened.

    Raises:
        StorageError: it does not answer.
    """
    opened = RunStore(get_settings())
    _ = opened.client  # imports MLflow, which takes a second or two: here, under the spinner
    return opened


@st.cache_resource(show_spinner="Starting the job runner …")
def jobs() -> JobPool:
    """The pool that runs jobs, with what an earlier server left taken up again."""
    from cnnkit.jobs import JobPool  # Dask: some hundred milliseconds, needed to start jobs only

    pool = JobPool(get_settings(), store())
    pool.recover()
    return pool


@st.cache_resource(
    max_entries=8, show_spinner="Loading the network; the first takes some seconds …"
)
def model(run_id: str) -> CachedModel:
    """The trained network of a finished run, ready to answer.

    Raises:
        RunNotFoundError, CorruptRunError, CorruptAssetError
    """
    from cnnkit.models import load_model

    file = store().artifact(run_id, "model.keras")
    store().artifact(run_id, "card.json")  # comes to lie beside it
    with _loading():
        loaded = CachedModel(*load_model(file.parent))
        loaded.logits(np.zeros((1, *loaded.card.input_shape)))  # the first call is the slow one
    return loaded


@st.cache_resource(max_entries=4, show_spinner="Reading the pictures …")
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
    """What a finished run's network answered to the test part.

    Raises:
        RunNotFoundError, CorruptRunError, CorruptAssetError
    """
    return Predictions.read(store().artifact(run_id, "predictions.npz"))


def finished_runs(input_shape: tuple[int, int, int] | None = None) -> list[Run]:
    """Runs with a trained network, newest first, the starter last.

    Args:
        input_shape: only networks that take such pictures; None: any.
    """
    runs = store().list(kind="train", statuses=[Status.FINISHED])
    if input_shape is None:
        return runs
    return [run for run in runs if run_input_shape(run) == input_shape]


def run_input_shape(run: Run) -> tuple[int, int, int]:
    """Height, width and channels of the pictures that a run's network takes."""
    return dataset_info(run.spec["dataset"]).input_shape


@st.cache_resource(show_spinner=False)
def _loading() -> threading.Lock:
    """One model at a time: Keras counts names and seeds for the whole process."""
    return threading.Lock()
