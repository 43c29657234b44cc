"""The images that a network was tested on."""

from __future__ import annotations

import json

import numpy as np
import streamlit as st

from cnnkit.datasets import dataset_info
from cnnkit.runs import Run
from cnnkit.training.predictions import evaluation_dataset
from cnnkit.ui.common import cache


def part(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of the test part, in the order of the predictions.

    Raises:
        UnknownDatasetError, AssetUnavailableError, CorruptAssetError
    """
    decisive = ("dataset", "seed", "split_seed", "head")
    spec = {name: run.spec[name] for name in decisive if name in run.spec}
    name = str(run.spec["dataset"])
    if dataset_info(name).asset and dataset_info(name).kind == "small":
        return cache.dataset(name).part("test")  # as published, whatever the seeds
    return _part(json.dumps(spec, sort_keys=True))


@st.cache_resource(max_entries=4, show_spinner="Reading the test images …")
def _part(spec: str) -> tuple[np.ndarray, np.ndarray]:
    return evaluation_dataset(json.loads(spec)).part("test")
