"""The re-classification check beside an image: how networks classify it, in several forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from cnnkit.figures import rasters
from cnnkit.jobs.sessions import SessionState
from cnnkit.networks import BUILT, NetworkRef
from cnnkit.runs import Status
from cnnkit.ui.common import cache
from cnnkit.ui.common.image_choice import File
from cnnkit.ui.explain.links import why_button
from cnnkit.ui.visualize.session_view import poll_session
from cnnkit.ui.visualize.targets import Network, Target
from cnnkit.visualize import Reclassification
from cnnkit.visualize.fooling import to_8bit

ASKED = "recheck_asked"
MOST_OTHERS = 3


def recheck(
    target: Target, networks: Sequence[Network], session: str, *, images: np.ndarray | None = None
) -> None:
    """A button, and the check's table once it is there.

    Args:
        target: what was maximized; only classes can be recognized.
        networks: all that could be asked.
        session: whose images, or what stands for `images`.
        images: float32 (images, height, width, channels), instead of a session's.
    """
    st.markdown("##### Re-classification check")
    if target.layer:
        st.caption("The check needs a class: choose the logits as the layer.")
        return
    asked = st.session_state.get(ASKED)
    if st.button("Classify again", icon=":material/fact_check:", key="check"):
        question = _ask(target, _others(target.network, networks), session, images)
        asked = st.session_state[ASKED] = (session, target, question)
    if not asked or asked[0] != session:
        st.caption(
            "An optimized image can fool its network. It is classified again: unchanged, in 8 bit, "
            "after JPEG compression, and shifted by three pixels; and by other networks, which "
            "were not optimized for."
        )
        return
    names = asked[1].names

    def draw(checks: list[list[Reclassification]]) -> None:
        for name, of_one in zip(names, checks, strict=True):
            _table(name, of_one, len(names) == 1)

    show_answer(asked[2], draw)
    if len(names) == 1:
        _why(asked[1], session, images)


def _why(target: Target, session: str, images: np.ndarray | None) -> None:
    """The way to the explanation: what of the optimized image speaks for its class."""
    shown = cache.visualization_worker().frame(session) if images is None else to_8bit(images)
    if shown is not None:
        image = shown[0]
        data = rasters.png(image[..., 0] if image.shape[-1] == 1 else image)
        address = {"networks": target.network.key, "target": str(target.units[0])}
        why_button(File("optimized.png", data), key="why_optimized", fit="stretch", **address)


def show_answer(question: str, draw: Callable[[list[list[Reclassification]]], None]) -> None:
    """Draw the checks of each image once they are there; until then say what is awaited.

    Args:
        question: id from `VisualizationWorker.ask_recheck`.
        draw: called with what each network says to each form, for each image.
    """

    def draw_state(state: SessionState) -> None:
        if not state.over:
            st.caption(":material/progress_activity: The images are classified again …")
        elif state.status is Status.FINISHED:
            draw(
                [
                    [Reclassification.from_dict(one) for one in of_one]
                    for of_one in state.details["checks"]
                ]
            )
        else:
            st.error(state.reason, icon=":material/error:")

    poll_session(question, draw_state, every=0.5)


def _ask(target: Target, others: list[NetworkRef], session: str, images: np.ndarray | None) -> str:
    own: dict[str, Any] = {"session": session} if images is None else {"images": images}
    return cache.visualization_worker().ask_recheck(target.network.ref, others, target.names, **own)


def _others(own: Network, networks: Sequence[Network]) -> list[NetworkRef]:
    """Trained networks that know the same classes."""
    alike = [
        network.ref
        for network in networks
        if network.key != own.key
        and network.class_names == own.class_names
        and network.ref.kind != BUILT
    ]
    return alike[:MOST_OTHERS]


def _table(name: str, checks: list[Reclassification], alone: bool) -> None:
    if not alone:
        first = checks[1]
        share = "–" if first.target is None else f"{first.target:.1%}"
        st.markdown(f"**{name}**: {share} in 8 bit, top-1 is {first.answers[0].name}")
        return
    st.dataframe(
        [
            {
                "network": check.network + ("" if check.own else " (not involved)"),
                "image": check.form,
                name: check.target,
                "top-1": check.answers[0].name,
                "probability": check.answers[0].probability,
                "top-2 to top-4": ", ".join(
                    f"{a.name} {a.probability:.0%}" for a in check.answers[1:4]
                ),
            }
            for check in checks
        ],
        column_config={
            name: st.column_config.ProgressColumn(name, min_value=0, max_value=1, format="percent"),
            "probability": st.column_config.NumberColumn(format="percent"),
        },
        hide_index=True,
        alt=f"What each network says to each form of the image optimized for {name}",
    )
    agreeing = [v for v in checks if v.answers[0].name == name]
    others = [v for v in checks if not v.own]
    agree = [v for v in others if v.answers[0].name == name]
    text = f"{len(agreeing)} of {len(checks)} checks classify it as {name}"
    if others:
        text += f", {len(agree)} of {len(others)} by other networks"
    st.caption(f"{text}.")
