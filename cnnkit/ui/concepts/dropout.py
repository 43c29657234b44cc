"""Dropout on and off: a small real experiment."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop import Dropout
from cnnkit.backprop.training import one_thread
from cnnkit.concepts.perceptron import DropoutCurves, small_images, train_with_dropout
from cnnkit.figures.curves import lines
from cnnkit.figures.style import BLUE, ORANGE
from cnnkit.ui.common import cache
from cnnkit.ui.common.charts import chart, montage
from cnnkit.ui.common.messages import question

IMAGES, UNITS, EPOCHS = 200, 128, 60


def show_dropout() -> None:
    """Controls, learning curves and dropout masks."""
    question(
        "What does dropout do, and when does it help?",
        "a learner's notes on TensorFlow's MNIST tutorials (Deep MNIST for Experts)",
        "Each training step uses another random part of the units, so no unit can rely on the "
        "others to memorize a single image. The network fits its training images less and "
        "generalizes better, most of all when there are few images or some labels are wrong.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rate = st.slider(
            "Dropout rate",
            0.1,
            0.9,
            0.5,
            0.1,
            key="dropout_rate",
            bind="query-params",
            help="Share of the hidden units that each training step leaves out.",
        )
        wrong = st.slider(
            "Label noise",
            0.0,
            0.4,
            0.3,
            0.1,
            key="dropout_wrong",
            bind="query-params",
            help="Share of the training labels that are replaced by another class.",
        )
        seed = st.number_input(
            "Random seed", 0, 99, 0, key="dropout_seed", bind="query-params", width=130
        )
    off, on = _trained(0.0, wrong, seed), _trained(rate, wrong, seed)
    left, right = st.columns([5, 2], gap="large")
    with left:
        chart(
            _curves(off, on),
            alt="Accuracy over the epochs: at the end "
            f"{off.test_accuracy[-1]:.0%} of the test images without dropout, "
            f"{on.test_accuracy[-1]:.0%} with it",
        )
    with right:
        _metrics(off, on)
        masks = Dropout("dropout", rate, seed).forward(np.ones((8, UNITS)), training=True)
        montage(
            masks.reshape(8, 8, UNITS // 8),
            columns=4,
            scale=4,
            alt=f"Dropout masks of the {UNITS} hidden units for eight images, white for kept units",
        )
        st.caption(f"Dropout masks of the {UNITS} units for eight images (white: kept).")
    st.caption(
        f"A network of {UNITS} ReLU units is trained twice from the same initial weights, on "
        f"{IMAGES} digits for {EPOCHS} epochs with Adam, and tested on 360 others. Results vary "
        "with the random seed: try several. Without label noise the two are much alike."
    )


def _curves(off: DropoutCurves, on: DropoutCurves):
    epochs = range(EPOCHS + 1)
    series = {
        "without dropout, test": (epochs, off.test_accuracy),
        "with dropout, test": (epochs, on.test_accuracy),
        "without dropout, training": (epochs, off.train_accuracy),
        "with dropout, training": (epochs, on.train_accuracy),
    }
    return lines(
        series,
        x_title="epoch",
        y_title="accuracy",
        percent=True,
        dashed=("without dropout, training", "with dropout, training"),
        colors={name: ORANGE if name.startswith("without") else BLUE for name in series},
        height=380,
    )


def _metrics(off: DropoutCurves, on: DropoutCurves) -> None:
    gained = 100 * (on.test_accuracy[-1] - off.test_accuracy[-1])
    st.metric(
        "Test accuracy with dropout",
        f"{100 * on.test_accuracy[-1]:.1f} %",
        f"{gained:+.1f} points against no dropout",
    )
    st.markdown(
        f"Generalization gap (training less test accuracy): **{100 * off.gap:.0f}** points "
        f"without, **{100 * on.gap:.0f}** with dropout."
    )


@st.cache_data(max_entries=32, show_spinner="Training a small network …")
def _trained(rate: float, wrong: float, seed: int) -> DropoutCurves:
    dataset = cache.dataset("digits")
    images, labels = (array[:IMAGES] for array in dataset.part("train"))
    test_images, test_labels = dataset.part("test")
    generator = np.random.default_rng(seed)
    # Another class for certain, so that the fraction means what it says.
    shift = generator.integers(1, 10, len(labels)) * (generator.random(len(labels)) < wrong)
    with one_thread():
        return train_with_dropout(
            (small_images(images), (labels + shift) % 10),
            (small_images(test_images), test_labels),
            rate=rate,
            units=UNITS,
            epochs=EPOCHS,
            seed=seed,
        )
