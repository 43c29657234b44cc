"""The image while it improves, renewed several times a second; the rest keeps still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from cnnkit.jobs.sessions import SessionState
from cnnkit.runs import Status
from cnnkit.ui.common import cache, charts, polling
from cnnkit.ui.common.messages import status_chip
from cnnkit.ui.visualize.session import OwnSession, draw_seed
from cnnkit.ui.visualize.targets import Target
from cnnkit.visualize import Plan
from cnnkit.visualize.components import Term
from cnnkit.visualize.registry import definition

EVERY = 0.4  # seconds
WIDTH = 448  # pixels, of one image
WISHES = {"pause": "pausing", "stop": "stopping"}
OPENING = ":material/progress_activity: The network is being opened …"


def follow(session: str, target: Target) -> None:
    """Draw a session until it is over or paused, then the whole page once more.

    Args:
        session: its id.
        target: what it maximizes.
    """

    def draw(state: SessionState) -> None:
        draw_progress(state)
        frame = cache.visualization_worker().frame(session)
        if frame is None:
            if not state.over:
                st.caption(OPENING)
            return
        draw_images(frame, target.names)
        if state.status is Status.FINISHED and not target.layer:
            st.caption(
                "Does it fool only this network? The "
                "[re-classification check](#re-classification-check) below asks."
            )
        for note in state.details.get("notes", [])[-2:]:
            st.caption(f":material/warning: {note}")
        draw_curves(state.details.get("curves", {}), Plan.from_dict(state.details["plan"]))

    poll_session(session, draw, every=EVERY)


def poll_session(session: str, draw, *, every: float) -> None:
    """Draw the states of a session until it is over. See `polling.poll`.

    Args:
        session: its id.
        draw: called with its `SessionState`.
        every: seconds between two reads.
    """

    def read() -> SessionState:
        state = cache.visualization_worker().state(session)
        gone = "This session has expired: start again."
        return state or SessionState(status=Status.INTERRUPTED, reason=gone)

    polling.poll(read, draw, moves=lambda state: not state.over, every=every)


def draw_result(images: np.ndarray, target: Target, curves_of: Mapping, plan: Plan) -> None:
    """Draw a result that was made before."""
    draw_images(images, target.names)
    draw_curves(curves_of, plan)


def draw_images(images: np.ndarray, names: Sequence[str]) -> None:
    """One image large, or several as a mosaic.

    Args:
        images: uint8 (images, height, width, channels).
        names: of the units, in the same order.
    """
    columns = int(np.ceil(np.sqrt(len(images))))
    charts.mosaic(
        images, columns=columns, width=WIDTH, alt=f"Activation maximization of {', '.join(names)}"
    )
    if len(names) > 1:
        st.caption(" · ".join(f"{n + 1}: {name}" for n, name in enumerate(names)))


def draw_curves(columns: Mapping[str, Sequence[float]], plan: Plan) -> None:
    """Every term over the steps: the objective, and the regularization."""
    if not columns or len(columns.get("step", ())) < 2:
        return
    names, terms = plan.names("objective"), plan.objective.terms
    steps, kinds = columns["step"], [term.kind for _, term in terms]
    series = {
        of_image: {
            _term_title(term, kinds): (steps, columns[name])
            for name, (_, term) in zip(names, terms, strict=True)
            if term.of_image is of_image
        }
        for of_image in (False, True)
    }
    left, right = st.columns(2)
    with left:
        _curve(series[False], "objective", logarithmic=False)
    with right:
        _curve(series[True], "regularization", logarithmic=True)


def draw_progress(state: SessionState) -> None:
    """Steps done, speed, time left; or why there are none."""
    if state.reason:
        st.error(state.reason, icon=":material/error:")
    if state.status is Status.QUEUED:
        st.caption(f":material/hourglass_empty: {queued_text(state)}")
        return
    st.progress(state.fraction, progress_text(state))
    if state.wish in WISHES:
        status_chip(state.status, WISHES[state.wish])
    elif state.over and state.status is not Status.FINISHED:
        stopped = state.status is Status.CANCELLED
        status_chip("stopped" if stopped else state.status)


def progress_text(state: SessionState) -> str:
    """Such as "Step 10 of 64, 9.8 steps a second, about 6 s left"."""
    text = f"Step {state.step} of {state.steps}"
    if state.seconds_per_step:
        text += f", {1 / state.seconds_per_step:.2g} steps a second"
    left = state.seconds_left()
    if left is not None:
        text += f", about {polling.duration(left)} left"
    rate = state.details.get("rate", 1.0)
    return text + (f", step size reduced to {rate:.2g} of the learning rate" if rate < 1 else "")


def queued_text(state: SessionState) -> str:
    """Such as "Queued (2 ahead of you), starts in about 40 s"."""
    place = f" ({state.ahead} ahead of you)" if state.ahead else ", next in line"
    starts = f", starts in about {polling.duration(state.starts_in)}" if state.starts_in else ""
    return f"Queued{place}{starts}"


def controls(own: OwnSession | None) -> bool:
    """Buttons that fit the moment.

    Args:
        own: the visitor's session.

    Returns:
        Whether the form is to be started.
    """
    worker = cache.visualization_worker()
    with st.container(horizontal=True):
        label = "Restart" if own else "Start"
        started = st.button(label, type="primary", icon=":material/play_arrow:", key="start")
        if own is None:
            return started
        state, command = own.state, None
        if not state.over:
            if st.button("Pause", icon=":material/pause:", key="pause"):
                command = "pause"
            if st.button("Stop", icon=":material/stop:", key="stop"):
                command = "stop"
        elif state.status.resumable and state.status is not Status.FAILED:
            if st.button("Resume", icon=":material/resume:", key="resume"):
                command = "resume"
        st.button(
            "New seed",
            icon=":material/casino:",
            key="new_seed",
            help="Restart from noise of another random seed.",
            on_click=draw_seed,
        )
    if command:
        worker.command(own.id, command)
        st.rerun()
    return started


def _curve(series: Mapping, title: str, *, logarithmic: bool) -> None:
    if not series:
        return
    charts.growing_lines(
        series,
        alt=f"{title}: " + ", ".join(f"{name} {y[-1]:.3g}" for name, (_, y) in series.items()),
        key=f"curve_{title}",
        x_title="step",
        y_title=title,
        logarithmic=logarithmic,
        height=220,
    )


def _term_title(term: Term, kinds: Sequence[str]) -> str:
    """As on the sliders, where no other term is of the same kind."""
    if term.of_image and kinds.count(term.kind) == 1:
        return definition(term.kind).title
    units = term.numbers.get("unit", ())
    if isinstance(units, tuple) and len(units) > 1:
        return f"{term.kind.replace('_', ' ')}, mean of {len(units)}"
    return str(term)
