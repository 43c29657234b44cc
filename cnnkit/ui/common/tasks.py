"""Small sums that need Keras, worked out while the page stays usable.

The first `import keras` takes seconds, and a page whose script waits for it takes no
clicks meanwhile. Here one thread works, and either a fragment looks whether it is done
(`when_ready`), or the script itself looks, and says something each time (`awaited`): there
Streamlit takes clicks, too. The thread calls nothing of Streamlit.

A page with an upload waits by its script. A fragment that runs by itself asks for its turn
in the visitor's name, with the address and the widgets as the browser last knew them: what
the page, or the visitor, was about to change can be lost by that.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import streamlit as st

from cnnkit.ui.common.messages import shown_errors

KEPT = 64  # results
EVERY = 0.2  # seconds between two looks of a script that waits


class Background:
    """One thread, and the last results, by what was asked.

    Args:
        kept: how many results stay.
    """

    def __init__(self, kept: int = KEPT):
        """Start no thread yet; the first question does."""
        self.kept = kept
        self._results: OrderedDict[Hashable, Future] = OrderedDict()
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="cnnkit-background")

    def ask(self, key: Hashable, compute: Callable[[], Any]) -> Future:
        """The result for a key, now or later; it is worked out once.

        Args:
            key: stands for the question; equal keys share one answer.
            compute: works it out. It must not call Streamlit.
        """
        with self._lock:
            if key not in self._results:
                self._results[key] = self._worker.submit(compute)
            self._results.move_to_end(key)
            while len(self._results) > self.kept:
                self._results.popitem(last=False)[1].cancel()
            return self._results[key]


@st.cache_resource(show_spinner=False)
def background() -> Background:
    """The one thread of this server."""
    return Background()


def when_ready(future: Future, draw: Callable[[Any], None], *, waiting: str) -> None:
    """Draw a result as soon as it is there, and until then say what is awaited.

    Args:
        future: from `Background.ask`.
        draw: called with the result; a `CnnkitError` is shown instead.
        waiting: said meanwhile.
    """
    was_ready = future.done()

    @st.fragment(run_every=None if was_ready else 0.5)
    def look() -> None:
        if future.done():
            with shown_errors(stop=False):
                draw(future.result())
            if not was_ready:
                st.rerun()
        else:
            st.caption(f":material/progress_activity: {waiting}")

    look()


def awaited(future: Future, *, waiting: str) -> Any:
    """The result, once it is there; a click meanwhile ends this run of the page.

    Args:
        future: from `Background.ask`.
        waiting: said meanwhile.

    Raises:
        CnnkitError: the sum's own.
    """
    if not future.done():
        place = st.empty()
        while not future.done():
            place.caption(f":material/progress_activity: {waiting}")  # here clicks are taken
            time.sleep(EVERY)
        place.empty()
    return future.result()
