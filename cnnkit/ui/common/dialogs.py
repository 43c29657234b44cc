"""Dialogs that stay open while the page behind them runs again."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

_OPEN = "open_dialog"  # in the state of the visit: the one that is open, and of what it is


def dialog_button(
    label: str, draw: Callable[[], None], *, title: str, of: str, key: str, icon: str | None = None
) -> None:
    """A button that opens a dialog.

    A dialog of Streamlit's own is gone as soon as the page runs again, and pages that watch a
    run or wait for images do that by themselves, under the hands of whoever is typing.

    Args:
        label: of the button.
        draw: what stands in the dialog; calls `close_dialog` when all is done.
        title: of the dialog.
        of: id of what it is about; a dialog left open is not there for something else.
        key: of the button, one for each dialog of a page.
        icon: of the button.
    """
    # A callback: another dialog that was open is closed before the page comes to it.
    st.button(label, icon=icon, key=key, on_click=_remember, args=(key, of))
    if st.session_state.get(_OPEN) == (key, of):
        st.dialog(title, on_dismiss=_forget)(draw)()


def close_dialog() -> None:
    """Close the dialog that is open, and run the page again: what it shows has changed."""
    _forget()
    st.rerun()


def _remember(key: str, of: str) -> None:
    st.session_state[_OPEN] = (key, of)


def _forget() -> None:
    st.session_state.pop(_OPEN, None)
