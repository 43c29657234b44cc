"""Small perceptrons trained on the page: weight initialization, and dropout."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop import Dropout
from cnnkit.backprop.training import one_thread
from cnnkit.concepts.perceptron import (
    INITIALIZATIONS,
    DropoutCurves,
    Snapshot,
    different_units,
    gradient_descent,
    perceptron,
    small_images,
    train_with_dropout,
)
from cnnkit.figures.curves import lines
from cnnkit.figures.style import BLUE, ORANGE
from cnnkit.ui.common import cache
from cnnkit.ui.common.charts import chart, montage
from cnnkit.ui.common.messages import question

IMAGES, SIDE, UNITS, STEPS, RATE = 300, 14, 12, 150, 0.3
FEW, WIDTH, EPOCHS = 200, 128, 60  # images, units and epochs of the training with dropout
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
    off, on = _trained_with_dropout(0.0, wrong, seed), _trained_with_dropout(rate, wrong, seed)
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
        masks = Dropout("dropout", rate, seed).forward(np.ones((8, WIDTH)), training=True)
        montage(
            masks.reshape(8, 8, WIDTH // 8),
            columns=4,
            scale=4,
            alt=f"Dropout masks of the {WIDTH} hidden units for eight images, white for kept units",
        )
        st.caption(f"Dropout masks of the {WIDTH} units for eight images (white: kept).")
    st.caption(
        f"A network of {WIDTH} ReLU units is trained twice from the same initial weights, on "
        f"{FEW} digits for {EPOCHS} epochs with Adam, and tested on 360 others. Results vary "
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
def _trained_with_dropout(rate: float, wrong: float, seed: int) -> DropoutCurves:
    dataset = cache.dataset("digits")
    images, labels = (array[:FEW] for array in dataset.part("train"))
    test_images, test_labels = dataset.part("test")
    generator = np.random.default_rng(seed)
    # Another class for certain, so that the fraction means what it says.
    shift = generator.integers(1, 10, len(labels)) * (generator.random(len(labels)) < wrong)
    with one_thread():
        return train_with_dropout(
            (small_images(images), (labels + shift) % 10),
            (small_images(test_images), test_labels),
            rate=rate,
            units=WIDTH,
            epochs=EPOCHS,
            seed=seed,
        )
