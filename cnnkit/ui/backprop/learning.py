"""One step of learning: weights before, gradient, weights after, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnnkit.backprop.stepping import Learned, learn_once, losses_along
from cnnkit.figures.descent_step import loss_by_rate
from cnnkit.figures.maps import class_bars
from cnnkit.figures.numbers import folded, number_map
from cnnkit.ui import charts, inputs
from cnnkit.ui.backprop.subject import Subject
from cnnkit.ui.ideas._frame import one_thread

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
ALONG = tuple(float(rate) for rate in np.geomspace(RATES[0], RATES[-1], 40))
MOST = 40  # steps that are kept


def show(subject: Subject) -> None:
    """A learning rate, the step that it makes, and the loss along the way."""
    st.markdown(
        "The gradient says for every weight how the loss would rise with it. Learning goes the "
        "other way, a little: **W ← W − rate · ΔW**, here with this one picture. Too small a rate "
        "hardly helps; too large a one jumps over the valley and makes it worse. Try **10**."
    )
    rate = float(
        inputs.number(
            "Learning rate",
            RATES[0],
            RATES[-1],
            parameter="rate",
            default=0.1,
            widget=st.select_slider,
            options=RATES,
        )
    )
    taken = _taken(subject)
    learned, along = _step(subject.key, subject, tuple(taken), rate)
    _outcome(learned, subject, len(taken))
    _buttons(subject, taken, rate)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("**The loss after this step, for every learning rate**")
        charts.chart(
            loss_by_rate(ALONG, along, learned.losses[0], rate, learned.losses[1]),
            alt=f"Loss {learned.losses[0]:.3g} before, {learned.losses[1]:.3g} after rate {rate:g}",
            key="loss_by_rate",
        )
    with right:
        for when, p in zip(("Before", "After"), learned.probabilities, strict=True):
            charts.chart(
                class_bars(p, subject.class_names, when, percent=True, true=subject.label),
                alt=f"{when}: {100 * p[subject.label]:.1f} % for the true class",
                key=f"bars_{when}",
            )
    _weights(learned)


def _outcome(learned: Learned, subject: Subject, taken: int) -> None:
    before, after = learned.losses
    p = [float(q[subject.label]) for q in learned.probabilities]
    with st.container(horizontal=True):
        st.metric("Loss", f"{after:.4f}", f"{after - before:+.4f}", delta_color="inverse")
        st.metric(
            f"Probability of “{subject.class_names[subject.label]}”",
            f"{p[1]:.2%}",
            f"{100 * (p[1] - p[0]):+.2f} points",
        )
        st.metric("Steps kept so far", taken)
    if after > before:
        st.warning(
            "The loss **rose**: the step was longer than the slope is good for.",
            icon=":material/trending_up:",
        )


def _buttons(subject: Subject, taken: list[float], rate: float) -> None:
    with st.container(horizontal=True):
        st.button(
            "Keep it and go on from there",
            type="primary",
            icon=":material/check:",
            key="keep_step",
            on_click=_keep,
            args=(subject, rate),
            disabled=len(taken) >= MOST,
        )
        st.button(
            "Begin again",
            icon=":material/undo:",
            key="begin_again",
            on_click=_begin_again,
            disabled=not taken,
        )


def _weights(learned: Learned) -> None:
    st.markdown("**The weights of one layer**")
    names = list(learned.before)
    name = inputs.choice("Layer", names, parameter="weights", default=names[0])
    kernels = [one[name]["kernel"] for one in (learned.before, learned.gradients, learned.after)]
    number = 0
    if kernels[0].ndim == 4:
        filters = kernels[0].shape[3]
        number = st.slider("Filter", 0, filters - 1, key=f"filter_{name}") if filters > 1 else 0
    drawn = [_of_filter(kernel, number) for kernel in kernels]
    # Before and after share a scale, so that what looks alike is alike.
    largest = float(np.nanmax(np.abs(np.stack([drawn[0], drawn[2]]))))
    titles = ("Before", "Gradient ΔW", "After")
    for place, title, values in zip(st.columns(3, gap="medium"), titles, drawn, strict=True):
        with place:
            charts.chart(
                number_map(
                    values.astype(float),
                    title=title,
                    largest=None if title == "Gradient ΔW" else largest,
                    dark=charts.dark(),
                ),
                alt=f"{title}: weights of {name}",
                key=f"weights_{title}",
            )


def _of_filter(kernel: np.ndarray, number: int) -> np.ndarray:
    """One filter for its first map, or the weights of a dense layer's first unit, folded."""
    return kernel[:, :, 0, number] if kernel.ndim == 4 else folded(kernel[:, 0])


def _taken(subject: Subject) -> list[float]:
    """Rates of the steps kept so far with this network and this picture."""
    key, rates = st.session_state.get("steps_taken", (None, []))
    return list(rates) if key == subject.key else []


def _keep(subject: Subject, rate: float) -> None:
    st.session_state["steps_taken"] = (subject.key, [*_taken(subject), rate])


def _begin_again() -> None:
    st.session_state.pop("steps_taken", None)


@st.cache_resource(max_entries=8, show_spinner=False)
def _step(
    key: tuple[str, str], _subject: Subject, taken: Sequence[float], rate: float
) -> tuple[Learned, list[float]]:
    """The next step after those that were kept, and the loss along all rates."""
    network = _subject.make_network()
    with one_thread(), np.errstate(over="ignore", invalid="ignore"):
        for earlier in taken:
            learn_once(network, _subject.picture, _subject.label, earlier)
        along = losses_along(network, _subject.picture, _subject.label, ALONG)
        return learn_once(network, _subject.picture, _subject.label, rate), along
