"""The side that calls: a zygote, started when it is first needed, and its children."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import cnnkit
from cnnkit import errors
from cnnkit.sandbox._forking import ORDER
from cnnkit.sandbox._limits import Limits
from cnnkit.sandbox._wire import DiedError, Wire, WireError, shared_memory

WARM_UP = 120  # seconds at most, for importing TensorFlow on a busy machine
GRACE = 5.0  # seconds after its own deadline, at which a child is killed from outside


class BreachError(errors.CnnkitError):
    """A child went beyond its limits, or died of the file that it read.

    Args:
        what: "time", "memory", or "crash".
        detail: for a log, not for people.
    """

    def __init__(self, what: str, detail: str = ""):
        self.what = what
        self.detail = detail
        super().__init__(_SENTENCES[what])


class Zygote:
    """A process that children are forked from. It ends with this one.

    Args:
        warm_ups: functions, "module:name", that it calls before it forks, so that children find
            loaded what they need.
        niceness: added to that of this process; what is nicer gives way.
    """

    def __init__(self, *warm_ups: str, niceness: int = 0):
        self._arguments = [str(niceness), *warm_ups]
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._control: socket.socket | None = None
        self._numbers = count(1)
        atexit.register(self.close)

    def wake(self) -> None:
        """Start it if it does not run, and do not wait for it."""
        with self._lock:
            self._ensure()

    def wait(self) -> None:
        """Wait until it has warmed up, or died: that is no time that a child takes."""
        control = self._control
        if control is not None:
            heard = select.poll()  # what it says once stays unread, for all who wait
            heard.register(control, select.POLLIN)
            heard.poll(1000 * WARM_UP)

    @property
    def pid(self) -> int | None:
        """Of the process, while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def child(self, limits: Limits, files: Sequence[int] = ()) -> Reader:
        """A new child.

        Args:
            limits: of each of its calls.
            files: descriptors of what it may read.
        """
        ours, theirs = socket.socketpair()
        wire = Wire(ours, shared := shared_memory())
        number = next(self._numbers)
        with theirs:
            self._order(b"S", number, [theirs.fileno(), shared, *files])
        return Reader(self, number, wire, limits)

    def kill(self, number: int) -> None:
        """Kill a child, if it lives."""
        with self._lock:
            if self.pid is not None and self._control is not None:
                with contextlib.suppress(ConnectionError):  # its children have died with it
                    self._control.sendall(ORDER.pack(b"K", number))

    def close(self) -> None:
        """End the process and its children."""
        with self._lock:
            process, self._process = self._process, None
            if self._control is not None:
                self._control.close()
                self._control = None
            if process is not None:
                process.wait()

    def _order(self, what: bytes, number: int, files: list[int]) -> None:
        with self._lock:
            try:
                socket.send_fds(self._ensure(), [ORDER.pack(what, number)], files)
            except ConnectionError:  # it has just died; another one takes the order
                socket.send_fds(self._ensure(anew=True), [ORDER.pack(what, number)], files)

    def _ensure(self, *, anew: bool = False) -> socket.socket:
        if self._control is None or self.pid is None or anew:
            if self._control is not None:
                self._control.close()
            if self._process is not None:
                self._process.wait()
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-P", "-m", "cnnkit.sandbox", str(theirs.fileno())]
                    + self._arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    pass_fds=[theirs.fileno()],
                )
        return self._control


class Reader:
    """A child that reads files: it answers calls, one after the other. To be closed.

    Args:
        zygote: its parent.
        number: by which that knows it.
        wire: to it.
        limits: of each call.
    """

    def __init__(self, zygote: Zygote, number: int, wire: Wire, limits: Limits):
        self._zygote = zygote
        self._number = number
        self._wire = wire
        self._limits = limits
        self.memory = 0  # bytes that it has taken at most, as it says
        self.seconds = 0.0  # of computing that its last call took, as it says

    def call(self, function: str, *arguments: Any) -> Any:
        """Have it call a function, "module:name", with plain values, bytes and arrays.

        Raises:
            CnnkitError: the function raised it.
            BreachError: the child has died, or what it answers cannot be right.
        """
        self._zygote.wait()
        deadline = time.monotonic() + self._limits.wall_seconds + GRACE
        try:
            call = {"function": function, "arguments": arguments, "limits": asdict(self._limits)}
            self._wire.send(call)
            answer = self._wire.receive(deadline)
        except TimeoutError as error:
            self._zygote.kill(self._number)
            raise BreachError("time") from error
        except DiedError as error:
            code = error.args[0]
            raise BreachError(_DEATHS.get(-code, "crash"), f"exit code {code}") from error
        except (WireError, OSError) as error:
            raise BreachError("crash", str(error)) from error
        if not isinstance(answer, dict):
            raise BreachError("crash", "an answer of another form")
        if "memory" in answer:
            self.memory = int(answer["memory"])
            self.seconds = float(answer["seconds"])
        if "value" not in answer:
            raise _reason(answer)
        return answer["value"]

    def close(self) -> None:
        """Let it go. One that computes is killed."""
        self._wire.close()
        self._zygote.kill(self._number)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _reason(answer: dict[str, Any]) -> errors.CnnkitError:
    """Why there is no value, from what a child answers, which may be anything."""
    foreign, known = answer.get("foreign"), answer.get("error")
    if isinstance(foreign, list | tuple) and len(foreign) == 2:
        what = "memory" if foreign[0] == "MemoryError" else "crash"
        return BreachError(what, f"{foreign[0]}: {foreign[1]}")
    if isinstance(known, list | tuple) and len(known) == 2 and known[0] in _ERRORS:
        return _ERRORS[known[0]](str(known[1])[:1000])
    return BreachError("crash", "an answer of another form")


def _environment() -> dict[str, str]:
    """What Python needs to start, and nothing else: no secrets of the server."""
    package = Path(cnnkit.__file__).resolve().parent.parent
    paths = [str(package), os.environ.get("PYTHONPATH", "")]
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return kept | _LIBRARIES | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


_SENTENCES = {
    "time": "It takes too long to read.",
    "memory": "It takes too much memory to read.",
    "crash": "It cannot be read: its reader failed.",
}

# Signal -> what a child did that died of it: SIGALRM, SIGXCPU, SIGPROF; SIGKILL and SIGXFSZ.
_DEATHS = {14: "time", 24: "time", 27: "time", 9: "memory", 25: "memory"}

# What a child may raise in this process; each is made of a message alone.
_ERRORS = {
    error.__name__: error
    for error in (
        errors.InvalidImageError,
        errors.NotAnImageError,
        errors.InvalidImagesError,
        errors.InvalidModelError,
        errors.UnsafeModelError,
        errors.IncompatibleError,
        errors.LimitError,
    )
}

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR")

# One thread while it imports: forking with several could leave a lock taken for good.
_LIBRARIES = {
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")},
    **{f"TF_NUM_{name}_THREADS": "1" for name in ("INTRAOP", "INTEROP")},
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "MALLOC_ARENA_MAX": "2",  # each reserves 64 MB of address space
}
