from __future__ import annotations

import numpy as np
import pytest
import streamlit as st

from cnnkit.datasets import load_dataset
from cnnkit.errors import IncompatibleError
from cnnkit.runs import Run, Status
from cnnkit.training.predictions import Predictions
from cnnkit.ui.common.mistakes import EvaluatedImages, images_of


@pytest.fixture(autouse=True)
def fresh_caches():
    st.cache_resource.clear()


def run_on(dataset, seed=0):
    spec = {"dataset": dataset, "seed": seed}
    return Run(id="x", name="x", kind="train", status=Status.FINISHED, spec=spec)


def answers_to(labels):
    return Predictions(logits=np.eye(10)[labels], labels=labels)


def test_all_images_are_found_at_their_places():
    images, labels = load_dataset("digits").part("test")
    places, found = images_of(run_on("digits"), answers_to(labels)).at(np.array([7, 3]))
    assert places.tolist() == [7, 3]
    assert np.array_equal(found, images[[7, 3]])


def test_of_shipped_examples_only_those_that_are_there_are_found():
    tested = EvaluatedImages(np.arange(3).reshape(3, 1, 1, 1), indices=np.array([40, 10, 20]))
    places, found = tested.at(np.array([10, 11, 40]))
    assert places.tolist() == [10, 40]
    assert found.ravel().tolist() == [1, 0]


def test_patterns_are_those_of_the_runs_own_seed():
    images, labels = load_dataset("toy_patterns", seed=5).part("test")
    tested = images_of(run_on("toy_patterns", seed=5), answers_to(labels))
    assert np.array_equal(tested.images, images)


def test_other_test_images_than_the_runs_are_refused():
    labels = load_dataset("digits").part("test")[1]
    with pytest.raises(IncompatibleError, match="not those"):
        images_of(run_on("digits"), answers_to(labels[::-1]))
