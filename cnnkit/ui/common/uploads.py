"""A network that somebody brought as a `.keras` file, for the length of the visit."""

from __future__ import annotations

import hashlib

import streamlit as st

from cnnkit.models import OpenModel, open_brought
from cnnkit.ui.common import cache, inputs

MAX_MB = 200
CHOICE = "file"  # its name in the address
_FILE, _NAMES = "network_upload", "network_classes"  # keys of the widgets


def offer(parameter: str, *, several: bool = True) -> None:
    """A place to drop a `.keras` file, which is chosen as soon as it is there.

    Args:
        parameter: of the address, the chosen network or networks.
        several: whether it is a list, to which the file is added.
    """
    with st.popover("Open your own network", icon=":material/upload_file:"):
        st.file_uploader(
            "A .keras file that takes images and returns one number a class",
            type=["keras"],
            max_upload_size=MAX_MB,
            key=_FILE,
            on_change=_choose,
            args=(parameter, several),
            help="It is given pixels of 0 to 255. Only Keras's own layers are accepted: nothing in "
            "the file is run as code.",
        )
        st.text_input(
            "Names of its classes, with commas between them",
            placeholder="class 0, class 1, …",
            key=_NAMES,
        )


def name() -> str | None:
    """Name of the file, or None while there is none."""
    file = st.session_state.get(_FILE)
    return file.name if file else None


def data() -> bytes:
    """The file itself; only while there is one."""
    return st.session_state[_FILE].getvalue()


def opened() -> OpenModel:
    """The network, checked before anything in it is used, and ready to answer.

    Raises:
        CnnkitError: it cannot be used; says why.
    """
    title, names = name() or "", st.session_state.get(_NAMES, "")
    file, given = data(), [one.strip() for one in names.split(",") if one.strip()]
    digest = hashlib.sha256(file).hexdigest()
    return cache.networks().get(
        ("file", digest, names),
        lambda: open_brought(file, title=title, class_names=given),
        cache.brought_bytes(digest, file),
    )


def _choose(parameter: str, several: bool) -> None:
    if not several:
        if name():
            st.query_params[parameter] = CHOICE
        elif st.query_params.get(parameter) == CHOICE:
            del st.query_params[parameter]
        return
    chosen = [key for key in st.session_state[inputs.key_of(parameter)] if key != CHOICE]
    st.query_params[parameter] = ",".join([*chosen, CHOICE] if name() else chosen)
