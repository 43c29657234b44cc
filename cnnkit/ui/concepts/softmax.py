"""Softmax and cross-entropy on numbers that one can drag."""

from __future__ import annotations

import streamlit as st

from cnnkit.concepts.softmax import Softmax, explain
from cnnkit.figures.bars import signed
from cnnkit.ui.common.charts import chart
from cnnkit.ui.concepts._frame import question

CLASSES: tuple[str, ...] = ("cat", "dog", "bird", "fish")
START = (2.0, 1.0, -0.5, 0.0)


def draw() -> None:
    """Draw the experiment."""
    question(
        "What do softmax and cross-entropy do?",
        "a learner's notes on TensorFlow's MNIST tutorials (MNIST for ML Beginners)",
        "Softmax turns any numbers into probabilities that sum to one, and the larger number "
        "wins by more than it seems. Cross-entropy is the price of the true class's "
        "probability: nothing at 100 %, and without end towards 0 %.",
    )
    names: list[str] = list(CLASSES)
    shown = st.segmented_control(
        "The image really shows a …",
        names,
        default=names[0],
        key="softmax_true",
        bind="query-params",
        required=True,
    )
    logits = [
        column.slider(
            f"logit of {name}", -6.0, 6.0, start, 0.1, key=f"logit_{name}", bind="query-params"
        )
        for column, name, start in zip(st.columns(4), CLASSES, START, strict=True)
    ]
    true = names.index(shown)
    _steps(explain(logits, true), true)


def _steps(result: Softmax, true: int) -> None:
    first, second, third = st.columns(3)
    with first:
        st.markdown("**1 · logits** :gray[any numbers]")
        chart(
            signed(result.logits, CLASSES, chosen=true, form=".1f", limits=(-7.2, 7.2)),
            alt="Bars of the logits",
            key="softmax_logits",
        )
    with second:
        st.markdown("**2 · softmax** :gray[sums to 1]")
        chart(
            signed(result.probabilities, CLASSES, chosen=true, form=".1%", limits=(0, 1.2)),
            alt=f"Bars of the probabilities, {CLASSES[true]} {result.probabilities[true]:.1%}",
            key="softmax_probabilities",
        )
    with third:
        st.markdown("**3 · gradient** :gray[too much, too little]")
        chart(
            signed(result.gradient, CLASSES, chosen=true, form="+.2f", limits=(-1.35, 1.35)),
            alt="Bars of the gradient of the loss by each logit",
            key="softmax_gradient",
        )
    name, power = CLASSES[true], result.powers[true]
    total, share = result.powers.sum(), result.probabilities[true]
    st.latex(
        rf"p_{{\text{{{name}}}}} = \frac{{e^{{{result.logits[true]:.1f}}}}}{{\sum_j e^{{z_j}}}}"
        rf" = \frac{{{power:.2f}}}{{{total:.2f}}} = {share:.3f}"
        rf"\qquad \text{{loss}} = -\ln {share:.3f} = {result.loss:.3f}"
    )
    even = 1.386  # ln 4
    st.caption(
        f"Guessing evenly among four costs ln 4 = {even:.3f}; this network pays "
        f"{result.loss:.3f}. The gradient is simply probability minus truth: "
        f"learning pushes {name} up by {-result.gradient[true]:.2f} and the others down by as "
        "much together. Once it is surely right, there is almost nothing left to push."
    )
