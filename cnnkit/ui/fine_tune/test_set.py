"""The images that a network was tested on, where a split seed divides them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.runs import Run


def part(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of the test part, in the order of the predictions.

    Raises:
        UnknownDatasetError, AssetUnavailableError, CorruptAssetError
    """
    spec = run.spec
    return _part(str(spec["dataset"]), int(spec.get("split_seed", 0)), spec.get("per_class"))


@st.cache_resource(max_entries=4, show_spinner="Reading the test images …")
def _part(name: str, split_seed: int, per_class: int | None) -> tuple[np.ndarray, np.ndarray]:
    from cnnkit.datasets import load_dataset

    return load_dataset(name, split_seed=split_seed, per_class=per_class).part("test")
