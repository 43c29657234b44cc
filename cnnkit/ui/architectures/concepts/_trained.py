"""What the ideas that train networks have in common."""

from __future__ import annotations

import streamlit as st

from cnnkit.ui.common import cache

ASKED_BY = "a learner's notes on Coursera's Convolutional Neural Networks, week 2"
IMAGES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


def learning_controls(key: str) -> dict[str, int]:
    """How long both networks learn: keyword arguments `images` and `epochs`."""
    images, _ = cache.digits().part("train")
    offered = [count for count in IMAGES if count <= len(images)]
    usual = 5_000 if 5_000 in offered else offered[-1]
    return {
        "images": st.select_slider(
            "Images to learn from", offered, usual, key=f"{key}_images", bind="query-params"
        ),
        "epochs": st.slider("Epochs", 1, 20, 4, key=f"{key}_epochs", bind="query-params"),
    }
