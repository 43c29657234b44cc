"""Softmax and cross-entropy on numbers that one can drag."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop import SoftmaxCrossEntropy
from cnnkit.figures.bars import signed_bars
from cnnkit.ui.common.charts import chart
from cnnkit.ui.common.messages import question

CLASSES: tuple[str, ...] = ("cat", "dog", "bird", "fish")
START = (2.0, 1.0, -0.5, 0.0)


def show_softmax() -> None:
    """Controls, and logits, probabilities and gradient as bars."""
    question(
        "What do softmax and cross-entropy do?",
        "a learner's notes on TensorFlow's MNIST tutorials (MNIST for ML Beginners)",
        "Softmax turns logits, which may be any numbers, into probabilities that sum to 1: a "
        "logit larger by 1 makes a class 2.7 times as probable. Cross-entropy is the negative "
        "logarithm of the true class's probability: 0 at 100 %, growing without bound toward 0 %.",
    )
    names: list[str] = list(CLASSES)
    shown = st.segmented_control(
        "True class",
        names,
        default=names[0],
        key="softmax_true",
        bind="query-params",
        required=True,
    )
    logits = [
        column.slider(
            f"Logit of {name}", -6.0, 6.0, start, 0.1, key=f"logit_{name}", bind="query-params"
        )
        for column, name, start in zip(st.columns(4), CLASSES, START, strict=True)
    ]
    _show_steps(np.array(logits), names.index(shown))


def _show_steps(logits: np.ndarray, true: int) -> None:
    layer = SoftmaxCrossEntropy()
    loss = layer.forward(logits[np.newaxis], np.array([true]))
    probabilities, gradient = layer.probabilities[0], layer.backward()[0]
    for column, key, heading, alt, values, form, limits in zip(
        st.columns(3),
        ("logits", "probabilities", "gradient"),
        (
            "**1 · logits** :gray[any numbers]",
            "**2 · softmax** :gray[sums to 1]",
            "**3 · gradient** :gray[of the loss, by each logit]",
        ),
        ("Logits", "Probabilities", "Gradient of the loss with respect to each logit"),
        (logits, probabilities, gradient),
        (".1f", ".1%", "+.2f"),
        ((-7.2, 7.2), (0, 1.2), (-1.35, 1.35)),
        strict=True,
    ):
        listed = ", ".join(f"{n} {v:{form}}" for n, v in zip(CLASSES, values, strict=True))
        with column:
            st.markdown(heading)
            chart(
                signed_bars(values, CLASSES, chosen=true, form=form, limits=limits),
                alt=f"{alt}: {listed}",
                key=f"softmax_{key}",
            )
    exponentials = np.exp(logits)
    name, share = CLASSES[true], probabilities[true]
    st.latex(
        rf"p_{{\text{{{name}}}}} = \frac{{e^{{{logits[true]:.1f}}}}}{{\sum_j e^{{z_j}}}}"
        rf" = \frac{{{exponentials[true]:.2f}}}{{{exponentials.sum():.2f}}} = {share:.3f}"
        rf"\qquad \text{{loss}} = -\ln {share:.3f} = {loss:.3f}"
    )
    even = 1.386  # ln 4
    st.caption(
        f"Equal probabilities for four classes have a loss of ln 4 = {even:.3f}; these have "
        f"{loss:.3f}. The gradient is the predicted less the true probability: a step of "
        f"gradient descent raises the logit of {name}, in proportion to "
        f"{-gradient[true]:.2f}, and lowers the others, by as much together. The nearer "
        "the true class is to 100 %, the smaller the gradient."
    )
