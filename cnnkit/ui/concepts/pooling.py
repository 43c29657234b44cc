"""The order of bias, activation and pooling."""

from __future__ import annotations

import streamlit as st

from cnnkit.concepts.pooling import (
    ACTIVATIONS,
    FILTERS,
    MONOTONIC,
    POOLINGS,
    PoolingOrders,
    both_orders,
)
from cnnkit.figures import rasters
from cnnkit.ui.common import cache
from cnnkit.ui.common.charts import image, montage
from cnnkit.ui.common.inputs import image_picker
from cnnkit.ui.common.messages import question


def show_pooling_orders() -> None:
    """Controls, both results and their difference."""
    question(
        "Do bias and activation come before pooling or after it?",
        "aidiary: Implementing a convolutional neural network with Theano (1)",
        "With max pooling and a monotonic activation both orders give exactly the same numbers: "
        "the largest value stays the largest. Pooling first is cheaper, since it leaves a quarter "
        "of the activations to compute. With average pooling, or an activation that is not "
        "monotonic, the results differ.",
    )
    left, right = st.columns([2, 5], gap="large")
    with left:
        dataset = cache.digits()
        images, labels = dataset.part("test")
        number = image_picker(len(images), label="Digit")
        settings = {
            name: st.selectbox(
                label,
                list(options),
                key=f"pooling_{name}",
                bind="query-params",
                help=help_text,
            )
            for name, label, options, help_text in (
                ("kernel", "Filter", FILTERS, "The 5×5 kernel of the convolution."),
                ("activation", "Activation", ACTIVATIONS, "Applied to every value."),
                ("pooling", "Pooling", POOLINGS, "The largest, or the mean, of each 2×2 field."),
            )
        }
        bias = st.slider("Bias", -1.0, 1.0, -0.3, 0.1, key="pooling_bias", bind="query-params")
    with right:
        image = images[number, ..., 0]
        orders = both_orders(image, bias=bias, **settings)
        _images(orders, image, int(labels[number]), settings["kernel"])
        _comparison(orders, **settings)


def _images(orders: PoolingOrders, digit, label: int, kernel: str) -> None:
    with st.container(horizontal=True, gap="small"):
        with st.container(width=150):
            image(digit, alt=f"The handwritten digit {label}", width=150, caption="image, 28×28")
        with st.container(width=150):
            montage(
                orders.convolved[None], columns=1, scale=7, colors="diverging", width=150,
                alt=f"Feature map of the filter for {kernel}",
            )  # fmt: skip
            st.caption(f"feature map, {kernel}, 24×24")
    largest = max(abs(orders.pooled_first).max(), abs(orders.activated_first).max(), 1e-9)
    gap = orders.pooled_first - orders.activated_first
    with st.container(horizontal=True, gap="small"):
        for values, title, alt in (
            (
                orders.pooled_first / largest,
                "pooling, then bias and activation",
                "Feature map with pooling before the activation",
            ),
            (
                orders.activated_first / largest,
                "bias and activation, then pooling",
                "Feature map with pooling after the activation",
            ),
            (
                gap / largest,
                "difference",
                f"Difference of both feature maps, at most {orders.difference:.3g}",
            ),
        ):
            with st.container(width=150):
                tile = rasters.enlarged(rasters.colored(values, "diverging"), 14)
                image(tile, alt=alt, width=150)
                st.caption(title)


def _comparison(orders: PoolingOrders, kernel: str, activation: str, pooling: str) -> None:
    after, before = orders.activations
    if orders.difference == 0:
        st.success(
            f"Exactly equal. Pooling first computes {activation} {after} times instead of "
            f"{before}.",
            icon=":material/equal:",
        )
        return
    if pooling == "average":
        why = f"the average of {activation} is not {activation} of the average"
    else:
        why = f"{activation} is not monotonic, so the largest value need not stay the largest"
    st.warning(
        f"They differ by up to {orders.difference:.3f}: {why}.", icon=":material/difference:"
    )
    if activation not in MONOTONIC:
        st.caption("tanh, ReLU and sigmoid are monotonic: choose one of them with max pooling.")
