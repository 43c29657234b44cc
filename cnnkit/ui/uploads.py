"""A network that somebody brought as a `.keras` file, for the length of the visit."""

from __future__ import annotations

import hashlib

import streamlit as st

from cnnkit.models import OpenModel, open_brought
from cnnkit.ui import cache

MAX_MB = 200
_KEY = "network_file"


def offer() -> None:
    """A place to drop a `.keras` file."""
    with st.popover("Open your own network", icon=":material/upload_file:"):
        file = st.file_uploader(
            "A .keras file that takes pictures and returns one number a class",
            type=["keras"],
            max_upload_size=MAX_MB,
            key="network_upload",
            help="Only Keras's own layers are accepted: nothing in the file is run as code.",
        )
        names = st.text_input(
            "Names of its classes, with commas between them",
            placeholder="class 0, class 1, …",
            key="network_classes",
        )
    if file is None:
        st.session_state.pop(_KEY, None)
    else:
        st.session_state[_KEY] = (file.name, file.getvalue(), names)


def name() -> str | None:
    """Name of the file, or None while there is none."""
    return st.session_state[_KEY][0] if _KEY in st.session_state else None


def opened() -> OpenModel:
    """The network, checked before anything in it is used, and ready to answer.

    Raises:
        CnnkitError: it cannot be used; says why.
    """
    title, data, names = st.session_state[_KEY]
    given = [one.strip() for one in names.split(",") if one.strip()]
    key = ("file", hashlib.sha256(data).hexdigest(), names)
    return cache.networks().get(
        key, lambda: open_brought(data, title=title, class_names=given), len(data)
    )
