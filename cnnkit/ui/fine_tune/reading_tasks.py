"""Minutes of reading images, on threads of their own, with how far they are.

A page that read them itself would take no click meanwhile, and a visitor who left it would
lose all. The threads call nothing of Streamlit.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import streamlit as st

from cnnkit.datasets import Progress
from cnnkit.ui.common.tasks import EVERY

KEPT = 16  # results
WORKERS = 2  # so that a large import does not hold up everybody's
PATIENCE = 0.6  # seconds until a bar is worth showing


class Stopped(Exception):
    """The work was called off."""


class Work:
    """Something under way: how far it is, and what comes of it."""

    future: Future

    def __init__(self, compute: Callable[[Progress], Any]):
        """Do nothing yet."""
        self.done = self.total = 0
        self.began = time.monotonic()
        self._compute = compute
        self._stopped = threading.Event()

    def run(self) -> Any:
        """Do it; called on a thread."""
        self.began = time.monotonic()
        try:
            return self._compute(self._progress)
        finally:
            self._compute = _nothing  # an upload may hang on it

    def stop(self) -> None:
        """Call it off; it ends at the next image."""
        self._stopped.set()

    def seconds_left(self) -> float | None:
        """How long it will take at the pace so far; None: nobody knows yet."""
        spent = time.monotonic() - self.began
        if spent < 1 or not self.done:
            return None
        return spent * (self.total - self.done) / self.done

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._stopped.is_set():
            raise Stopped


class Works:
    """Work under way and done lately, by what was asked. One for all visitors."""

    def __init__(self, kept: int = KEPT):
        """Start no thread yet; the first work does."""
        self.kept = kept
        self._works: OrderedDict[Hashable, Work] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="cnnkit-images")

    def ask(self, key: Hashable, compute: Callable[[Progress], Any]) -> Work:
        """The work for a key, begun now unless it was.

        Args:
            key: stands for what is asked.
            compute: does it, and says how far it is. It must not call Streamlit.
        """
        with self._lock:
            work = self._works.get(key)
            if work is None:
                work = self._works[key] = Work(compute)
                work.future = self._pool.submit(work.run)
            self._works.move_to_end(key)
            for old in [k for k, w in self._works.items() if w.future.done()][: -self.kept]:
                del self._works[old]
            return work

    def get(self, key: Hashable) -> Work | None:
        """The work for a key, if it is under way or was done lately."""
        return self._works.get(key)

    def forget(self, key: Hashable) -> None:
        """Let the next who asks begin anew."""
        with self._lock:
            self._works.pop(key, None)

    def forget_done(self) -> None:
        """Let go of all results."""
        with self._lock:
            for key in [key for key, work in self._works.items() if work.future.done()]:
                del self._works[key]


@st.cache_resource(show_spinner=False)
def works() -> Works:
    """The works of this server."""
    return Works()


def wait(work: Work, what: str, *, stoppable: bool = False) -> None:
    """Show a bar that moves until the work is done; a click meanwhile ends this run of the page.

    Args:
        work: under way.
        what: is being done, for people.
        stoppable: with a button that calls it off.
    """
    deadline = time.monotonic() + PATIENCE
    while not work.future.done() and time.monotonic() < deadline:
        time.sleep(0.02)
    if work.future.done():
        return
    place = st.empty()
    with place.container():
        bar = st.empty()
        if stoppable:
            # Called before the page runs again: the page may wait for something else first.
            st.button("Stop", icon=":material/close:", key="stop_import", on_click=work.stop)
    while not work.future.done():
        share = work.done / work.total if work.total else 0.0
        bar.progress(share, _words(work, what))  # here clicks are taken
        time.sleep(EVERY)
    place.empty()


def _words(work: Work, what: str) -> str:
    if not work.total:
        return f"{what} …"
    left = work.seconds_left()
    rest = f", about {left:.0f} s left" if left is not None and left >= 1 else ""
    return f"{what}: {work.done:,} of {work.total:,}{rest}"


def _nothing(progress: Progress) -> None:
    """Stand for what was done."""
