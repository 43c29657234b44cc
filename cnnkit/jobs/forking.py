"""The process that jobs are forked from: `cnnkit worker --forking DESCRIPTOR`.

Importing TensorFlow, Keras and MLflow costs ten seconds of CPU. This process does it once, and then
forks a child for each order that comes through its channel, the descriptor. It computes nothing,
opens no record and starts no thread: what a child finds is a process that has only imported.

With an order come four descriptors: the child's own channel, its working folder, its standard input
and its output. On the child's channel this process says the child's pid, and how the child ended.
It ends with the process that started it, and its children go on.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn

READY = b"ready"  # said once, when everything is imported
GO = b"go"  # said to a child by who ordered it, and waits for it
ORDER_BYTES = 2**20  # of an order at most
FILES = 4  # that come with one

# What jobs and the visualization worker import, and what those import at their first use.
MODULES = (
    "tensorflow",
    "keras",
    "cnnkit.runs.libraries",
    "cnnkit.jobs.kinds.train",
    "cnnkit.jobs.worker",
    "cnnkit.jobs.session_server",
    "cnnkit.training.fitting",
)

Command = Callable[[Sequence[str]], object]


@dataclass(frozen=True)
class ForkOrder:
    """What a child is to be."""

    arguments: list[str]  # of `cnnkit worker`
    environment: dict[str, str]  # all of it
    outlives: bool  # in a process session of its own

    def to_bytes(self) -> bytes:
        """For a channel."""
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True)
class Birth:
    """What is said of a new child; a descriptor of its process (a pidfd) comes with it."""

    pid: int
    created: float  # seconds since 1970

    def to_bytes(self) -> bytes:
        """For a channel."""
        return json.dumps(asdict(self)).encode()


def fork_children(descriptor: int, command: Command, modules: Sequence[str] = MODULES) -> None:
    """Import what children need, and take orders until the channel ends.

    Args:
        descriptor: of the channel.
        command: what a child calls with its arguments.
        modules: to be imported.
    """
    # Control-C in a terminal reaches this process too; children have what a new process has.
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.close(os.pidfd_open(os.getpid()))  # where there are none, this process must not be ready
    control = socket.socket(fileno=descriptor)
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # a child that looks for garbage leaves these pages shared
    control.sendall(READY)
    _Children(control, command, interrupt).serve()


class _Children:
    """The children that live.

    Args:
        control: where orders come from.
        command: what a child calls.
        interrupt: what a child does at Control-C, as `signal.signal` takes it.
    """

    def __init__(self, control: socket.socket, command: Command, interrupt):
        self._control = control
        self._command = command
        self._interrupt = interrupt
        self._living: dict[int, tuple[int, socket.socket]] = {}  # pidfd -> pid, channel
        self._heard = select.poll()
        self._heard.register(control, select.POLLIN)

    def serve(self) -> None:
        """Carry out orders, and say how children ended, until the control channel ends."""
        while True:
            for descriptor, _ in self._heard.poll():
                if descriptor in self._living:
                    self._bury(descriptor)
                elif not self._obey():
                    return

    def _obey(self) -> bool:
        """Whether there was an order; without one, nobody is there any more."""
        try:
            message, files, flags, _ = socket.recv_fds(self._control, ORDER_BYTES, FILES)
        except ConnectionResetError:  # the other end went and left `READY` unread, as it does
            return False
        if not message:
            return False
        channel = socket.socket(fileno=files[0])
        # One that was cut off is not answered, and who ordered it starts a process itself.
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            channel.close()
        else:
            self._fork(ForkOrder(**json.loads(message)), channel, files[1:])
        for file in files[1:]:
            os.close(file)
        return True

    def _fork(self, order: ForkOrder, channel: socket.socket, files: list[int]) -> None:
        import psutil

        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, self._interrupt)
            _become_child(order, channel, files, self._command)
        process = os.pidfd_open(pid)
        birth = Birth(pid, psutil.Process(pid).create_time())
        with contextlib.suppress(ConnectionError):  # nobody waits for it: it will end by itself
            socket.send_fds(channel, [birth.to_bytes()], [process])
        self._living[process] = pid, channel
        self._heard.register(process, select.POLLIN)

    def _bury(self, process: int) -> None:
        pid, channel = self._living.pop(process)
        self._heard.unregister(process)
        os.close(process)
        _, status = os.waitpid(pid, 0)
        with channel, contextlib.suppress(ConnectionError):  # nobody asks any more
            channel.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _become_child(
    order: ForkOrder, channel: socket.socket, files: list[int], command: Command
) -> NoReturn:
    """Be the process that is ordered, to its end; never return into the loop of the parent."""
    code = 1
    try:
        folder, stdin, output = files
        os.dup2(stdin, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        # Who ordered it may have given up waiting, and have started a process itself.
        if channel.recv(len(GO)) == GO:
            os.fchdir(folder)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            _be_new(order)
            command(order.arguments)
            code = 0
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):  # the disk is full
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _be_new(order: ForkOrder) -> None:
    """Forget what the parent has chosen: session, environment, random numbers."""
    import numpy as np

    from cnnkit.settings import get_settings

    if order.outlives:
        os.setsid()
    os.environ.clear()
    os.environ.update(order.environment)
    time.tzset()
    tempfile.tempdir = None
    get_settings.cache_clear()
    sys.argv = ["cnnkit", "worker", *order.arguments]
    np.random.seed()  # `random` does so itself after a fork
