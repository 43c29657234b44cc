"""The network that is being edited: it stands in the address, so that a link opens on it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from cnnkit.datasets import DatasetSpec
from cnnkit.errors import CnnkitError, InvalidDefinitionError
from cnnkit.models.builder import NetworkDefinition, get_template
from cnnkit.training.recipe import SMALLEST_IMAGE
from cnnkit.ui.common.inputs import DEFINITION
from cnnkit.ui.common.messages import literal

PARAMETER = "network"  # in the address
SIZE, USUAL_PHOTO, LARGEST_PHOTO = "size", 64, 256  # of photos: in the address, and pixels
START = "small_cnn"  # template of a first visit
UNDONE = 50  # changes that can be taken back
_HISTORY, _MESSAGE, _SELECTED = "build_history", "build_message", "build_selected"


def edited_network(data: DatasetSpec) -> NetworkDefinition:
    """The network of the address, or of this visit, or one to start from.

    Args:
        data: whose images and classes it is for.
    """
    definition = get_template(START)
    for code in (st.query_params.get(PARAMETER), st.session_state.get(DEFINITION)):
        if code:
            try:
                definition = NetworkDefinition.from_code(code)
                break
            except InvalidDefinitionError as error:
                st.error(literal(str(error)), icon=":material/link_off:")
    definition = definition.on(image_shape(data), data.classes)
    _keep(definition)
    return definition


def image_shape(data: DatasetSpec) -> tuple[int, int, int]:
    """The images that the network gets: small ones as they are, photos of the size chosen here."""
    if data.kind == "small":
        return data.input_shape
    text = st.query_params.get(SIZE, "")
    side = int(text) if text.isdecimal() and len(text) < 5 else 0
    side = side if SMALLEST_IMAGE <= side <= LARGEST_PHOTO else usual_photo()
    return side, side, data.input_shape[2]


def usual_photo() -> int:
    """Height and width, in pixels, where the address says nothing: those of the network."""
    with suppress(InvalidDefinitionError):
        height, width, channels = NetworkDefinition.from_code(_code()).input_shape
        if channels == 3 and SMALLEST_IMAGE <= height == width <= LARGEST_PHOTO:
            return height
    return USUAL_PHOTO


def _code() -> str:
    """The network of the address, or of this visit, as it stands there; empty: none."""
    return st.query_params.get(PARAMETER) or st.session_state.get(DEFINITION) or ""


def change_network(change: Callable[[NetworkDefinition], NetworkDefinition]) -> None:
    """Change the network, in a callback; a change that cannot be is said at the next run."""
    definition = _current()
    try:
        changed = change(definition)
        code = changed.code
    except CnnkitError as error:
        st.session_state[_MESSAGE] = str(error)
        return
    if code == definition.code:
        return
    history = st.session_state.setdefault(_HISTORY, [])
    history.append(definition.code)
    del history[:-UNDONE]
    _keep(changed)


def undo_change() -> None:
    """Take the last change back, in a callback."""
    history = st.session_state.get(_HISTORY)
    if history:
        _keep(NetworkDefinition.from_code(history.pop()))
        select_entry(None)


def can_undo() -> bool:
    """Whether there is a change to take back."""
    return bool(st.session_state.get(_HISTORY))


def show_message() -> None:
    """Say why the last change could not be made."""
    message = st.session_state.pop(_MESSAGE, None)
    if message:
        st.error(literal(message), icon=":material/error:")


def selected_entry(count: int) -> int | None:
    """Number of the entry whose settings are open; None: of none.

    Args:
        count: how many entries there are.
    """
    number = st.session_state.get(_SELECTED)
    return number if number is not None and number < count else None


def select_entry(number: int | None) -> None:
    """Open the settings of an entry, in a callback."""
    st.session_state[_SELECTED] = number


def _current() -> NetworkDefinition:
    return NetworkDefinition.from_code(st.session_state[DEFINITION])


def _keep(definition: NetworkDefinition) -> None:
    st.session_state[DEFINITION] = st.query_params[PARAMETER] = definition.code
