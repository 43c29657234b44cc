"""Every gradient beside TensorFlow's and beside what the loss really does."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop import Network, Report, awaken, gradcheck
from cnnkit.ui.backpropagation.example import Subject
from cnnkit.ui.common import inputs
from cnnkit.ui.common.tasks import background, when_ready

DTYPES = ("float64", "float32")


def show(subject: Subject) -> None:
    """A button, and then the largest relative error of each layer."""
    st.markdown(
        "Are these numbers right? Two other ways lead to them. **TensorFlow** differentiates the "
        "same network automatically. And a gradient is what the loss does when **one weight is "
        "moved a little**: (L(w + h) − L(w − h)) / 2h."
    )
    dtype = inputs.choice(
        "Precision",
        DTYPES,
        parameter="precision",
        title={"float64": "16 digits (float64)", "float32": "7 digits (float32)"}.__getitem__,
        widget=st.segmented_control,
    )
    asked = ("gradcheck", *subject.key, dtype)
    if st.button("Check it", type="primary", icon=":material/fact_check:", key="check"):
        st.session_state["checked"] = asked
    if st.session_state.get("checked") != asked:
        return
    future = background().ask(asked, lambda: check(subject, dtype))
    when_ready(
        future, _report, waiting="Differentiating with TensorFlow; the first takes a while …"
    )


def check(subject: Subject, dtype: str) -> Report:
    """The comparison, with the image that is on the page."""
    network = subject.make_network()
    network = Network(network.layers, network.input_shape, dtype)
    awaken(network)
    return gradcheck(network, subject.image[np.newaxis], np.array([subject.label]))


def _report(report: Report) -> None:
    count = sum(check.size for check in report.checks)
    said = (
        f"{count:,} gradients compared with TensorFlow: the largest relative error is "
        f"**{report.worst:.1e}** ({report.tolerance:.0e} would do). Central differences: "
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
                "Compared": ", ".join(check.array for check in checks),
                "Gradients": sum(check.size for check in checks),
                "From TensorFlow": f"{max(check.tensorflow for check in checks):.1e}",
                "From differences": _largest([check.differences for check in checks]),
                "Weights moved": sum(check.probed for check in checks),
            }
            for name, checks in report.by_layer().items()
        ],
        hide_index=True,
        height="content",
        alt="Largest relative error of each layer",
    )
    st.caption(
        "Relative: the largest difference in an array, divided by its largest number. “input” is "
        "the delta that a layer passes on. Weights beside which a maximum or a ReLU would flip "
        "are not moved: the loss has a kink there."
    )


def _largest(errors: list[float | None]) -> str:
    known = [error for error in errors if error is not None]
    return f"{max(known):.1e}" if known else "–"
