"""Other names for the classes of a network that has learnt."""

from __future__ import annotations

import streamlit as st

from cnnkit.errors import StorageError
from cnnkit.runs import Run
from cnnkit.ui import cache
from cnnkit.ui.dialogs import close_dialog, dialog_button
from cnnkit.ui.messages import shown_errors


def button(run: Run) -> None:
    """Opens a table of names to change."""
    dialog_button(
        "Rename classes",
        lambda: _rename(run),
        title="Rename the classes",
        of=run.id,
        key="rename_classes",
        icon=":material/label:",
    )


def checked(names: list[str]) -> tuple[str, ...]:
    """Names as they can be kept.

    Raises:
        StorageError: one is empty or there twice; says which.
    """
    stripped = [str(name or "").strip() for name in names]
    if not all(stripped):
        raise StorageError(f"Class {stripped.index('')} needs a name.")
    twice = sorted({name for name in stripped if stripped.count(name) > 1})
    if twice:
        raise StorageError(f"Two classes cannot both be called {twice[0]!r}.")
    return tuple(stripped)


def _rename(run: Run) -> None:
    card = cache.card(run.id)
    st.caption("The network keeps what it learnt; only what its answers are called changes.")
    given = st.data_editor(
        {"Class": list(card.class_names)}, hide_index=False, key="class_names", num_rows="fixed"
    )
    if st.button("Keep these names", type="primary", key="rename_classes_now"):
        with shown_errors():
            cache.rename_classes(run.id, checked(list(given["Class"])))
        close_dialog()
