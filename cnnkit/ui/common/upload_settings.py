"""What can be said of an uploaded network, and done with it: its pixels, a run, a download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from cnnkit.errors import IncompatibleError
from cnnkit.imported_runs import keep_upload, keras_file
from cnnkit.models import PREPROCESSINGS
from cnnkit.networks import NetworkRef, upload_preprocessing
from cnnkit.ui.common import cache, page
from cnnkit.ui.common.messages import literal, shown_errors

UNKNOWN = (
    "The file does not say which pixels the network was trained on. The page Predict compares "
    "its answers."
)
_PIXELS, _RUNS = "network_pixels", "network_runs"  # of a widget; runs by kept network


def show_settings(ref: NetworkRef, name: str, prepare: Callable[[str], None]) -> None:
    """Choose its preprocessing, keep it among the runs, download it.

    Args:
        ref: of an uploaded network.
        name: of its file.
        prepare: has it take other pixels.

    Raises:
        StorageError: the network is no longer kept.
    """
    try:
        ref.card()
    except IncompatibleError:
        return  # its layers can be shown, and nothing can be asked of it
    now = upload_preprocessing(ref)
    st.session_state[_PIXELS] = now.name
    st.selectbox(
        "Pixels that it expects",
        list(PREPROCESSINGS),
        format_func=lambda one: PREPROCESSINGS[one].title,
        key=_PIXELS,
        on_change=lambda: prepare(st.session_state[_PIXELS]),
        help="The conversion becomes a layer of the network, which from then on takes images with "
        "values of 0 to 255.",
    )
    if not now.asked:
        st.caption(now.known or UNKNOWN)
    if now.litert:
        st.caption("A LiteRT file predicts, and nothing else: its layers cannot be reached.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _keep_button(ref)
        st.download_button(
            "Download (.keras)",
            lambda: keras_file(cache.network(ref)),
            file_name=f"{Path(name).stem}.keras",
            mime="application/octet-stream",
            icon=":material/download:",
            on_click="ignore",
            key="network_download",
            help="A file that any Keras 3 opens: pixels of 0 to 255 in, logits out.",
        )


def names_in_file(ref: NetworkRef) -> tuple[str, ...]:
    """Names of its classes that came with the file; none where they are numbers."""
    try:
        names = ref.card().class_names
    except IncompatibleError:
        return ()
    return () if names == tuple(f"class {number}" for number in range(len(names))) else names


def _keep_button(ref: NetworkRef) -> None:
    runs = st.session_state.setdefault(_RUNS, {})
    if ref in runs:
        page.link("pages/runs.py", f"Kept as {literal(runs[ref][1])}", run=runs[ref][0])
    elif st.button(
        "Keep among my runs",
        icon=":material/bookmark_add:",
        key="network_keep",
        help="It stays after this visit, and can be fine-tuned further.",
    ):
        with shown_errors(stop=False):
            cache.limits().check_storage()
            run = keep_upload(ref, cache.store())
            runs[ref] = (run.id, run.name)
            st.rerun()
