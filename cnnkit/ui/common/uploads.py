"""An uploaded network, for the whole visit.

Streamlit drops what a widget holds as soon as a page is drawn without it. The
reference of the network and the names of its classes therefore stay in the session state.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from cnnkit import sandbox
from cnnkit.errors import CnnkitError
from cnnkit.models import UPLOAD_SUFFIXES
from cnnkit.networks import (
    NetworkRef,
    add_upload,
    check_uploads,
    remove_upload,
    rename_upload_classes,
    upload_notes,
)
from cnnkit.ui.common import cache, inputs
from cnnkit.ui.common.person import person

MAX_MB = 200
TYPES = [suffix.removeprefix(".") for suffix in UPLOAD_SUFFIXES]
_FILE, _NAMES = "network_upload", "network_classes"  # keys of the widgets
_UPLOAD, _UPLOAD_NAMES = "uploaded_network", "uploaded_network_classes"  # of what outlives them


@dataclass(frozen=True)
class _Upload:
    name: str  # of the file
    ref: NetworkRef | None
    error: CnnkitError | None = None  # why it cannot be used


def offer(parameter: str, *, several: bool = True) -> None:
    """A place to drop a `.keras` or `.h5` file, which is chosen as soon as it is there.

    Args:
        parameter: of the address, the chosen network or networks.
        several: whether it is a list, to which the file is added.
    """
    with st.popover("Upload a model", icon=":material/upload_file:"):
        st.file_uploader(
            "A .keras or .h5 file that takes images and returns one logit or probability a class",
            type=TYPES,
            max_upload_size=MAX_MB,
            key=_FILE,
            on_change=_keep,
            args=(parameter, several),
            help="Its input is pixels of 0 to 255. Only Keras's own layers are accepted: nothing "
            "in the file is run as code.",
        )
        # The widget shows the file only on the page where it was dropped.
        if name() and st.session_state.get(_FILE) is None:
            st.caption(f"{name()} is open on every page until you remove it.")
            st.button(
                "Remove the file",
                icon=":material/delete:",
                key="network_remove",
                on_click=_remove,
            )
        st.session_state[_NAMES] = class_names_text()  # on another page the widget is a new one
        st.text_input(
            "Class names, separated by commas",
            placeholder="class 0, class 1, …",
            key=_NAMES,
            on_change=_keep_names,
        )
    upload = st.session_state.get(_UPLOAD)
    if upload and upload.ref:
        for note in upload_notes(upload.ref):
            st.warning(f"{upload.name}: {note}", icon=":material/warning:")


def name() -> str | None:
    """Name of the file, or None while there is none."""
    upload = st.session_state.get(_UPLOAD)
    return upload.name if upload else None


def ref() -> NetworkRef | None:
    """The network that was uploaded, or None while there is none.

    Raises:
        CnnkitError: the file cannot be used; says why.
    """
    upload = st.session_state.get(_UPLOAD)
    if upload and upload.error:
        raise upload.error
    return upload.ref if upload else None


def class_names_text() -> str:
    """Names of its classes as they were typed, with commas between them."""
    return st.session_state.get(_UPLOAD_NAMES, "")


def class_names() -> tuple[str, ...]:
    """Names of its classes as far as they are known, in the order of the logits."""
    return tuple(one.strip() for one in class_names_text().split(",") if one.strip())


def _keep(parameter: str, several: bool) -> None:
    """Keep the file that was dropped, or forget the one that was taken away."""
    file = st.session_state.get(_FILE)
    if file is None:
        _remove()
        return
    before = st.session_state.get(_UPLOAD)
    try:
        cache.limits().check_upload(file.name, file.size)
        ahead = sandbox.networks.line.length
        with st.spinner("Checking the file …" + (f" ({ahead} ahead of you)" if ahead else "")):
            ref = add_upload(
                file.getvalue(), title=file.name, class_names=class_names(), owner=person()
            )
    except CnnkitError as error:
        _forget(before)
        st.session_state[_UPLOAD] = _Upload(file.name, None, error)
        return
    st.session_state[_UPLOAD] = _Upload(file.name, ref)
    if not several:
        st.query_params[parameter] = str(ref)
        return
    _forget(before)
    chosen = [key for key in st.session_state[inputs.key_of(parameter)] if key not in _text(before)]
    st.query_params[parameter] = ",".join([*chosen, str(ref)])


def _keep_names() -> None:
    st.session_state[_UPLOAD_NAMES] = st.session_state[_NAMES]
    upload = st.session_state.get(_UPLOAD)
    if upload is None or upload.ref is None:
        return
    try:
        check_uploads(str(upload.ref), person())
        renamed = rename_upload_classes(upload.ref, class_names())
    except CnnkitError as error:
        st.session_state[_UPLOAD] = _Upload(upload.name, None, error)
        return
    st.session_state[_UPLOAD] = _Upload(upload.name, renamed)
    for parameter, value in st.query_params.to_dict().items():
        st.query_params[parameter] = value.replace(str(upload.ref), str(renamed))


def _remove() -> None:
    upload = st.session_state.pop(_UPLOAD, None)
    _forget(upload)
    if upload and upload.ref and cache.limits().hold:  # it takes of the person's storage
        remove_upload(upload.ref, person())
    st.session_state.pop(_UPLOAD_NAMES, None)


def _forget(upload: _Upload | None) -> None:
    """Take a network out of the address."""
    for parameter, value in st.query_params.to_dict().items():
        names = value.split(",")
        left = [name for name in names if name not in _text(upload)]
        if left and left != names:
            st.query_params[parameter] = ",".join(left)
        elif not left:
            del st.query_params[parameter]


def _text(upload: _Upload | None) -> tuple[str, ...]:
    return (str(upload.ref), "file") if upload and upload.ref else ()
