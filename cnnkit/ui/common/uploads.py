"""A network that somebody brought as a file, for the length of the visit.

Streamlit drops what a widget holds as soon as a page is drawn without it. The file and the
names of its classes are therefore kept beside the widgets, and every page finds them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass

import streamlit as st

from cnnkit.models import UPLOAD_SUFFIXES, Predictor, open_uploaded
from cnnkit.ui.common import cache, inputs

MAX_MB = 200
TYPES = [suffix.removeprefix(".") for suffix in UPLOAD_SUFFIXES]
CHOICE = "file"  # its name in the address
_FILE, _NAMES = "network_upload", "network_classes"  # keys of the widgets
_KEPT, _KEPT_NAMES = "kept_network", "kept_network_classes"  # of what outlives them


@dataclass(frozen=True)
class _Upload:
    name: str  # of the file
    data: bytes
    digest: str


def offer(parameter: str, *, several: bool = True) -> None:
    """A place to drop a `.keras` or `.h5` file, which is chosen as soon as it is there.

    Args:
        parameter: of the address, the chosen network or networks.
        several: whether it is a list, to which the file is added.
    """
    with st.popover("Open your own network", icon=":material/upload_file:"):
        st.file_uploader(
            "A .keras or .h5 file that takes images and returns one number a class",
            type=TYPES,
            max_upload_size=MAX_MB,
            key=_FILE,
            on_change=_keep,
            args=(parameter, several),
            help="It is given pixels of 0 to 255. Only Keras's own layers are accepted: nothing in "
            "the file is run as code.",
        )
        # The widget shows the file only on the page where it was dropped.
        if name() and st.session_state.get(_FILE) is None:
            st.caption(f"{name()} is open on every page until you remove it.")
            st.button(
                "Remove the file",
                icon=":material/delete:",
                key="network_remove",
                on_click=_remove,
                args=(parameter, several),
            )
        st.session_state[_NAMES] = class_names_text()  # on another page the widget is a new one
        st.text_input(
            "Names of its classes, with commas between them",
            placeholder="class 0, class 1, …",
            key=_NAMES,
            on_change=_keep_names,
        )


def name() -> str | None:
    """Name of the file, or None while there is none."""
    upload = st.session_state.get(_KEPT)
    return upload.name if upload else None


def data() -> bytes:
    """The file itself; only while there is one."""
    return st.session_state[_KEPT].data


def class_names_text() -> str:
    """Names of its classes as they were typed, with commas between them."""
    return st.session_state.get(_KEPT_NAMES, "")


def class_names() -> tuple[str, ...]:
    """Names of its classes as far as they were given, in the order of the logits."""
    return tuple(one.strip() for one in class_names_text().split(",") if one.strip())


def identity() -> Hashable:
    """Equal for equal files with equal names; only while there is a file."""
    upload = st.session_state[_KEPT]
    return CHOICE, upload.digest, upload.name, class_names()


def opened() -> Predictor:
    """The network, checked before anything in it is used, and ready to answer.

    Raises:
        CnnkitError: it cannot be used; says why.
    """
    upload, names = st.session_state[_KEPT], class_names()
    return cache.networks().get(
        identity(),
        lambda: open_uploaded(upload.data, title=upload.name, class_names=names),
        cache.brought_bytes(upload.digest, upload.data),
    )


def _keep(parameter: str, several: bool) -> None:
    """Keep the file that was dropped, or forget the one that was taken away."""
    file = st.session_state.get(_FILE)
    if file is None:
        _remove(parameter, several)
        return
    content = file.getvalue()
    st.session_state[_KEPT] = _Upload(file.name, content, hashlib.sha256(content).hexdigest())
    _choose(parameter, several)


def _keep_names() -> None:
    st.session_state[_KEPT_NAMES] = st.session_state[_NAMES]


def _remove(parameter: str, several: bool) -> None:
    st.session_state.pop(_KEPT, None)
    st.session_state.pop(_KEPT_NAMES, None)
    _choose(parameter, several)


def _choose(parameter: str, several: bool) -> None:
    if not several:
        if name():
            st.query_params[parameter] = CHOICE
        elif st.query_params.get(parameter) == CHOICE:
            del st.query_params[parameter]
        return
    chosen = [key for key in st.session_state[inputs.key_of(parameter)] if key != CHOICE]
    st.query_params[parameter] = ",".join([*chosen, CHOICE] if name() else chosen)
