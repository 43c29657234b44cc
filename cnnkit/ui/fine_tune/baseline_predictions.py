"""The network before and after it was fine-tuned, asked about the same image."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnkit.errors import CorruptRunError
from cnnkit.figures.bars import top_k_bars
from cnnkit.jobs.kinds.train import BASELINE
from cnnkit.predict import top_k
from cnnkit.runs import Run
from cnnkit.ui.common import cache, charts, inputs
from cnnkit.ui.fine_tune import test_set

ANSWERS = 5


def show_baseline_predictions(run: Run) -> None:
    """One test image, and what both said to it.

    Raises:
        AssetUnavailableError, CorruptAssetError, CorruptRunError
    """
    from cnnkit.training.results import BaselinePredictions

    try:
        before = BaselinePredictions.read(cache.store().artifact(run.id, BASELINE))
    except CorruptRunError:  # there is no such file
        st.caption("It started from random weights, so there are no earlier predictions.")
        return
    images, labels = test_set.part(run)
    number = inputs.image_picker(
        min(len(images), len(before.names)), label="Test image", parameter="test_image"
    )
    names, after = cache.card(run.id).class_names, cache.predictions(run.id)
    image, left, right = st.columns([1.3, 2, 2], gap="medium")
    with image:
        truth = names[labels[number]]
        charts.photo(
            images[number], alt=f"A test image of {truth}", width=160, caption=f"It is {truth}."
        )
    with left:
        _answers(f"{before.network} before", before.names[number], before.probabilities[number])
    with right:
        now = top_k(after.logits[number], names, ANSWERS)
        _answers("Now", [one.name for one in now], [one.probability for one in now])
    st.caption(
        "Before, it can only answer with one of the classes that it knew: ImageNet has daisies, "
        "but no sunflower."
    )


def _answers(words: str, names: Sequence[str], shares: Sequence[float]) -> None:
    st.markdown(f"**{words}**")
    charts.chart(
        top_k_bars(list(shares), list(names)),
        alt=f"{words}: "
        + ", ".join(f"{name} {share:.1%}" for name, share in zip(names, shares, strict=True)),
        key=f"before_{words}",
    )
