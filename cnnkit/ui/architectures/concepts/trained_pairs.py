"""Pairs of networks that differ in one option: shortcuts, or auxiliary classifiers."""

from __future__ import annotations

import streamlit as st

from cnnkit.training import Recipe
from cnnkit.ui.architectures import NOTES
from cnnkit.ui.architectures.paired_training import RecipePair, show_pair
from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import question

IMAGES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
DEPTHS = (8, 14, 20, 32, 44, 56)
# The keys of the controls stand in addresses that people have kept: they do not change.
DEPTH_KEY, AUXILIARY_KEY = "twin_depth", "twin_auxiliary"


def training_controls(key: str) -> dict[str, int]:
    """Size of the training set, and epochs: keyword arguments `images` and `epochs`."""
    images, _ = cache.digits().part("train")
    offered = [count for count in IMAGES if count <= len(images)]
    if st.session_state.get(f"{key}_images") not in (None, *offered):
        del st.session_state[f"{key}_images"]  # an address may name any number
    usual = 5_000 if 5_000 in offered else offered[-1]
    return {
        "images": st.select_slider(
            "Training images", offered, usual, key=f"{key}_images", bind="query-params"
        ),
        "epochs": st.slider("Epochs", 1, 20, 4, key=f"{key}_epochs", bind="query-params"),
    }


def show_depth_comparison() -> None:
    """Controls, gradients and learning curves of a residual and a plain network."""
    question(
        "Why does a plain network get worse when it becomes deeper?",
        NOTES,
        "In theory more layers can only help: the added ones could learn the identity. In "
        "practice a deep plain network is hard to train, and its training error rises. With "
        "shortcuts the same layers, from the same initial weights, can be trained.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        depth = st.select_slider(
            "Depth",
            DEPTHS,
            20,
            key=DEPTH_KEY,
            bind="query-params",
            help="Layers with weights from the image to the output.",
        )
        amount = training_controls(DEPTH_KEY)
    show_pair(depth_pair(depth, **amount), key=f"depth {depth}")
    st.caption(
        "ResNet for small images with 8, 16 and 32 filters, with batch normalization in both "
        "networks. Train them with 8 layers, then with 44, and compare."
    )


def depth_pair(depth: int, *, images: int, epochs: int) -> RecipePair:
    """Two recipes that differ in the shortcuts alone."""
    dataset = cache.digits().name

    def recipe(skips: bool) -> Recipe:
        return Recipe(
            name="pair",
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

    return RecipePair({"residual": recipe(True), "plain": recipe(False)})


def show_auxiliary_classifiers() -> None:
    """Controls, gradients and learning curves with and without auxiliary classifiers."""
    question(
        "What do classifiers in the middle of a network do?",
        NOTES,
        "Each adds 0.3 times its own loss, so the first half of the network gets a gradient by a "
        "shorter path, and has to give features that can be classified already. After training "
        "they are removed. They regularize a little, but do not make a deep network trainable.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        amount = training_controls(AUXILIARY_KEY)
    show_pair(auxiliary_pair(**amount), key="auxiliary classifiers")
    st.caption(
        "GoogLeNet for small images: nine Inception modules with an eighth of the filters, "
        "auxiliary classifiers after modules 4a and 4d. The curves show the loss of the last "
        "classifier alone."
    )


def auxiliary_pair(*, images: int, epochs: int) -> RecipePair:
    """Two recipes that differ in the auxiliary classifiers alone."""
    dataset = cache.digits().name

    def recipe(auxiliary: bool) -> Recipe:
        return Recipe(
            name="pair",
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

    return RecipePair({"with auxiliary": recipe(True), "without": recipe(False)})
