"""The side that calls the fork server: children in a moment, without importing anything.

    fork_server.wake(environment, log)      # once; it imports for some seconds
    process = fork_server.fork(order, stdin, output)    # None: start one yourself

There is one for each process that starts jobs, and it ends with that. Linux only.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from cnnkit.jobs.forking import GO, READY, Birth, ForkOrder

PROGRAM = (sys.executable, "-m", "cnnkit", "worker", "--forking")
POSSIBLE = sys.platform == "linux" and hasattr(os, "pidfd_open")
ANSWER_SECONDS = 10.0  # for a fork, on a machine that swaps; then the fork server is given up
UNKNOWN = 256  # as exit code: over, and the fork server that knew how is gone; no process has it

# Variables that libraries read when they are imported: an order with others is not carried out.
READ_AT_IMPORT = ("CUDA_", "KERAS_", "LD_", "MALLOC_", "MKL_", "OMP_", "OPENBLAS_", "PYTHON", "TF_")


class ForkedProcess:
    """A child of the fork server, in the way of `subprocess.Popen`.

    Args:
        birth: what the fork server says of it.
        channel: where that will say how it ended.
        process: its pidfd, which is closed here.
        stdin: the other end of its standard input, if that is a pipe.
    """

    def __init__(self, birth: Birth, channel: socket.socket, process: int, stdin: BinaryIO | None):
        self.pid = birth.pid
        self.created = birth.created  # seconds since 1970
        self.stdin = stdin
        self.returncode: int | None = None
        self._channel = channel
        self._process = process
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None: it lives; `UNKNOWN`: nobody can say."""
        with self._lock:
            if self.returncode is None:
                self.returncode = self._read_code()
                if self.returncode is not None:
                    self._close()
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Sleep until it ends.

        Raises:
            subprocess.TimeoutExpired: it still runs after `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            self._sleep(left)
        return code

    def kill(self) -> None:
        """Kill it, if it lives."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            if self.returncode is None:
                signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def _read_code(self) -> int | None:
        said = self._hear()
        if said:
            return int(said)
        if said is not None and _readable(self._process, 0):  # gone, like the fork server
            return UNKNOWN
        return None

    def _sleep(self, seconds: float | None) -> None:
        with self._lock:
            if self.returncode is not None:
                return
            # The channel of a fork server that has gone would wake us again and again.
            gone = self._hear(socket.MSG_PEEK) == b""
            watched = os.dup(self._process if gone else self._channel.fileno())
        try:
            _readable(watched, seconds)
        finally:
            os.close(watched)

    def _hear(self, how: int = 0) -> bytes | None:
        """What the fork server says; nothing: it has gone; None: it has not spoken yet."""
        # A child that died before it read its `GO` resets the channel, once.
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            return self._channel.recv(16, socket.MSG_DONTWAIT | how)
        return None

    def _close(self) -> None:
        self._channel.close()
        os.close(self._process)

    def __del__(self):
        """Nobody asks any more how it ends."""
        if self.returncode is None:
            self._close()


class ForkServer:
    """A process that has imported everything, and forks children. Safe to use from many threads.

    Args:
        program: its command line, to which the descriptor of its channel is added.
    """

    def __init__(self, program: Sequence[str] = PROGRAM):
        self._program = program
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._control: socket.socket | None = None
        self._environment: Mapping[str, str] = {}
        atexit.register(self.close)

    def wake(self, environment: Mapping[str, str], log: Path) -> None:
        """Start it if it does not run, and do not wait for it.

        Args:
            environment: its own; children have those of their orders.
            log: where it writes what goes wrong.
        """
        with self._lock:
            if not POSSIBLE or self._alive():
                return
            self._forget()
            log.parent.mkdir(parents=True, exist_ok=True)
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._environment = dict(environment)
            with theirs, log.open("wb") as output:
                number = str(theirs.fileno())
                self._process = subprocess.Popen(  # noqa: S603
                    [*self._program, number],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self._environment,
                    pass_fds=[theirs.fileno()],
                )

    @property
    def pid(self) -> int | None:
        """Of its process, while that runs."""
        with self._lock:
            return self._process.pid if self._process and self._alive() else None

    @property
    def ready(self) -> bool:
        """Whether it has imported everything, and lives."""
        with self._lock:
            return self._alive() and self._control is not None and _is_ready(self._control)

    def wait(self, seconds: float) -> bool:
        """Wait until it is ready, or has died; return whether it is ready."""
        with self._lock:
            heard = os.dup(self._control.fileno()) if self._control else None
        if heard is not None:
            _readable(heard, seconds)
            os.close(heard)
        return self.ready

    def fork(self, order: ForkOrder, *, output: int) -> ForkedProcess | None:
        """A new child, at once; None: it cannot be had here, and nothing was started.

        Args:
            order: what it is to be. It reads from a pipe, unless it outlives this process.
            output: descriptor for what it writes.
        """
        with self._lock:
            control = self._control
            ready = self._alive() and control is not None and _is_ready(control)
            if control is None or not ready or not self._suits(order.environment):
                return None
            control = control.dup()  # another thread may close it meanwhile
        with control:
            control.settimeout(ANSWER_SECONDS)
            return self._order(control, order, output)

    def close(self) -> None:
        """End its process; its children go on."""
        with self._lock:
            self._forget()

    def _order(self, control: socket.socket, order: ForkOrder, output: int) -> ForkedProcess | None:
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            stdin, pipe = _standard_input(order)
            theirs.callback(os.close, stdin)
            if pipe:
                ours.callback(pipe.close)
            channel, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.enter_context(channel)
            theirs.enter_context(far)
            folder = os.open(".", os.O_PATH)
            theirs.callback(os.close, folder)
            try:
                files = [far.fileno(), folder, stdin, output]
                socket.send_fds(control, [order.to_bytes()], files)
                theirs.close()
                channel.settimeout(ANSWER_SECONDS)
                answer, found, _, _ = socket.recv_fds(channel, 4096, 1)
                if not answer:
                    return None
                birth = Birth(**json.loads(answer))
                channel.sendall(GO)
            except TimeoutError:
                self.close()  # without `GO` nothing will come of the order
                return None
            except OSError:  # it has just died, or the order is longer than a message can be
                return None
            channel.settimeout(None)
            ours.pop_all()
            return ForkedProcess(birth, channel, found[0], pipe)

    def _suits(self, environment: Mapping[str, str]) -> bool:
        def at_import(one: Mapping[str, str]) -> dict[str, str]:
            return {name: value for name, value in one.items() if name.startswith(READ_AT_IMPORT)}

        return at_import(environment) == at_import(self._environment)

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _forget(self) -> None:
        process, self._process = self._process, None
        if self._control is not None:
            self._control.close()
            self._control = None
        if process is not None:
            process.kill()  # it may be in the midst of an import
            process.wait()


def _standard_input(order: ForkOrder) -> tuple[int, BinaryIO | None]:
    """What the child reads from, and its other end."""
    if order.outlives:
        return os.open(os.devnull, os.O_RDONLY), None
    stdin, pipe = os.pipe()
    return stdin, os.fdopen(pipe, "wb")


def _is_ready(control: socket.socket) -> bool:
    # What it has said stays unread, for all who ask.
    with contextlib.suppress(BlockingIOError, ConnectionError):
        return control.recv(len(READY), socket.MSG_PEEK | socket.MSG_DONTWAIT) == READY
    return False


def _readable(descriptor: int, seconds: float | None) -> bool:
    heard = select.poll()
    heard.register(descriptor, select.POLLIN)
    return bool(heard.poll(None if seconds is None else 1000 * seconds))


fork_server = ForkServer()
