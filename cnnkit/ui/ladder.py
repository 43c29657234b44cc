"""The regularizer ladder on a page: one target, one start, and each row adds a regularizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.jobs.sessions import SessionState
from cnnkit.runs import Status
from cnnkit.ui.common import cache, charts, polling
from cnnkit.ui.visualize.recheck import show_answer
from cnnkit.ui.visualize.session_view import progress_text, queued_text
from cnnkit.ui.visualize.starter_examples import example_ladder
from cnnkit.ui.visualize.targets import Target
from cnnkit.visualize import Plan, Reclassification
from cnnkit.visualize.fooling import as_shown
from cnnkit.visualize.presets import Preset, completed, regularizer_ladder
from cnnkit.visualize.results import OptimizationResult

WIDTH = 224  # pixels, of one image
EVERY = 0.6  # seconds
_KEY = "ladder"  # in the state of the visit: plan as JSON → id of its session
# What every configuration is measured by, whether it is regularized by it or not.
MEASURED = ("class_logit", "class_probability", "channel", "total_variation", "lp_norm")


@dataclass(frozen=True)
class Configuration:
    """One row of the ladder for one target."""

    preset: Preset
    plan: Plan

    def result(self, target: Target) -> OptimizationResult | None:
        """Its finished result, if it was made before."""
        worker = cache.visualization_worker()
        return worker.results.get(worker.key(target.network.ref, self.plan))

    @property
    def state(self) -> SessionState | None:
        """Of the session that makes it."""
        session = st.session_state.get(_KEY, {}).get(self.plan.to_json(), "")
        return cache.visualization_worker().state(session)

    def frame(self) -> np.ndarray | None:
        """Of the session that makes it."""
        return cache.visualization_worker().frame(st.session_state[_KEY][self.plan.to_json()])


def build_ladder(target: Target, seed: int) -> list[Configuration]:
    """The ladder for a target, from no regularization to all of it."""
    height, width, _ = target.network.input_shape
    common = {"size": (height, width), "seed": seed, "images": len(target.units)}
    return [
        Configuration(preset, completed(preset.plan(target.objective, **common)))
        for preset in regularizer_ladder(network=target.network.ref.name)
    ]


def show_ladder(ladder: Sequence[Configuration], target: Target) -> None:
    """Draw what is there, offer to make what is not, and follow it."""
    lacking = [row for row in ladder if row.result(target) is None]
    states = {row.preset.name: row.state for row in lacking}
    for reason in dict.fromkeys(s.reason for s in states.values() if s and s.over and s.reason):
        st.error(reason, icon=":material/error:")
    # What failed may be tried again.
    idle = [row for row in lacking if not _runs(states[row.preset.name])]
    if idle:
        label = f"Optimize {len(idle)} of {len(ladder)} configurations"
        if st.button(label, type="primary", icon=":material/play_arrow:", key="optimize_ladder"):
            _start(idle, target)
            st.rerun()

    if len(idle) == len(ladder):
        example_ladder()
        return

    def draw(states: Mapping[str, SessionState | None]) -> None:
        with st.grid("auto", min_column_width=WIDTH):
            for row in ladder:
                _card(row, target, states.get(row.preset.name))

    polling.poll(
        lambda: {row.preset.name: row.state for row in lacking},
        draw,
        moves=lambda states: any(map(_runs, states.values())),
        every=EVERY,
    )
    if not lacking:
        _recheck(ladder, target)


def _runs(state: SessionState | None) -> bool:
    return state is not None and not state.over


def _start(rows: Sequence[Configuration], target: Target) -> None:
    worker = cache.visualization_worker()
    sessions = st.session_state.setdefault(_KEY, {})
    for row in rows:
        sessions[row.plan.to_json()] = worker.optimize(target.network.ref, row.plan)


def _card(row: Configuration, target: Target, state: SessionState | None) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{row.preset.title}**")
        if state and not state.over:
            queued = state.status is Status.QUEUED
            st.progress(state.fraction, queued_text(state) if queued else progress_text(state))
            frame, curves = row.frame(), state.details.get("curves")
        else:
            result = row.result(target)
            frame = as_shown(result.images, result.plan) if result else None
            curves = result.card["curves"] if result else None
        if frame is None:
            return
        charts.mosaic(frame, columns=1, width=WIDTH, alt=f"{row.preset.title}: {target.names[0]}")
        st.caption(_values(row.plan, curves))


def _values(plan: Plan, curves: Mapping[str, Sequence[float]] | None) -> str:
    if not curves:
        return ""
    return " · ".join(
        f"{term.kind.replace('_', ' ')} {curves[name][-1]:.3g}"
        for name, (_, term) in zip(plan.names("objective"), plan.objective.terms, strict=True)
        if term.kind in MEASURED and name in curves
    )


def _recheck(ladder: Sequence[Configuration], target: Target) -> None:
    """The re-classification check of all configurations, each image in its forms."""
    results = [result for row in ladder if (result := row.result(target))]
    if target.layer or len(results) < len(ladder):
        return
    asked = st.session_state.setdefault("ladder_rechecks", {})
    key = (target.network.key, target.units, ladder[0].plan.seed)
    if cache.visualization_worker().state(asked.get(key, "")) is None:
        images = np.concatenate([result.images for result in results])
        asked[key] = cache.visualization_worker().ask_recheck(
            target.network.ref, [], [target.names[0]] * len(images), images=images
        )

    def draw(checks: list[list[Reclassification]]) -> None:
        st.markdown(f"##### Predicted probability of {target.names[0]} on re-classification")
        st.dataframe(
            [
                {"configuration": row.preset.title} | {one.form: one.target for one in of_one}
                for row, of_one in zip(ladder, checks, strict=True)
            ],
            column_config={
                one.form: st.column_config.ProgressColumn(
                    one.form, min_value=0, max_value=1, format="percent"
                )
                for one in checks[0]
            },
            hide_index=True,
        )

    show_answer(asked[key], draw)
