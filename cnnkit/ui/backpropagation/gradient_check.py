"""Gradient check: backpropagation, TensorFlow and central differences."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop import GradientCheckReport, NumpyModel, gradcheck, randomize_zero_kernels
from cnnkit.ui.backpropagation.example import Example
from cnnkit.ui.common import inputs
from cnnkit.ui.common.tasks import background, when_ready

DTYPES = ("float64", "float32")


def show_gradient_check(example: Example) -> None:
    """A button, and then the largest relative error of each layer."""
    st.markdown(
        "Are these gradients right? They are compared with two others: **TensorFlow**'s automatic "
        "differentiation of the same network, and **central differences**, the change of the loss "
        "with one weight: (L(w + h) − L(w − h)) / 2h."
    )
    dtype = inputs.choice(
        "Precision",
        DTYPES,
        parameter="precision",
        title=str,
        widget=st.segmented_control,
    )
    asked = ("gradcheck", *example.key, dtype)
    if st.button("Check the gradients", type="primary", icon=":material/fact_check:", key="check"):
        st.session_state["checked"] = asked
    if st.session_state.get("checked") != asked:
        return
    future = background().ask(asked, lambda: check(example, dtype))
    when_ready(
        future, _report, waiting="Differentiating with TensorFlow; the first time takes a while …"
    )


def check(example: Example, dtype: str) -> GradientCheckReport:
    """The gradient check with the image on the page."""
    network = example.make_network()
    network = NumpyModel(network.layers, network.input_shape, dtype)
    randomize_zero_kernels(network)
    return gradcheck(network, example.image[np.newaxis], np.array([example.label]))


def _report(report: GradientCheckReport) -> None:
    count = sum(check.size for check in report.checks)
    said = (
        f"{count:,} gradients compared with TensorFlow: the largest relative error is "
        f"**{report.worst:.1e}** (tolerance {report.tolerance:.0e}). Central differences: "
        f"**{report.worst_difference:.1e}**."
    )
    if report.equal:
        st.success(said, icon=":material/check:")
    else:
        st.error(said, icon=":material/close:")
    st.dataframe(
        [
            {
                "Layer": name,
                "Kind": checks[0].kind,
                "Gradients of": ", ".join(check.array for check in checks),
                "Elements": sum(check.size for check in checks),
                "Error to TensorFlow": f"{max(check.tensorflow for check in checks):.1e}",
                "Error to central differences": _largest([check.differences for check in checks]),
                "Central differences": sum(check.probed for check in checks),
            }
            for name, checks in report.by_layer().items()
        ],
        hide_index=True,
        height="content",
        alt="Largest relative error of each layer's gradients",
    )
    st.caption(
        "Relative error: the largest difference in an array, divided by its largest number. "
        "“input” is the gradient with respect to the layer's input. Weights for which a maximum "
        "or a ReLU changes between the two are left out: the loss is not differentiable there."
    )


def _largest(errors: list[float | None]) -> str:
    measured = [error for error in errors if error is not None]
    return f"{max(measured):.1e}" if measured else "–"
