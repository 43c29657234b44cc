"""The first images on Home: misclassified images and first filters of the starter network.

Read from the starter's files alone. Neither Keras nor MLflow is loaded for it.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import streamlit as st

from cnnkit.runs import STARTER_ID, RunStore
from cnnkit.settings import get_settings
from cnnkit.training.predictions import Predictions
from cnnkit.ui.common import charts

MISCLASSIFIED = 10  # images


@dataclass(frozen=True, eq=False)
class Showcase:
    """Some images that a network misclassified, and its first filters.

    Args:
        images: uint8 (images, 28, 28), the most confident errors first.
        labels: int (images,), true classes.
        predicted: int (images,), predicted classes.
        filters: float (filters, height, width) of the first layer.
    """

    images: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    filters: np.ndarray


@st.cache_data(show_spinner=False, max_entries=1)
def load_showcase() -> Showcase:
    """Read the starter's files.

    Raises:
        CorruptRunError, CorruptAssetError: a file is missing or damaged.
    """
    store = RunStore(get_settings())
    predictions = Predictions.read(store.artifact(STARTER_ID, "predictions.npz"))
    with np.load(store.artifact(STARTER_ID, "examples.npz"), allow_pickle=False) as file:
        images, indices = file["images"][..., 0], file["indices"]
    labels, predicted = predictions.labels[indices], predictions.predicted[indices]
    wrong = np.flatnonzero(labels != predicted)[:MISCLASSIFIED]
    return Showcase(
        images[wrong],
        labels[wrong],
        predicted[wrong],
        first_filters(store.artifact(STARTER_ID, "model.keras")),
    )


def first_filters(path: Path) -> np.ndarray:
    """The kernels of the first convolution in a `.keras` file.

    Args:
        path: of the file, which is a ZIP archive with the weights in HDF5.

    Returns:
        float32 (filters, height, width) of the first input channel.
    """
    import h5py  # .1 s, where Keras takes 5

    with zipfile.ZipFile(path) as archive:
        weights = BytesIO(archive.read("model.weights.h5"))
    kernels: list[np.ndarray] = []

    def add_kernel(name: str, item) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim == 4:
            kernels.append(item[()])

    with h5py.File(weights, "r") as file:
        file.visititems(add_kernel)
    first = min(kernels, key=lambda kernel: kernel.shape[2])  # fewest input channels
    return first[:, :, 0, :].transpose(2, 0, 1)


def show_showcase(showcase: Showcase, title: str, error: float) -> None:
    """Draw the misclassified images with captions, and the filters beside them."""
    left, right = st.columns([2, 1], gap="medium")
    with left:
        st.markdown(
            f"**Misclassified images**  \n:gray[{title}, {100 * (1 - error):.2f} % test accuracy]"
        )
        charts.thumbnails(
            showcase.images,
            [f"{true} → :red[{predicted}]" for true, predicted in _pairs(showcase)],
            alts=[
                f"Handwritten {true}, predicted class {predicted}"
                for true, predicted in _pairs(showcase)
            ],
            width=84,
        )
    with right:
        count, height, width = showcase.filters.shape
        st.markdown(
            f"**First-layer filters**  \n:gray[{count} filters of {height}×{width} weights]"
        )
        charts.montage(
            showcase.filters,
            columns=5,
            scale=8,
            colors="diverging",
            alt=f"{count} filters of {height}×{width} weights, blue positive",
        )
        st.caption("True class → predicted class. Filters: blue is positive, orange negative.")


def _pairs(showcase: Showcase) -> list[tuple[int, int]]:
    return [(int(t), int(r)) for t, r in zip(showcase.labels, showcase.predicted, strict=True)]
