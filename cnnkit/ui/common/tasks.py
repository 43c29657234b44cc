"""Work of seconds or minutes on threads of the server, while pages stay usable.

The first `import keras` takes seconds and reading images takes minutes. A page that did it
itself would take no click meanwhile, and a visitor who left it would lose all. Threads work
here instead, and call nothing of Streamlit. Either a fragment looks whether they are done
(`when_ready`), or the script itself does, and shows how far they are (`wait_for`).

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

from cnnkit.datasets import Progress
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.polling import poll

EVERY = 0.2  # seconds between two looks of a script that waits
PATIENCE = 0.6  # seconds until it is worth saying that something is awaited
SPINNER = ":material/progress_activity:"


class Stopped(Exception):
    """The task was stopped by `BackgroundTask.stop`."""


class BackgroundTask:
    """Something under way: how far it is, and its result.

    Args:
        compute: does it; called with a function that takes (done, total).
    """

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
            self._compute = _nothing  # it may hold an upload in memory

    def stop(self) -> None:
        """Have it end at its next report of progress."""
        self._stopped.set()

    def seconds_left(self) -> float | None:
        """Time left at the pace so far; None: not known yet."""
        spent = time.monotonic() - self.began
        if spent < 1 or not self.done:
            return None
        return spent * (self.total - self.done) / self.done

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._stopped.is_set():
            raise Stopped


class Tasks:
    """Tasks under way and the last results, by key. One for all visitors.

    Args:
        workers: threads.
        results: how many finished tasks are held.
    """

    def __init__(self, workers: int = 1, results: int = 64):
        """Start no thread yet; the first task does."""
        self.results = results
        self._tasks: OrderedDict[Hashable, BackgroundTask] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="cnnkit-task")

    def ask(self, key: Hashable, compute: Callable[[], Any]) -> BackgroundTask:
        """The task for a key, started now unless it was before.

        Args:
            key: equal keys share one task.
            compute: does it. It must not call Streamlit.
        """
        return self.ask_with_progress(key, lambda progress: compute())

    def ask_with_progress(
        self, key: Hashable, compute: Callable[[Progress], Any]
    ) -> BackgroundTask:
        """The same for a task that reports how far it is, and can be stopped."""
        with self._lock:
            task = self._tasks.get(key)
            if task is None:
                task = self._tasks[key] = BackgroundTask(compute)
                task.future = self._pool.submit(task.run)
            self._tasks.move_to_end(key)
            for old in [k for k, t in self._tasks.items() if t.future.done()][: -self.results]:
                del self._tasks[old]
            return task

    def get(self, key: Hashable) -> BackgroundTask | None:
        """The task for a key, if it is under way or its result is still held."""
        return self._tasks.get(key)

    def forget(self, key: Hashable) -> None:
        """Let the next `ask` start again."""
        with self._lock:
            self._tasks.pop(key, None)

    def forget_done(self) -> None:
        """Drop all results."""
        with self._lock:
            for key in [key for key, task in self._tasks.items() if task.future.done()]:
                del self._tasks[key]


@st.cache_resource(show_spinner=False)
def background() -> Tasks:
    """The server's thread for short computations that need Keras."""
    return Tasks()


@st.cache_resource(show_spinner=False)
def image_tasks() -> Tasks:
    """The server's threads that read images; two, so that a large import holds up nobody."""
    return Tasks(workers=2, results=16)


def when_ready(task: BackgroundTask, draw: Callable[[Any], None], *, waiting: str) -> None:
    """Draw a result as soon as it is there, and until then say what is awaited.

    Args:
        task: from `Tasks.ask`.
        draw: called with the result; a `CnnkitError` is shown instead.
        waiting: said meanwhile.
    """

    def draw_state(done: bool) -> None:
        if not done:
            st.caption(f"{SPINNER} {waiting}")
            return
        with shown_errors(stop=False):
            draw(task.future.result())

    poll(task.future.done, draw_state, moves=lambda done: not done, every=0.5)


def wait_for(task: BackgroundTask, *, waiting: str) -> Any:
    """The result, once it is there; see `wait`.

    Raises:
        CnnkitError: the task's own.
    """
    wait(task, waiting=waiting)
    return task.future.result()


def wait(task: BackgroundTask, *, waiting: str, stoppable: bool = False) -> None:
    """Say what is awaited until a task is over; a click meanwhile ends this run of the page.

    Args:
        task: from `Tasks.ask`.
        waiting: what is being done; said meanwhile, with a bar if the task reports progress.
        stoppable: with a button that stops the task.
    """
    deadline = time.monotonic() + PATIENCE
    while not task.future.done() and time.monotonic() < deadline:
        time.sleep(0.02)
    if not task.future.done():
        place = st.empty()
        with place.container():
            line = st.empty()
            if stoppable:
                # Called before the page runs again: the page may wait for something else first.
                st.button("Stop", icon=":material/close:", key="stop_task", on_click=task.stop)
        while not task.future.done():
            if task.total:
                line.progress(task.done / task.total, _words(task, waiting))
            else:
                line.caption(f"{SPINNER} {waiting} …")  # here clicks are taken
            time.sleep(EVERY)
        place.empty()


def _words(task: BackgroundTask, waiting: str) -> str:
    left = task.seconds_left()
    rest = f", about {left:.0f} s left" if left is not None and left >= 1 else ""
    return f"{waiting}: {task.done:,} of {task.total:,}{rest}"


def _nothing(progress: Progress) -> None:
    """Stand for a computation that is over."""
