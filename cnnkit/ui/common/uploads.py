"""An uploaded network, for the whole visit.

Streamlit drops what a widget holds as soon as a page is drawn without it. The
reference of the network and the names of its classes therefore stay in the session state. What
can be said of it and done with it is in `upload_settings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from cnnkit import sandbox
from cnnkit.errors import CnnkitError
from cnnkit.models import UPLOAD_SUFFIXES, read_class_names
from cnnkit.networks import (
    NetworkRef,
    add_upload,
    check_uploads,
    prepare_upload,
    remove_upload,
    rename_upload_classes,
    upload_notes,
)
from cnnkit.ui.common import cache, inputs, upload_settings
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.person import person

MAX_MB = 200
LABELS = ".txt"
TYPES = [suffix.removeprefix(".") for suffix in (*UPLOAD_SUFFIXES, LABELS)]
_FILE, _NAMES = "network_upload", "network_classes"  # keys of the widgets
_UPLOAD, _UPLOAD_NAMES = "uploaded_network", "uploaded_network_classes"  # of what outlives them
_NAMES_OF_FILE = "uploaded_names_of_file"  # whether they came in a file


@dataclass(frozen=True)
class _Upload:
    name: str  # of the file
    ref: NetworkRef | None
    error: CnnkitError | None = None  # why it cannot be used
    file: str = ""  # id of the file in the widget


def offer(parameter: str, *, several: bool = True) -> None:
    """A place to drop a network's file, which is chosen as soon as it is there.

    Args:
        parameter: of the address, the chosen network or networks.
        several: whether it is a list, to which the file is added.
    """
    with st.popover("Upload a model", icon=":material/upload_file:"):
        st.file_uploader(
            "A network that takes images and returns one logit or probability a class",
            type=TYPES,
            accept_multiple_files=True,
            max_upload_size=MAX_MB,
            key=_FILE,
            on_change=_keep,
            args=(parameter, several),
            help="A .keras file, an .h5 file of any Keras (as Teachable Machine makes), or a ZIP "
            "with one of them or with a TensorFlow.js model. Its labels.txt, in the ZIP or dropped "
            "too, names the classes. Only Keras's own layers are accepted: nothing in the file is "
            "run as code.",
        )
        # The widget shows the file only on the page where it was dropped.
        if name() and not _networks(st.session_state.get(_FILE) or []):
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
            with shown_errors(stop=False):
                upload_settings.show_settings(upload.ref, upload.name, prepare)
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
    text = class_names_text()
    parts = text.split(";" if ";" in text else ",")
    return tuple(one.strip() for one in parts if one.strip())


def prepare(preprocessing: str) -> None:
    """Have the network take other pixels from now on, on every page. For callbacks.

    Args:
        preprocessing: key of `models.PREPROCESSINGS`.
    """
    upload = st.session_state[_UPLOAD]
    try:
        check_uploads(str(upload.ref), person())
        with st.spinner("Checking the file …"):
            prepared = prepare_upload(upload.ref, preprocessing)
    except CnnkitError as error:
        st.session_state[_UPLOAD] = replace(upload, ref=None, error=error)
        return
    _replace(upload, prepared)


def _keep(parameter: str, several: bool) -> None:
    """Keep the files that were dropped, or forget the one that was taken away."""
    files = st.session_state.get(_FILE) or []
    networks = _networks(files)
    before = st.session_state.get(_UPLOAD)
    if not files:
        _remove()
        return
    try:
        _take_names(files)
        if not networks:
            _keep_new_names(class_names())
            return
        file = networks[-1]  # dropped last
        if before and before.ref and before.file == file.file_id:
            _keep_new_names(class_names())
            return
        cache.limits().check_upload(file.name, file.size)
        ahead = sandbox.networks.line.length
        with st.spinner("Checking the file …" + (f" ({ahead} ahead of you)" if ahead else "")):
            ref = add_upload(
                file.getvalue(), title=file.name, class_names=class_names(), owner=person()
            )
        if not class_names():
            _write_names(upload_settings.names_in_file(ref))
    except CnnkitError as error:
        _forget(before)
        st.session_state[_UPLOAD] = _Upload(files[-1].name, None, error)
        return
    st.session_state[_UPLOAD] = _Upload(file.name, ref, file=file.file_id)
    if not several:
        st.query_params[parameter] = str(ref)
        return
    _forget(before)
    chosen = [key for key in st.session_state[inputs.key_of(parameter)] if key not in _text(before)]
    st.query_params[parameter] = ",".join([*chosen, str(ref)])


def _keep_names() -> None:
    st.session_state[_UPLOAD_NAMES] = st.session_state[_NAMES]
    st.session_state[_NAMES_OF_FILE] = False
    _keep_new_names(class_names())


def _networks(files: Sequence[Any]) -> list[Any]:
    """The files that are no lists of names."""
    return [file for file in files if not file.name.lower().endswith(LABELS)]


def _take_names(files: Sequence[Any]) -> None:
    """The names in a `labels.txt`; those of a file before are not those of the next network."""
    labels = [file for file in files if file.name.lower().endswith(LABELS)]
    if labels:
        _write_names(read_class_names(labels[-1].getvalue()))
    elif st.session_state.get(_NAMES_OF_FILE):
        _write_names(())


def _write_names(names: Sequence[str]) -> None:
    """Names that came in a file."""
    separator = "; " if any("," in name for name in names) else ", "
    st.session_state[_UPLOAD_NAMES] = separator.join(names)
    st.session_state[_NAMES_OF_FILE] = bool(names)


def _keep_new_names(names: Sequence[str]) -> None:
    upload = st.session_state.get(_UPLOAD)
    if upload is None or upload.ref is None:
        return
    try:
        check_uploads(str(upload.ref), person())
        renamed = rename_upload_classes(upload.ref, names)
    except CnnkitError as error:
        st.session_state[_UPLOAD] = replace(upload, ref=None, error=error)
        return
    _replace(upload, renamed)


def _replace(upload: _Upload, ref: NetworkRef) -> None:
    """Another reference to the same file, also in the address."""
    st.session_state[_UPLOAD] = replace(upload, ref=ref)
    for parameter, value in st.query_params.to_dict().items():
        st.query_params[parameter] = value.replace(str(upload.ref), str(ref))


def _remove() -> None:
    upload = st.session_state.pop(_UPLOAD, None)
    _forget(upload)
    if upload and upload.ref and cache.limits().hold:  # it takes of the person's storage
        remove_upload(upload.ref, person())
    for key in (_UPLOAD_NAMES, _NAMES_OF_FILE):
        st.session_state.pop(key, None)


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
