"""One gradient step: weights before, gradient, weights after, and the losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.backprop.training import GradientStep, gradient_step, losses_along, one_thread
from cnnkit.figures.bars import class_bars
from cnnkit.figures.functions import LossCurve, loss_by_rate
from cnnkit.figures.numbers import folded, number_map, titled
from cnnkit.figures.style import BLUE, ORANGE
from cnnkit.ui.backpropagation.example import Example
from cnnkit.ui.common import charts, inputs

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
ALONG = tuple(float(rate) for rate in np.geomspace(RATES[0], RATES[-1], 25))
MOST = 40  # steps that can be kept
LESSONS = {"batch": "Batch of {}", "image": "This image"}

Taken = tuple[str, float]  # a lesson and a learning rate


def show_gradient_step(example: Example) -> None:
    """Images and learning rate, the step, and the loss over the learning rate."""
    st.markdown(
        "The gradient says for every weight how the loss changes with it. Gradient descent steps "
        "the other way: **W ← W − learning rate · ΔW**. With too small a learning rate the loss "
        "hardly falls; with too large a one it rises. Try **10**, and see how a step for one "
        "image changes the loss of the batch."
    )
    left, right = st.columns(2, gap="large", vertical_alignment="bottom")
    with left:
        from_ = inputs.choice(
            "Training data",
            list(LESSONS),
            parameter="lesson",
            title=lambda name: LESSONS[name].format(len(example.batch[1])),
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
    taken = _taken(example)
    result = _step((*example.key, from_), example, tuple(taken), rate)
    _outcome(result, example, len(taken))
    _buttons(example, taken, (from_, rate))
    left, right = st.columns([3, 2], gap="large")
    with left:
        _along(result, rate)
    with right:
        for when, p in zip(("Before", "After"), result.probabilities, strict=True):
            charts.chart(
                class_bars(p, example.class_names, when, percent=True, true=example.label),
                alt=f"{when}: {100 * p[example.label]:.1f} % for the true class",
                key=f"bars_{when}",
            )
    _weights(result.learned)


@dataclass(frozen=True, kw_only=True, eq=False)
class StepResult:
    """A gradient step and its losses, of this image and of the batch."""

    learned: GradientStep
    before: list[float]  # losses, nats
    after: list[float]
    along: list[list[float]]  # after every rate of `ALONG`
    probabilities: tuple[np.ndarray, np.ndarray]  # of this image, before and after


def _along(result: StepResult, rate: float) -> None:
    st.markdown("**The loss after this step, for every learning rate** :gray[(dotted: before)]")
    curves = [
        LossCurve(title=title, color=color, losses=along, before=before, after=after)
        for title, color, along, before, after in zip(
            ("this image", "all of the batch"),
            (BLUE, ORANGE),
            result.along,
            result.before,
            result.after,
            strict=True,
        )
    ]
    charts.chart(
        loss_by_rate(ALONG, curves, rate),
        alt="; ".join(f"{s.title}: {s.before:.3g} before, {s.after:.3g} after" for s in curves),
        key="loss_by_rate",
    )


def _outcome(result: StepResult, example: Example, taken: int) -> None:
    p = [float(q[example.label]) for q in result.probabilities]
    names = ("Loss of this image", "Mean loss of the batch")
    with st.container(horizontal=True):
        for name, before, after in zip(names, result.before, result.after, strict=True):
            st.metric(name, f"{after:.4g}", f"{after - before:+.3g}", delta_color="inverse")
        st.metric(
            f"Probability of “{example.class_names[example.label]}”",
            f"{p[1]:.1%}",
            f"{100 * (p[1] - p[0]):+.1f} points",
        )
        st.metric("Steps taken", taken)
    if not np.isfinite(result.after).all():
        st.error("The loss is not finite any more: the step diverged.", icon=":material/error:")
    elif result.after[1] > result.before[1]:
        st.warning(
            "The loss of the batch **rose**: the learning rate is too large.",
            icon=":material/trending_up:",
        )


def _buttons(example: Example, taken: list[Taken], step: Taken) -> None:
    with st.container(horizontal=True):
        st.button(
            "Take this step",
            type="primary",
            icon=":material/check:",
            key="keep_step",
            on_click=_keep,
            args=(example, step),
            disabled=len(taken) >= MOST,
        )
        st.button(
            "Reset the weights",
            icon=":material/undo:",
            key="begin_again",
            on_click=_begin_again,
            disabled=not taken,
        )


def _weights(learned: GradientStep) -> None:
    st.markdown("**Weights of one layer**")
    names = list(learned.before)
    name = inputs.choice("Layer", names, parameter="weights", widget=st.pills, required=True)
    kernels = [one[name]["kernel"] for one in (learned.before, learned.gradients, learned.after)]
    number = 0
    if kernels[0].ndim == 4 and kernels[0].shape[3] > 1:
        last = kernels[0].shape[3] - 1
        number = st.slider("Filter", 0, last, key=f"filter_{name}", width=320)
    matrices = [_of_filter(kernel, number) for kernel in kernels]
    # Before and after share a color scale, so that they can be compared.
    largest = float(np.nanmax(np.abs(np.stack([matrices[0], matrices[2]]))))
    titles = ("Before", "Gradient ΔW", "After")
    for place, title, values in zip(st.columns(3, gap="medium"), titles, matrices, strict=True):
        with place:
            st.markdown(titled(title, values))
            charts.chart(
                number_map(
                    values.astype(float),
                    dark=charts.dark(),
                    largest=None if title == "Gradient ΔW" else largest,
                ),
                alt=f"{title}: weights of {name}, from {np.nanmin(values):.3g} to "
                f"{np.nanmax(values):.3g}",
                key=f"weights_{title}",
            )


def _of_filter(kernel: np.ndarray, number: int) -> np.ndarray:
    """One filter for its first map, or the weights of a dense layer's first unit, folded."""
    return kernel[:, :, 0, number] if kernel.ndim == 4 else folded(kernel[:, 0])


def _taken(example: Example) -> list[Taken]:
    """The steps taken so far with this network and this image."""
    key, steps = st.session_state.get("steps_taken", (None, []))
    return list(steps) if key == example.key else []


def _keep(example: Example, step: Taken) -> None:
    st.session_state["steps_taken"] = (example.key, [*_taken(example), step])


def _begin_again() -> None:
    st.session_state.pop("steps_taken", None)


@st.cache_resource(max_entries=6, show_spinner=False)
def _step(
    key: tuple[str, str, str], _example: Example, taken: Sequence[Taken], rate: float
) -> StepResult:
    """The next step after those taken, and the loss for all learning rates."""
    network = _example.make_network()
    image = (_example.image[np.newaxis], np.array([_example.label]))
    lessons = {"image": image, "batch": _example.batch}
    parts = list(lessons.values())
    lesson = lessons[key[-1]]
    with one_thread(), np.errstate(over="ignore", invalid="ignore"):
        for name, earlier in taken:
            gradient_step(network, lessons[name], earlier)
        before = [network.forward(*part) for part in parts]
        first = network.probabilities(image[0])[0]
        along = losses_along(network, lesson, ALONG, parts)
        learned = gradient_step(network, lesson, rate)
        after = [network.forward(*part) for part in parts]
        last = network.probabilities(image[0])[0]
    return StepResult(
        learned=learned, before=before, after=after, along=along, probabilities=(first, last)
    )
