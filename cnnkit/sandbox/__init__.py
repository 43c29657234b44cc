"""Strangers' files are read in child processes with limits, never in this process.

    value = images.call("cnnkit.image_decoding:decode", data, 3, 2048)

A **zygote** is a process without threads that has imported what reads files. It forks a child
for each file, or for the many files of one person. The child may use some seconds, some memory,
and nothing else: no file, no socket, no process. It answers in plain values, which are checked
here, or with a sentence. Nothing that a file does to its child outlives it.

Importing this loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from cnnkit.errors import CnnkitError
from cnnkit.sandbox._child import FIRST_FILE
from cnnkit.sandbox._limits import MIB, Limits
from cnnkit.sandbox._line import Line
from cnnkit.sandbox._zygote import BreachError, Reader, Zygote

__all__ = ["FIRST_FILE", "MIB", "BreachError", "Limits", "Sandbox", "files", "networks"]

CORES = os.cpu_count() or 1


class Sandbox:
    """Children of one zygote, so many at once; who comes later waits in a line.

    Args:
        warm_ups: functions, "module:name", by which the zygote loads what reads files.
        places: for single files.
        batches: for many files of one person, which take long and leave the other places free.
        niceness: see `Zygote`.
    """

    def __init__(
        self, *warm_ups: str, places: int = CORES, batches: int = CORES, niceness: int = 0
    ):
        self.zygote = Zygote(*warm_ups, niceness=niceness)
        self.line = Line(places)
        self.batches = Line(batches)

    def call(self, function: str, *arguments: Any, limits: Limits, read: Sequence[int] = ()) -> Any:
        """Have a child of its own call a function.

        Args:
            function: "module:name".
            *arguments: plain values, bytes and arrays.
            limits: of the child.
            read: descriptors of files that it may read.

        Raises:
            CnnkitError: the function raised it.
            BreachError: it went beyond its limits, or the child crashed.
        """
        with self.line.place(), self.zygote.child(limits, read) as child:
            return child.call(function, *arguments)

    def map(
        self,
        function: str,
        calls: Iterable[Sequence[Any] | CnnkitError],
        *,
        limits: Limits,
        read: Sequence[int] = (),
        children: int = 2,
    ) -> Generator[Any]:
        """Have a few children call a function many times, for the files of one person.

        Few files are in memory at once, whatever their number. A child that went beyond its
        limits is replaced, and its file alone gets no value.

        Args:
            function: "module:name".
            calls: arguments of each call, taken as they are needed; or why there is no call.
            limits: of each call.
            read: descriptors of files that they may read.
            children: that work at the same time.

        Yields:
            For each call, in their order, the value or the `CnnkitError`.
        """
        idle: SimpleQueue[_Replaced] = SimpleQueue()
        crew = [_Replaced(self.zygote, limits, read) for _ in range(children)]
        for one in crew:
            idle.put(one)

        def answered(arguments: Sequence[Any]) -> Any:
            child = idle.get()
            try:
                return child.call(function, *arguments)
            except CnnkitError as error:
                return error
            finally:
                idle.put(child)

        waiting: deque[Any] = deque()
        with self.batches.place(), ThreadPoolExecutor(children, "cnnkit-sandbox") as threads:
            try:
                for arguments in calls:
                    failed = isinstance(arguments, CnnkitError)
                    waiting.append(arguments if failed else threads.submit(answered, arguments))
                    if len(waiting) > 2 * children:
                        yield _result(waiting.popleft())
                while waiting:
                    yield _result(waiting.popleft())
            finally:
                for one in waiting:
                    if isinstance(one, Future):
                        one.cancel()
                for child in crew:
                    child.close()


class _Replaced:
    """A child, and after a breach the next one."""

    def __init__(self, zygote: Zygote, limits: Limits, read: Sequence[int]):
        self._new = lambda: zygote.child(limits, read)
        self._child: Reader | None = None

    def call(self, function: str, *arguments: Any) -> Any:
        if self._child is None:
            self._child = self._new()
        try:
            return self._child.call(function, *arguments)
        except BreachError:
            self.close()
            raise

    def close(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


def _result(one: Any) -> Any:
    return one.result() if isinstance(one, Future) else one


# Images, archives and tables; its process starts in some tenths of a second.
files = Sandbox("cnnkit.datasets.folders.archives:warm_up", "cnnkit.predict.images:warm_up")

# Networks; its process imports TensorFlow, which takes some seconds and 300 MB.
networks = Sandbox("cnnkit.models._uploads:warm_up", places=max(1, CORES // 2), niceness=5)
