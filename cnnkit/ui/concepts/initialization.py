"""Weight initialization: zeros, a constant and small noise side by side."""

from __future__ import annotations

import streamlit as st

from cnnkit.backprop.training import one_thread
from cnnkit.concepts.perceptron import (
    INITIALIZATIONS,
    Snapshot,
    different_units,
    gradient_descent,
    perceptron,
    small_images,
)
from cnnkit.figures.curves import lines
from cnnkit.ui.common import cache
from cnnkit.ui.common.charts import chart, montage
from cnnkit.ui.common.messages import question

IMAGES, SIDE, UNITS, STEPS, RATE = 300, 14, 12, 150, 0.3
TITLES = {"zeros": "Zeros", "constant": "A constant", "noise": "Small noise"}


def show_initialization() -> None:
    """Controls, the weights of each initialization, and their learning curves."""
    question(
        "Why are weights initialized with a little noise, and what is symmetry breaking?",
        "a learner's notes on TensorFlow's MNIST tutorials (Deep MNIST for Experts)",
        "Hidden units with equal weights get equal gradients, so they stay equal, and twelve "
        "of them compute no more than one. A little noise breaks the symmetry, and each unit "
        "can learn something else.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        scale = st.select_slider(
            "Scale of the initial weights",
            options=[0.0001, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
            value=0.03,
            key="noise_size",
            bind="query-params",
            help="The constant itself, or the standard deviation of the noise.",
        )
        step = st.slider(
            "Training step shown",
            0,
            STEPS,
            STEPS,
            step=5,
            key="noise_step",
            bind="query-params",
        )
    paths = _trained(scale)
    for column, kind in zip(st.columns(3), INITIALIZATIONS, strict=True):
        with column:
            _show_snapshot(kind, next(s for s in paths[kind] if s.step == step))
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
        alt=f"Accuracy over {STEPS} steps: "
        + ", ".join(f"{TITLES[k]} {path[-1].accuracy:.0%}" for k, path in paths.items()),
    )
    st.caption(
        f"{UNITS} hidden tanh units are trained on {IMAGES} handwritten digits of {SIDE}×{SIDE} "
        f"pixels by {STEPS} steps of gradient descent, in NumPy. The percentages are training "
        "accuracy. Each tile shows one unit's weights: blue for positive, orange for negative. "
        "Try 3.0: large weights saturate tanh, and training is slow again."
    )


def _show_snapshot(kind: str, snapshot: Snapshot) -> None:
    different = different_units(snapshot.hidden)
    st.metric(TITLES[kind], f"{100 * snapshot.accuracy:.0f} %", border=False)
    montage(
        snapshot.hidden.T.reshape(UNITS, SIDE, SIDE),
        columns=4,
        scale=5,
        colors="diverging",
        alt=f"{TITLES[kind]}: weights of {UNITS} hidden units after step {snapshot.step}, "
        f"{different} of them different",
    )
    if different == 1:
        st.markdown(f":orange-badge[{UNITS} identical units]")
    else:
        st.markdown(f":green-badge[{different} different units]")


@st.cache_data(max_entries=16, show_spinner="Training three small networks …")
def _trained(scale: float) -> dict[str, list[Snapshot]]:
    images, labels = cache.dataset("digits").part("train")
    inputs, labels = small_images(images[:IMAGES], SIDE), labels[:IMAGES]
    paths = {}
    with one_thread():
        for kind in INITIALIZATIONS:
            network = perceptron(kind, inputs=inputs.shape[1], units=UNITS, classes=10, scale=scale)
            paths[kind] = list(
                gradient_descent(network, inputs, labels, steps=STEPS, learning_rate=RATE, every=5)
            )
    return paths
