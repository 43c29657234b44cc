"""Auxiliary classifiers on and off, in a small GoogLeNet."""

from __future__ import annotations

import streamlit as st

from cnnkit.training import Recipe
from cnnkit.ui.architectures.concepts._trained import ASKED_BY, learning_controls
from cnnkit.ui.architectures.paired_training import Twins, show
from cnnkit.ui.common import cache
from cnnkit.ui.concepts._frame import question


def draw() -> None:
    """Draw the experiment."""
    question(
        "What do classifiers in the middle of a network do?",
        ASKED_BY,
        "Each adds .3 of its own loss, so the first half of the network is told what to change "
        "by a shorter way, and may not learn only for the layers behind it. After training they "
        "are thrown away. They regularise a little; they are no cure.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        amount = learning_controls("twin_auxiliary")
    show(auxiliary_twins(**amount), key="auxiliary classifiers")
    st.caption(
        "GoogLeNet for small images: nine Inception modules with an eighth of the filters, "
        "auxiliary classifiers behind modules 4a and 4d. The drawn loss is that of the last "
        "classifier alone."
    )


def auxiliary_twins(*, images: int, epochs: int) -> Twins:
    """The two recipes; they differ in the auxiliary classifiers alone."""
    dataset = cache.digits().name

    def recipe(auxiliary: bool) -> Recipe:
        return Recipe(
            name="twins",
            model="googlenet_digits",
            model_options={"auxiliary": auxiliary},
            dataset=dataset,
            train_size=images,
            epochs=epochs,
            batch_size=64,
            optimizer="adam",
            learning_rate=2e-3,
            schedule="cosine",
            keep_best=None,
        )

    return Twins({"with auxiliary": recipe(True), "without": recipe(False)})
