"""Bias and activation before or after pooling."""

from __future__ import annotations

import streamlit as st

from cnnkit.concepts.pooling import ACTIVATIONS, FILTERS, MONOTONIC, POOLINGS, Orders, both_orders
from cnnkit.figures import rasters
from cnnkit.ui.common import cache
from cnnkit.ui.common.charts import image, montage
from cnnkit.ui.common.inputs import image_picker
from cnnkit.ui.concepts._frame import question


def draw() -> None:
    """Draw the experiment."""
    question(
        "Bias and activation before pooling or after it: is either all right?",
        "aidiary: Implementing a convolutional neural network with Theano (1)",
        "With max pooling and an activation that never falls, both give exactly the same numbers: "
        "the largest stays the largest, so it does not matter when it is picked. After pooling is "
        "cheaper, a quarter of the work; with average pooling or a falling activation they differ.",
    )
    left, right = st.columns([2, 5], gap="large")
    with left:
        dataset = cache.digits()
        images, labels = dataset.part("test")
        number = image_picker(len(images), label="Digit")
        settings = {
            name: st.selectbox(label, list(options), key=f"pooling_{name}", bind="query-params")
            for name, label, options in (
                ("kernel", "Filter", FILTERS),
                ("activation", "Activation", ACTIVATIONS),
                ("pooling", "Pooling", POOLINGS),
            )
        }
        bias = st.slider("Bias", -1.0, 1.0, -0.3, 0.1, key="pooling_bias", bind="query-params")
    with right:
        image = images[number, ..., 0]
        orders = both_orders(image, bias=bias, **settings)
        _images(orders, image, int(labels[number]), settings["kernel"])
        _verdict(orders, **settings)


def _images(orders: Orders, digit, label: int, kernel: str) -> None:
    with st.container(horizontal=True, gap="small"):
        with st.container(width=150):
            image(digit, alt=f"The handwritten digit {label}", width=150, caption="image, 28×28")
        with st.container(width=150):
            montage(
                orders.convolved[None], columns=1, scale=7, colours="diverging", width=150,
                alt=f"The image filtered for {kernel}",
            )  # fmt: skip
            st.caption(f"filtered for {kernel}, 24×24")
    largest = max(abs(orders.pooled_first).max(), abs(orders.activated_first).max(), 1e-9)
    gap = orders.pooled_first - orders.activated_first
    with st.container(horizontal=True, gap="small"):
        for values, title, alt in (
            (orders.pooled_first / largest, "pool, then bias and activation", "Pooled first"),
            (orders.activated_first / largest, "bias and activation, then pool", "Pooled last"),
            (gap / largest, "difference", f"Difference, at most {orders.difference:.3g}"),
        ):
            with st.container(width=150):
                tile = rasters.enlarged(rasters.coloured(values, "diverging"), 14)
                image(tile, alt=alt, width=150)
                st.caption(title)


def _verdict(orders: Orders, kernel: str, activation: str, pooling: str) -> None:
    after, before = orders.activations
    if orders.difference == 0:
        st.success(
            f"Exactly equal, and {activation} was computed {after} times instead of {before}.",
            icon=":material/equal:",
        )
        return
    if pooling == "average":
        why = f"the average of {activation} is not {activation} of the average"
    else:
        why = f"{activation} falls for negative numbers, so the largest need not stay the largest"
    st.warning(
        f"They differ by up to {orders.difference:.3f}: {why}.", icon=":material/difference:"
    )
    if activation not in MONOTONIC:
        st.caption("tanh, ReLU and sigmoid never fall: choose one of them with maximum pooling.")
