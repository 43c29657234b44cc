"""Images of the visitor's camera, or of a video, become an own data set."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnnkit.datasets import DatasetSpec, dataset_info
from cnnkit.datasets.folders import LEAST, labeled_images, newest_own
from cnnkit.errors import CnnkitError
from cnnkit.models import missing_weights
from cnnkit.training import get_recipe
from cnnkit.ui.camera import shots
from cnnkit.ui.camera.component import capture_component
from cnnkit.ui.common import cache, page
from cnnkit.ui.common.downloads import offer_download
from cnnkit.ui.common.messages import literal, shown_errors
from cnnkit.ui.common.person import person
from cnnkit.ui.fine_tune import importing

BURST = 30  # images
NETWORK, RECIPE = "mobilenet_v2", "quick"
_KEY = "camera_capture"
_LAST_SENT = "camera_last_sent"  # in the state of the visit: of what was sent last


def show_capture() -> None:
    """The camera, the images of each class, and the button that makes a data set of them."""
    capture_component(
        key=_KEY,
        data={
            "side": shots.SIDE,
            "most": shots.MOST,
            "least": LEAST,
            "burst": BURST,
            "sets": [_choice(spec) for spec in _own_sets()],
            **_outcome(),
        },
        on_shots_change=_begin,
    )


def show_next_step(name: str) -> None:
    """What to do with a set: fine-tune MobileNetV2 on it, or look at it first.

    Args:
        name: of an own set.
    """
    spec = dataset_info(name)
    with st.container(border=True):
        st.markdown(
            f"**{literal(spec.title)}**: {sum(spec.images):,} images of {spec.classes} classes."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            _fine_tune_button(spec)
            page.link("pages/fine_tune.py", "Look at the images first", data=name)


def _fine_tune_button(spec: DatasetSpec) -> None:
    missing = missing_weights(NETWORK)
    if missing:
        st.caption("The weights of MobileNetV2 are not on this machine yet.")
        offer_download(missing[0])
        return
    if st.button(
        "Fine-tune MobileNetV2",
        type="primary",
        icon=":material/play_arrow:",
        key="camera_fine_tune",
        help="Trains a new head on frozen features: some seconds for a hundred images.",
    ):
        recipe = get_recipe(NETWORK, RECIPE).on(spec.name)
        with shown_errors(stop=False):
            run = cache.jobs().submit(
                kind="train", spec=recipe.to_dict(), name=f"MobileNetV2 on {spec.title}"
            )
            st.switch_page("pages/fine_tune.py", query_params={"run": run.id})


def _own_sets() -> list[DatasetSpec]:
    """The newest versions of the sets that the visitor may add to."""
    return [spec for spec in map(dataset_info, newest_own()) if person().may_change(spec.owner)]


def _choice(spec: DatasetSpec) -> dict[str, Any]:
    return {"name": spec.name, "title": spec.title, "classes": list(spec.class_names)}


def _outcome() -> dict[str, str]:
    """What became of what was sent last, for the browser, which keeps the images until then."""
    token = st.session_state.get(_LAST_SENT)
    if not token or importing.is_under_way():
        return {}
    return {"done" if importing.has_succeeded() else "failed": token}


def _begin() -> None:
    """Begin to make a set of what the browser sent. Called before the page runs."""
    sent = st.session_state[_KEY].get("shots")
    if not sent:
        return
    st.session_state[_LAST_SENT] = shots.token_of(sent)
    try:
        taken = shots.checked_shots(sent)
        limits, owner = cache.limits(), person()
        limits.check_upload("What the camera took", taken.bytes)
        room = limits.room()
        importing.begin(
            lambda progress: labeled_images(
                taken.images,
                title=taken.title,
                add_to=taken.add_to,
                progress=progress,
                owner=owner,
                room=room,
            )
        )
    except CnnkitError as error:
        importing.refuse(error)
