"""Other names for the classes of a trained network."""

from __future__ import annotations

import streamlit as st

from cnnkit.errors import StorageError
from cnnkit.runs import Run
from cnnkit.ui.common import cache
from cnnkit.ui.common.dialogs import close_dialog, dialog_button
from cnnkit.ui.common.messages import shown_errors


def button(run: Run) -> None:
    """Opens a list of names to change."""
    dialog_button(
        "Rename classes",
        lambda: _rename(run),
        title="Rename the classes",
        of=run.id,
        key="rename_classes",
        icon=":material/label:",
    )


def checked(names: list[str], classes: int) -> tuple[str, ...]:
    """Names as they can be kept.

    Args:
        names: as somebody typed them.
        classes: how many there must be.

    Raises:
        StorageError: there are too many or too few, or one is empty or there twice; says which.
    """
    stripped = [name.strip() for name in names]
    if len(stripped) != classes:
        raise StorageError(f"{classes} classes need {classes} names. Received: {len(stripped)}.")
    if not all(stripped):
        raise StorageError(f"Class {stripped.index('') + 1} needs a name.")
    twice = sorted({name for name in stripped if stripped.count(name) > 1})
    if twice:
        raise StorageError(f"Two classes cannot both be called {twice[0]!r}.")
    return tuple(stripped)


def _rename(run: Run) -> None:
    names = cache.card(run.id).class_names
    st.caption("Only the names of the classes change; the weights stay as they are.")
    # Not a table: what is typed there is sent a moment later, after a button pressed at once.
    given = st.text_area(
        "Names of its classes, one a line",
        "\n".join(names),
        height=min(60 + 24 * len(names), 400),
        key="class_names",
        help="In the order in which they stand here: each line renames the class that was there.",
    )
    if st.button("Keep these names", type="primary", key="rename_classes_now"):
        with shown_errors():
            cache.rename_classes(run.id, checked((given or "").strip().splitlines(), len(names)))
        close_dialog()
