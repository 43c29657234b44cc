"""Dropout on and off: a small real experiment."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.concepts.dropout import Learning, learn, mask
from cnnkit.concepts.perceptron import small_images
from cnnkit.figures._style import BLUE, ORANGE
from cnnkit.figures.curves import lines
from cnnkit.ui.common import cache
from cnnkit.ui.common.charts import chart, montage
from cnnkit.ui.concepts._frame import one_thread, question

IMAGES, UNITS, EPOCHS = 200, 128, 60


def draw() -> None:
    """Draw the experiment."""
    question(
        "What does dropout do, and when does it help?",
        "a learner's notes on TensorFlow's MNIST tutorials (Deep MNIST for Experts)",
        "Each image is learnt by another random half of the units, so none can rely on the "
        "others to remember a single image for it. The network learns its images less "
        "perfectly and new ones better, most of all when there are few or some labels are wrong.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rate = st.slider(
            "Units switched off", 0.1, 0.9, 0.5, 0.1, key="dropout_rate", bind="query-params"
        )
        wrong = st.slider(
            "Labels made wrong on purpose",
            0.0,
            0.4,
            0.3,
            0.1,
            key="dropout_wrong",
            bind="query-params",
        )
        seed = st.number_input("Seed", 0, 99, 0, key="dropout_seed", bind="query-params", width=110)
    off, on = _learnt(0.0, wrong, seed), _learnt(rate, wrong, seed)
    left, right = st.columns([5, 2], gap="large")
    with left:
        chart(_curves(off, on), alt="Accuracy over the epochs with and without dropout")
    with right:
        _figures(off, on)
        montage(
            mask((8, UNITS), rate, np.random.default_rng(seed)).reshape(8, 8, UNITS // 8),
            columns=4,
            scale=4,
            alt="Which hidden units work for each of eight images, white for on",
        )
        st.caption("Which of the 128 units work (white) for each of eight images.")
    st.caption(
        f"{UNITS} ReLU units learn {IMAGES} digits for {EPOCHS} epochs with Adam, twice from "
        "the same start, and read 360 new ones. One seed is one throw of the dice: try others. "
        "With no wrong labels the two come out much alike."
    )


def _curves(off: Learning, on: Learning):
    epochs = range(EPOCHS + 1)
    series = {
        "off, new images": (epochs, off.test_accuracy),
        "on, new images": (epochs, on.test_accuracy),
        "off, learnt images": (epochs, off.train_accuracy),
        "on, learnt images": (epochs, on.train_accuracy),
    }
    return lines(
        series,
        x_title="epoch",
        y_title="accuracy",
        percent=True,
        dashed=("off, learnt images", "on, learnt images"),
        colours={name: ORANGE if name.startswith("off") else BLUE for name in series},
        height=380,
    )


def _figures(off: Learning, on: Learning) -> None:
    gained = 100 * (on.test_accuracy[-1] - off.test_accuracy[-1])
    st.metric(
        "New images, with dropout",
        f"{100 * on.test_accuracy[-1]:.1f} %",
        f"{gained:+.1f} points against none",
    )
    st.markdown(
        f"Gap between learnt and new: **{100 * off.gap:.0f}** points without, "
        f"**{100 * on.gap:.0f}** with dropout."
    )


@st.cache_data(max_entries=32, show_spinner="Training a small network …")
def _learnt(rate: float, wrong: float, seed: int) -> Learning:
    dataset = cache.dataset("digits")
    images, labels = (array[:IMAGES] for array in dataset.part("train"))
    test_images, test_labels = dataset.part("test")
    generator = np.random.default_rng(seed)
    # Another class for certain, so that the fraction means what it says.
    shift = generator.integers(1, 10, len(labels)) * (generator.random(len(labels)) < wrong)
    with one_thread():
        return learn(
            (small_images(images), (labels + shift) % 10),
            (small_images(test_images), test_labels),
            rate=rate,
            units=UNITS,
            epochs=EPOCHS,
            seed=seed,
        )
