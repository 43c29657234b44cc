"""One step of learning: weights before, gradient, weights after, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.backprop.gradient_step import Learned, learn_once, losses_along
from cnnkit.figures._style import BLUE, ORANGE
from cnnkit.figures.descent_step import Slope, loss_by_rate
from cnnkit.figures.maps import class_bars
from cnnkit.figures.numbers import folded, number_map, titled
from cnnkit.ui.backpropagation.example import Subject
from cnnkit.ui.common import charts, inputs
from cnnkit.ui.concepts._frame import one_thread

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
ALONG = tuple(float(rate) for rate in np.geomspace(RATES[0], RATES[-1], 25))
MOST = 40  # steps that are kept
LESSONS = {"batch": "A batch of {}", "image": "This image alone"}

Taken = tuple[str, float]  # a lesson and a learning rate


def show(subject: Subject) -> None:
    """What it learns from, a learning rate, the step that it makes, and the loss along the way."""
    st.markdown(
        "The gradient says for every weight how the loss would rise with it. Learning goes the "
        "other way, a little: **W ← W − rate · ΔW**. Too small a rate hardly helps; too large a "
        "one jumps across the valley. Try **10**; and see what a step for one image does to "
        "all the others."
    )
    left, right = st.columns(2, gap="large", vertical_alignment="bottom")
    with left:
        from_ = inputs.choice(
            "It learns from",
            list(LESSONS),
            parameter="lesson",
            title=lambda name: LESSONS[name].format(len(subject.batch[1])),
            widget=st.segmented_control,
        )
    with right:
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
    result = _step((*subject.key, from_), subject, tuple(taken), rate)
    _outcome(result, subject, len(taken))
    _buttons(subject, taken, (from_, rate))
    left, right = st.columns([3, 2], gap="large")
    with left:
        _along(result, rate)
    with right:
        for when, p in zip(("Before", "After"), result.probabilities, strict=True):
            charts.chart(
                class_bars(p, subject.class_names, when, percent=True, true=subject.label),
                alt=f"{when}: {100 * p[subject.label]:.1f} % for the true class",
                key=f"bars_{when}",
            )
    _weights(result.learned)


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """A step and what came of it; of both losses, this image's and the batch's."""

    learned: Learned
    before: list[float]  # losses, nats
    after: list[float]
    along: list[list[float]]  # after every rate of `ALONG`
    probabilities: tuple[np.ndarray, np.ndarray]  # of this image, before and after


def _along(result: Result, rate: float) -> None:
    st.markdown("**The loss after this step, for every learning rate** :gray[(dotted: before)]")
    slopes = [
        Slope(title=title, colour=colour, losses=along, before=before, after=after)
        for title, colour, along, before, after in zip(
            ("this image", "all of the batch"),
            (BLUE, ORANGE),
            result.along,
            result.before,
            result.after,
            strict=True,
        )
    ]
    charts.chart(
        loss_by_rate(ALONG, slopes, rate),
        alt="; ".join(f"{s.title}: {s.before:.3g} before, {s.after:.3g} after" for s in slopes),
        key="loss_by_rate",
    )


def _outcome(result: Result, subject: Subject, taken: int) -> None:
    p = [float(q[subject.label]) for q in result.probabilities]
    names = ("Loss of this image", "Mean loss of the batch")
    with st.container(horizontal=True):
        for name, before, after in zip(names, result.before, result.after, strict=True):
            st.metric(name, f"{after:.4g}", f"{after - before:+.3g}", delta_color="inverse")
        st.metric(
            f"Probability of “{subject.class_names[subject.label]}”",
            f"{p[1]:.1%}",
            f"{100 * (p[1] - p[0]):+.1f} points",
        )
        st.metric("Steps kept so far", taken)
    if not np.isfinite(result.after).all():
        st.error("The loss left the finite numbers.", icon=":material/error:")
    elif result.after[1] > result.before[1]:
        st.warning(
            "For the batch the loss **rose**: the step was longer than the slope is good for.",
            icon=":material/trending_up:",
        )


def _buttons(subject: Subject, taken: list[Taken], step: Taken) -> None:
    with st.container(horizontal=True):
        st.button(
            "Keep it and go on from there",
            type="primary",
            icon=":material/check:",
            key="keep_step",
            on_click=_keep,
            args=(subject, step),
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
    name = inputs.choice("Layer", names, parameter="weights", widget=st.pills, required=True)
    kernels = [one[name]["kernel"] for one in (learned.before, learned.gradients, learned.after)]
    number = 0
    if kernels[0].ndim == 4:
        filters = kernels[0].shape[3]
        number = (
            st.slider("Filter", 0, filters - 1, key=f"filter_{name}", width=320)
            if filters > 1
            else 0
        )
    drawn = [_of_filter(kernel, number) for kernel in kernels]
    # Before and after share a scale, so that what looks alike is alike.
    largest = float(np.nanmax(np.abs(np.stack([drawn[0], drawn[2]]))))
    titles = ("Before", "Gradient ΔW", "After")
    for place, title, values in zip(st.columns(3, gap="medium"), titles, drawn, strict=True):
        with place:
            st.markdown(titled(title, values))
            charts.chart(
                number_map(
                    values.astype(float),
                    dark=charts.dark(),
                    largest=None if title == "Gradient ΔW" else largest,
                ),
                alt=f"{title}: weights of {name}",
                key=f"weights_{title}",
            )


def _of_filter(kernel: np.ndarray, number: int) -> np.ndarray:
    """One filter for its first map, or the weights of a dense layer's first unit, folded."""
    return kernel[:, :, 0, number] if kernel.ndim == 4 else folded(kernel[:, 0])


def _taken(subject: Subject) -> list[Taken]:
    """The steps kept so far with this network and this image."""
    key, steps = st.session_state.get("steps_taken", (None, []))
    return list(steps) if key == subject.key else []


def _keep(subject: Subject, step: Taken) -> None:
    st.session_state["steps_taken"] = (subject.key, [*_taken(subject), step])


def _begin_again() -> None:
    st.session_state.pop("steps_taken", None)


@st.cache_resource(max_entries=6, show_spinner=False)
def _step(
    key: tuple[str, str, str], _subject: Subject, taken: Sequence[Taken], rate: float
) -> Result:
    """The next step after those that were kept, and the loss along all rates."""
    network = _subject.make_network()
    image = (_subject.image[np.newaxis], np.array([_subject.label]))
    lessons = {"image": image, "batch": _subject.batch}
    parts = list(lessons.values())
    lesson = lessons[key[-1]]
    with one_thread(), np.errstate(over="ignore", invalid="ignore"):
        for name, earlier in taken:
            learn_once(network, lessons[name], earlier)
        before = [network.forward(*part) for part in parts]
        first = network.probabilities(image[0])[0]
        along = losses_along(network, lesson, ALONG, parts)
        learned = learn_once(network, lesson, rate)
        after = [network.forward(*part) for part in parts]
        last = network.probabilities(image[0])[0]
    return Result(
        learned=learned, before=before, after=after, along=along, probabilities=(first, last)
    )
