"""The fooling check beside an image: what networks say to it, in several forms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnnkit.studio import Source
from cnnkit.ui.common import cache
from cnnkit.ui.visualize.targets import Network, Target
from cnnkit.visualize import Reclassification

ASKED = "check_asked"
MOST_OTHERS = 3


def check(
    target: Target, networks: Sequence[Network], session: str, *, images: np.ndarray | None = None
) -> None:
    """A button, and the verdicts once they are there.

    Args:
        target: what was excited; only classes can be recognised.
        networks: all that could be asked.
        session: whose images, or what stands for `images`.
        images: float32 (images, height, width, channels), instead of a session's.
    """
    st.markdown("##### Would a network really call it so?")
    if target.layer:
        st.caption("A filter has no class to be recognised as: choose the answer as layer.")
        return
    others = _others(target.network, networks)
    asked = st.session_state.get(ASKED)
    if st.button("Ask the networks", icon=":material/gavel:", key="check"):
        sources = [network.source for network in others]
        question = _ask(target, sources, session, images)
        asked = st.session_state[ASKED] = (session, target, question)
    if not asked or asked[0] != session:
        st.caption(
            "The image goes back into its network: exactly as it is, in whole gray levels, after "
            "JPEG and moved by three pixels; and to other networks, which had no part in it."
        )
        return
    _await(asked[2], asked[1])


def _ask(target: Target, others: list[Source], session: str, images: np.ndarray | None) -> str:
    own = target.network.source
    name = session if images is None else ""
    return cache.studio().ask_check(name, own, others, target.names, images=images)


def _others(own: Network, networks: Sequence[Network]) -> list[Network]:
    """That know the same classes and learnt something."""
    alike = [
        network
        for network in networks
        if network.key != own.key
        and network.class_names == own.class_names
        and not network.key.startswith("untrained")
    ]
    return alike[:MOST_OTHERS]


def _await(question: str, target: Target) -> None:
    was_there = cache.studio().answer(question) is not None

    @st.fragment(run_every=None if was_there else 0.5)
    def look() -> None:
        answer = cache.studio().answer(question)
        if answer is None:
            st.caption(":material/progress_activity: The networks look at it …")
            return
        if not was_there:
            st.rerun()
        if "error" in answer:
            st.error(answer["error"], icon=":material/error:")
            return
        for name, verdicts in zip(target.names, answer["verdicts"], strict=True):
            _table(
                name, [Reclassification.from_dict(one) for one in verdicts], len(target.names) == 1
            )

    look()


def _table(name: str, verdicts: list[Reclassification], alone: bool) -> None:
    if not alone:
        first = verdicts[1]
        share = "–" if first.target is None else f"{first.target:.1%}"
        st.markdown(f"**{name}**: {share} in 8 bit, first is {first.answers[0].name}")
        return
    st.dataframe(
        [
            {
                "network": verdict.network + ("" if verdict.own else " (not its own)"),
                "image": verdict.form,
                name: verdict.target,
                "first answer": verdict.answers[0].name,
                "its share": verdict.answers[0].probability,
                "then": ", ".join(f"{a.name} {a.probability:.0%}" for a in verdict.answers[1:4]),
            }
            for verdict in verdicts
        ],
        column_config={
            name: st.column_config.ProgressColumn(name, min_value=0, max_value=1, format="percent"),
            "its share": st.column_config.NumberColumn(format="percent"),
        },
        hide_index=True,
    )
    kept = [v for v in verdicts if v.answers[0].name == name]
    others = [v for v in verdicts if not v.own]
    agree = [v for v in others if v.answers[0].name == name]
    words = f"{len(kept)} of {len(verdicts)} put {name} first"
    if others:
        words += f"; of the {len(others)} networks that had no part in it, {len(agree)} do"
    st.caption(f"{words}.")
