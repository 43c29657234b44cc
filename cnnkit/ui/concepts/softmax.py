"""Softmax and cross-entropy on numbers that one can drag."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.concepts.softmax import SoftmaxSteps, softmax_steps
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
        "logarithm of the true class's probability: 0 at 100 %, and without bound toward 0 %.",
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
    true = names.index(shown)
    _show_steps(softmax_steps(logits, true), true)


def _show_steps(result: SoftmaxSteps, true: int) -> None:
    first, second, third = st.columns(3)
    with first:
        st.markdown("**1 · logits** :gray[any numbers]")
        chart(
            signed_bars(result.logits, CLASSES, chosen=true, form=".1f", limits=(-7.2, 7.2)),
            alt="Logits: " + _listed(result.logits, ".1f"),
            key="softmax_logits",
        )
    with second:
        st.markdown("**2 · softmax** :gray[sums to 1]")
        chart(
            signed_bars(result.probabilities, CLASSES, chosen=true, form=".1%", limits=(0, 1.2)),
            alt="Probabilities: " + _listed(result.probabilities, ".1%"),
            key="softmax_probabilities",
        )
    with third:
        st.markdown("**3 · gradient** :gray[of the loss, by each logit]")
        chart(
            signed_bars(result.gradient, CLASSES, chosen=true, form="+.2f", limits=(-1.35, 1.35)),
            alt="Gradient of the loss with respect to each logit: "
            + _listed(result.gradient, "+.2f"),
            key="softmax_gradient",
        )
    name, power = CLASSES[true], result.exponentials[true]
    total, share = result.exponentials.sum(), result.probabilities[true]
    st.latex(
        rf"p_{{\text{{{name}}}}} = \frac{{e^{{{result.logits[true]:.1f}}}}}{{\sum_j e^{{z_j}}}}"
        rf" = \frac{{{power:.2f}}}{{{total:.2f}}} = {share:.3f}"
        rf"\qquad \text{{loss}} = -\ln {share:.3f} = {result.loss:.3f}"
    )
    even = 1.386  # ln 4
    st.caption(
        f"Equal probabilities for four classes have a loss of ln 4 = {even:.3f}; these have "
        f"{result.loss:.3f}. The gradient is the predicted less the true probability: a step of "
        f"gradient descent raises the logit of {name}, in proportion to "
        f"{-result.gradient[true]:.2f}, and lowers the others, by as much together. The nearer "
        "the true class is to 100 %, the smaller the gradient."
    )


def _listed(values: np.ndarray, form: str) -> str:
    return ", ".join(f"{name} {value:{form}}" for name, value in zip(CLASSES, values, strict=True))
