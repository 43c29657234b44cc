"""Why start from small noise? Zeros, constants and noise side by side."""

from __future__ import annotations

import streamlit as st

from cnnkit.concepts.perceptron import (
    STARTS,
    Perceptron,
    Snapshot,
    descend,
    different_units,
    small_images,
)
from cnnkit.figures.curves import lines
from cnnkit.ui.common import cache
from cnnkit.ui.common.charts import chart, montage
from cnnkit.ui.concepts._frame import one_thread, question

IMAGES, SIDE, UNITS, STEPS, RATE = 300, 14, 12, 150, 0.3
TITLES = {"zeros": "All zeros", "constant": "All the same", "noise": "Small noise"}


def draw() -> None:
    """Draw the experiment."""
    question(
        "Why do weights start as a little noise, and what is symmetry breaking?",
        "a learner's notes on TensorFlow's MNIST tutorials (Deep MNIST for Experts)",
        "Hidden units that start equal get equal gradients, so they stay equal for ever and a "
        "layer of twelve is worth one. A little noise makes each of them different, and from "
        "then on each can learn something of its own.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        scale = st.select_slider(
            "Size of the start values",
            options=[0.0001, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
            value=0.03,
            key="noise_size",
            bind="query-params",
            help="The constant itself, or the standard deviation of the noise.",
        )
        step = st.slider(
            "Show the weights after this many steps",
            0,
            STEPS,
            STEPS,
            step=5,
            key="noise_step",
            bind="query-params",
        )
    paths = _learnt(scale)
    for column, kind in zip(st.columns(3), STARTS, strict=True):
        with column:
            _one(kind, next(s for s in paths[kind] if s.step == step))
    chart(
        lines(
            {
                TITLES[kind]: ([s.step for s in path], [s.accuracy for s in path])
                for kind, path in paths.items()
            },
            x_title="step",
            y_title="accuracy",
            percent=True,
            marked=step,
            height=260,
        ),
        alt="Accuracy over the steps: only the network that began with noise learns to read",
    )
    st.caption(
        f"{UNITS} hidden tanh units read {IMAGES} handwritten digits of {SIDE}×{SIDE} pixels, "
        f"{STEPS} steps of gradient descent, computed just now in NumPy. Each tile is one unit's "
        "weights: blue for positive, orange for negative. Try 3.0: too much noise saturates "
        "tanh, and learning slows down again. That is why the noise is small."
    )


def _one(kind: str, snapshot: Snapshot) -> None:
    different = different_units(snapshot.hidden)
    st.metric(TITLES[kind], f"{100 * snapshot.accuracy:.0f} %", border=False)
    montage(
        snapshot.hidden.T.reshape(UNITS, SIDE, SIDE),
        columns=4,
        scale=5,
        colours="diverging",
        alt=f"Weights of {UNITS} hidden units, {different} of them different",
    )
    if different == 1:
        st.markdown(f":orange-badge[{UNITS} units, worth 1]")
    else:
        st.markdown(f":green-badge[{different} different units]")


@st.cache_data(max_entries=16, show_spinner="Training three small networks …")
def _learnt(scale: float) -> dict[str, list[Snapshot]]:
    images, labels = cache.dataset("digits").part("train")
    inputs, labels = small_images(images[:IMAGES], SIDE), labels[:IMAGES]
    paths = {}
    with one_thread():
        for kind in STARTS:
            network = Perceptron.start(
                kind, inputs=inputs.shape[1], units=UNITS, classes=10, scale=scale
            )
            paths[kind] = list(
                descend(network, inputs, labels, steps=STEPS, learning_rate=RATE, every=5)
            )
    return paths
