"""The end of the way forward and the beginning of the way back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnnkit.backprop import Trace
from cnnkit.figures.numbers import number_map
from cnnkit.ui.common import charts


def show(found: Trace, class_names: Sequence[str], *, backward: bool) -> None:
    """Logits, probabilities, the truth, and the deltas that come of them, class by class."""
    truth = np.eye(len(class_names))[found.label]
    rows = {"logit z": found.logits, "probability p": found.probabilities, "true": truth}
    if backward:
        rows["δ = p − true"] = found.delta
    table = np.stack(list(rows.values())).astype(float)
    # Each row has its own scale of colours: logits are larger than probabilities.
    colours = table / np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12)
    charts.chart(
        number_map(
            table,
            colours=colours,
            texts=np.array([[f"{value:.3g}" for value in line] for line in table]),
            places=[f"{name} of {kind}" for name in rows for kind in class_names],
            dark=charts.dark(),
            rows=list(rows),
            columns=list(class_names),
            height=60 + 52 * len(rows),
        ),
        alt="; ".join(
            f"{name}: {', '.join(f'{value:.3g}' for value in line)}" for name, line in rows.items()
        ),
        key="loss_map",
    )
    true = class_names[found.label]
    p = found.probabilities[found.label]
    st.markdown(f"The true class is **{true}**: loss = −ln {p:.4g} = **{found.loss:.4f}** nats.")
    if backward:
        st.markdown(
            f"So **{true}** sends back {p:.3g} − 1 = **{found.delta[found.label]:.3g}**, every "
            "other class its own probability. All deltas together are zero."
        )
