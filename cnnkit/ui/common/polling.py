"""Following a job while it runs, without running the whole page again each second."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cnnkit.durations import duration as duration
from cnnkit.runs import Run
from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors

EVERY = 1.0  # seconds between two looks at a run


def follow(run_id: str, draw: Callable[[Run], None], *, every: float = EVERY) -> None:
    """Draw a run, again and again until it is over, then the whole page once more.

    Only what `draw` draws is renewed, so the rest of the page keeps still and its widgets
    stay usable. Keep `draw` fast: a click waits for it.

    Args:
        run_id: of the run.
        draw: called with the run as it stands now.
        every: seconds between two looks.

    Raises:
        RunNotFoundError: there is no such run.
    """
    was_over = cache.store().get(run_id).status.over

    @st.fragment(run_every=None if was_over else every)
    def look() -> None:
        with shown_errors():
            run = cache.store().get(run_id)
            # Before drawing: the page as a whole draws it at once.
            if run.status.over is not was_over:  # it ended, or was resumed just now
                st.rerun()
            draw(run)

    look()


def follow_all(
    read: Callable[[], list[Run]], draw: Callable[[list[Run]], None], *, every: float = 2.0
) -> None:
    """The same for a list of runs, for as long as one of them is queued or running.

    Args:
        read: the runs as they stand now.
        draw: called with them.
        every: seconds between two looks.
    """
    live_before = {run.id for run in read() if not run.status.over}

    @st.fragment(run_every=every if live_before else None)
    def look() -> None:
        with shown_errors():  # one of them may just have been deleted
            runs = read()
            if live_before - {run.id for run in runs if not run.status.over}:
                st.rerun()
            draw(runs)

    look()
