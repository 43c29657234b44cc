"""Following what changes by itself, without running the whole page again each second."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from cnnkit.durations import duration as duration
from cnnkit.runs import Run
from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.visitors import count_visitors

EVERY = 1.0  # seconds between two reads of a run
UNHURRIED = 15  # people for whom everything is renewed as often as its page asks

State = TypeVar("State")


def poll(
    read: Callable[[], State],
    draw: Callable[[State], None],
    *,
    moves: Callable[[State], object],
    every: float,
) -> None:
    """Draw a state, again and again while it moves, then the whole page once more.

    Only what `draw` draws is renewed, so the rest of the page keeps still and its widgets
    stay usable. Keep `draw` fast: a click waits for it.

    Args:
        read: the state as it is now.
        draw: called with it.
        moves: what of the state changes by itself; nothing (false) ends the polling, and the
            page runs again when it differs.
        every: seconds between two reads; more where a class is here.
    """
    moved = moves(read())
    crowd = max(1.0, count_visitors() / UNHURRIED)

    @st.fragment(run_every=every * crowd if moved else None)
    def renew() -> None:
        with shown_errors():
            state = read()
            # Before drawing: the page as a whole draws it at once.
            if moves(state) != moved:  # it ended, or was resumed just now
                st.rerun()
            draw(state)

    renew()


def follow(run_id: str, draw: Callable[[Run], None], *, every: float = EVERY) -> None:
    """Draw a run until it is over. See `poll`.

    Raises:
        RunNotFoundError: there is no such run.
    """
    poll(
        lambda: cache.store().get(run_id), draw, moves=lambda run: not run.status.over, every=every
    )


def follow_all(
    read: Callable[[], list[Run]], draw: Callable[[list[Run]], None], *, every: float = 2.0
) -> None:
    """The same for a list of runs, for as long as one of them is queued or running.

    Args:
        read: the runs as they stand now.
        draw: called with them.
        every: seconds between two looks.
    """
    poll(
        read,
        draw,
        moves=lambda runs: {run.id for run in runs if not run.status.over},
        every=every,
    )
