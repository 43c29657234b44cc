"""The image while it improves, renewed several times a second; the rest keeps still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from cnnkit.figures import curves
from cnnkit.studio import Look
from cnnkit.ui.common import cache, charts, polling
from cnnkit.ui.common.messages import status_chip
from cnnkit.ui.visualize import session as sittings
from cnnkit.ui.visualize.session import Sitting
from cnnkit.ui.visualize.targets import Target
from cnnkit.visualize import Plan

EVERY = 0.4  # seconds
WIDTH = 448  # pixels, of one image


def follow(sitting: Sitting) -> None:
    """Draw the session until it is over or paused, then the whole page once more."""
    quiet = ("paused",)
    began = sittings.look(sitting)
    moves = not (began.over or began.status in quiet)

    @st.fragment(run_every=EVERY if moves else None)
    def look() -> None:
        now = sittings.look(sitting)
        _show(sitting, now)
        if moves and (now.over or now.status in quiet):
            st.rerun()

    look()


def finished(images: np.ndarray, target: Target, curves_of: Mapping, plan: Plan) -> None:
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
    charts.mosaic(images, columns=columns, width=WIDTH, alt=f"What excites {', '.join(names)}")
    if len(names) > 1:
        st.caption(" · ".join(f"{n + 1}: {name}" for n, name in enumerate(names)))


def draw_curves(columns: Mapping[str, Sequence[float]], plan: Plan) -> None:
    """Every term over the steps: what is excited, and what is held down."""
    if not columns or len(columns.get("step", ())) < 2:
        return
    terms = plan.objective.terms
    steps = columns["step"]
    excited = {_words(terms[n][1]): (steps, columns[f"terms/{n}"]) for n in _excited(plan)}
    held = {
        _words(term): (steps, columns[f"terms/{n}"])
        for n, (_, term) in enumerate(terms)
        if term.of_image
    }
    left, right = st.columns(2)
    with left:
        _curve(excited, "what is excited", "excited", logarithmic=False)
    with right:
        _curve(held, "what is held down", "held", logarithmic=True)


def _show(sitting: Sitting, now: Look) -> None:
    progress(now)
    frame = sittings.images(sitting)
    if frame is None:
        st.caption(":material/progress_activity: The network is being opened …")
        return
    draw_images(frame, sitting.target.names)
    plan = Plan.from_dict(now.plan) if now.plan else sitting.plan
    for note in list(now.notes)[-2:]:
        st.caption(f":material/warning: {note}")
    draw_curves(now.curves or {}, plan)


def progress(now: Look) -> None:
    """Steps done, speed, time left; or why there are none."""
    if now.reason:
        st.error(now.reason, icon=":material/error:")
    if now.status == "queued" and now.place:
        st.caption(f":material/hourglass_empty: {now.place} before you; it begins by itself.")
        return
    speed = f", {1 / now.seconds_per_step:.1f} a second" if now.seconds_per_step else ""
    left = polling.duration((now.steps - now.number) * now.seconds_per_step)
    more = f", {left} left" if now.status == "running" and now.seconds_per_step else ""
    halved = f", steps {now.rate:.2g} times as large as asked for" if now.rate < 1 else ""
    st.progress(now.fraction, f"Step {now.number} of {now.steps}{speed}{more}{halved}")
    if now.over and now.status != "finished":
        status_chip(now.status)


def controls(sitting: Sitting | None, label: str) -> str | None:
    """Buttons that fit the moment; returns the name of the one that was pressed."""
    now = sittings.look(sitting) if sitting else None
    studio = cache.studio()
    with st.container(horizontal=True):
        pressed = None
        if st.button(label, type="primary", icon=":material/play_arrow:", key="start"):
            pressed = "start"
        if sitting is None or now is None:
            return pressed
        name = sitting.session
        if now.status in ("running", "queued", "opening"):
            if st.button("Pause", icon=":material/pause:", key="pause"):
                studio.pause(name)
            if st.button("Stop", icon=":material/stop:", key="stop"):
                studio.stop(name)
                pressed = "stop"
        elif now.status in ("paused", "stopped") and now.number < now.steps:
            if st.button("Go on", icon=":material/resume:", key="resume"):
                studio.resume(name)
                pressed = "resume"
        if now.number and st.button("Other noise", icon=":material/casino:", key="noise"):
            pressed = "noise"
    return pressed


def _curve(series: Mapping, title: str, key: str, *, logarithmic: bool) -> None:
    if not series:
        return
    charts.chart(
        curves.lines(series, x_title="step", y_title=title, logarithmic=logarithmic, height=220),
        alt=f"{title}: " + ", ".join(f"{name} {y[-1]:.3g}" for name, (_, y) in series.items()),
        key=f"curve_{key}",
    )


def _excited(plan: Plan) -> list[int]:
    return [n for n, (_, term) in enumerate(plan.objective.terms) if not term.of_image]


def _words(term) -> str:
    units = term.numbers.get("unit", ())
    if isinstance(units, tuple) and len(units) > 1:
        return f"{term.kind.replace('_', ' ')}, mean of {len(units)}"
    return str(term)
