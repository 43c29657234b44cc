"""Depth against trainability: a residual network and its plain twin."""

from __future__ import annotations

import streamlit as st

from cnnkit.training import Recipe
from cnnkit.ui.architectures.concepts._trained import ASKED_BY, learning_controls
from cnnkit.ui.architectures.paired_training import Twins, show
from cnnkit.ui.common import cache
from cnnkit.ui.concepts._frame import question

DEPTHS = (8, 14, 20, 32, 44, 56)


def draw() -> None:
    """Draw the experiment."""
    question(
        "Why does a plain network get worse when it becomes deeper?",
        ASKED_BY,
        "In theory more layers can only help: the added ones could pass on what they get. "
        "In practice they are hard to train, and the training error rises. With shortcuts the "
        "same layers, begun with the same weights, learn.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        depth = st.select_slider(
            "Layers with weights", DEPTHS, 20, key="twin_depth", bind="query-params"
        )
        amount = learning_controls("twin_depth")
    show(depth_twins(depth, **amount), key=f"depth {depth}")
    st.caption(
        "ResNet for small images with 8, 16 and 32 filters, batch normalisation in both. "
        "Train them 8 layers deep, then 44, and compare."
    )


def depth_twins(depth: int, *, images: int, epochs: int) -> Twins:
    """The two recipes; they differ in the shortcuts alone."""
    dataset = cache.digits().name

    def recipe(skips: bool) -> Recipe:
        return Recipe(
            name="twins",
            model="resnet_digits",
            model_options={"depth": depth, "width": 8, "skips": skips},
            dataset=dataset,
            train_size=images,
            epochs=epochs,
            batch_size=64,
            optimizer="sgd",
            momentum=0.9,
            learning_rate=0.05,
            schedule="cosine",
            keep_best=None,
        )

    return Twins({"with shortcuts": recipe(True), "plain": recipe(False)})
