"""The ladder on a page: nine ways to the same unit, made one after the other and shown at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.studio import Look
from cnnkit.ui.common import cache, charts
from cnnkit.ui.visualize.targets import Network, Target
from cnnkit.visualize import Plan, Reclassification
from cnnkit.visualize.fooling import as_shown
from cnnkit.visualize.ladder import regularizer_ladder
from cnnkit.visualize.presets import Preset, completed

WIDTH = 224  # pixels, of one image
EVERY = 0.6  # seconds
_KEY = "ladder"
# What every rung tells, whether it holds it down or not.
MEASURED = ("class_logit", "class_probability", "channel", "total_variation", "lp_norm")


@dataclass(frozen=True)
class Rung:
    """One row of the ladder for one target."""

    preset: Preset
    plan: Plan

    def kept(self, target: Target):
        """Its finished result, if it was made before."""
        studio = cache.studio()
        return studio.results.get(studio.key(target.network.source, self.plan))


def of(target: Target, seed: int) -> list[Rung]:
    """The ladder for a target, from the bottom."""
    height, width, _ = target.network.input_shape
    common = {"size": (height, width), "seed": seed, "images": len(target.units)}
    presets = regularizer_ladder(network=target.network.source.name)
    return [Rung(preset, completed(preset.plan(target.objective, **common))) for preset in presets]


def show(ladder: list[Rung], target: Target, networks: list[Network]) -> None:
    """Draw what is there, offer to make what is not, and follow it."""
    lacking = [rung for rung in ladder if rung.kept(target) is None]
    sessions = st.session_state.get(_KEY, {})
    known = {rung.preset.name: sessions.get(rung.plan.to_json(), "") for rung in lacking}
    told = {name: cache.studio().look(session) for name, session in known.items()}
    running = {name: known[name] for name, one in told.items() if one and not one.over}
    failed = {name: one.reason for name, one in told.items() if one and one.over}
    for reason in dict.fromkeys(filter(None, failed.values())):
        st.error(reason, icon=":material/error:")
    # What failed may be tried again.
    unmade = [rung for rung in lacking if rung.preset.name not in running]
    if unmade:
        words = f"Climb the ladder: {len(unmade)} of {len(ladder)} rungs are to be made"
        if st.button(words, type="primary", icon=":material/play_arrow:", key="climb"):
            for rung in unmade:
                name = cache.studio().start(target.network.source, rung.plan)
                sessions[rung.plan.to_json()] = name
            st.session_state[_KEY] = sessions
            st.rerun()

    @st.fragment(run_every=EVERY if running else None)
    def look() -> None:
        told = {name: cache.studio().look(session) for name, session in running.items()}
        with st.grid("auto", min_column_width=WIDTH):
            for rung in ladder:
                _card(rung, target, running.get(rung.preset.name), told.get(rung.preset.name))
        if running and all(one is None or one.over for one in told.values()):
            st.rerun()  # once: on the next run none of these counts as running

    look()
    if not lacking:
        _verdicts(ladder, target)


def _card(rung: Rung, target: Target, session: str | None, now: Look | None) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{rung.preset.title}**")
        found = None if session else rung.kept(target)
        frame = as_shown(found.images, found.plan) if found else None
        curves = found.card["curves"] if found else None
        if session and now:
            frame, curves = cache.studio().frame(session), now.curves
            st.progress(now.fraction, f"{now.status}, step {now.number} of {now.steps}")
            if now.reason:
                st.error(now.reason)
        if frame is None:
            st.caption("Not made yet.")
            return
        charts.mosaic(frame, columns=1, width=WIDTH, alt=f"{rung.preset.title}: {target.names[0]}")
        st.caption(_values(rung.plan, curves))


def _values(plan: Plan, curves) -> str:
    if not curves:
        return ""
    told = [
        f"{term.kind.replace('_', ' ')} {curves[f'terms/{n}'][-1]:.3g}"
        for n, (_, term) in enumerate(plan.objective.terms)
        if term.kind in MEASURED and f"terms/{n}" in curves
    ]
    return " · ".join(told)


def _verdicts(ladder: list[Rung], target: Target) -> None:
    """The fooling check of all rungs, each image asked about in its forms."""
    if target.layer:
        return
    results = [rung.kept(target) for rung in ladder]
    images = np.concatenate([result.images for result in results if result])
    asked = st.session_state.setdefault("ladder_checks", {})
    key = (target.network.key, target.units, ladder[0].plan.seed)
    if key not in asked:
        names = [target.names[0]] * len(images)
        asked[key] = cache.studio().ask_check("", target.network.source, [], names, images=images)
    was_there = cache.studio().answer(asked[key]) is not None

    @st.fragment(run_every=None if was_there else 0.5)
    def look() -> None:
        answer = cache.studio().answer(asked[key])
        if answer is None:
            st.caption(":material/progress_activity: The network looks at every image again …")
            return
        if not was_there:
            st.rerun()
        if "error" in answer:
            st.error(answer["error"])
            return
        st.markdown(f"##### How sure is {target.network.title} that it is a {target.names[0]}?")
        st.dataframe(
            [
                {"rung": rung.preset.title}
                | {(v := Reclassification.from_dict(one)).form: v.target for one in verdicts}
                for rung, verdicts in zip(ladder, answer["verdicts"], strict=True)
            ],
            column_config={
                form: st.column_config.ProgressColumn(
                    form, min_value=0, max_value=1, format="percent"
                )
                for form in [one["form"] for one in answer["verdicts"][0]]
            },
            hide_index=True,
        )

    look()
