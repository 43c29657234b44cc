"""The process that children are forked from: `python -m cnnkit.sandbox`.

Its arguments are the descriptor of its channel, its niceness, and functions, "module:name", which
load what reads files. It calls them once, and then forks a child for each order that comes
through the channel: nothing that a stranger's file does to a child outlives it. It never reads a
file itself, and it ends with the process that started it.

An order is nine bytes, b"S" or b"K" (start, kill) and the number of the child, and with b"S"
come the child's channel, its memory, and the files that it may read, opened.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import sys
from typing import NoReturn

from cnnkit.sandbox._child import FIRST_FILE, answer_calls, function_named
from cnnkit.sandbox._wire import say_died

ORDER = struct.Struct("!cQ")
WARM = b"W"  # said once, when it is ready to fork
MOST_FILES = 8


def fork_children() -> None:
    """Take orders until the channel ends."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.nice(int(sys.argv[2]))
    for function in sys.argv[3:]:
        function_named(function)()
    control.sendall(WARM)
    _Children(control).serve()


class _Children:
    """The children that live.

    Args:
        control: where orders come from.
    """

    def __init__(self, control: socket.socket):
        self._control = control
        self._living: dict[int, tuple[int, socket.socket]] = {}  # number -> process, channel
        self._died, wake = os.pipe()
        os.set_blocking(self._died, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Carry out orders, and tell the other end of a child's channel how the child died."""
        while True:
            ready, _, _ = select.select([self._control, self._died], [], [])
            if self._died in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._died, 4096)
                self._bury()
            if self._control in ready and not self._obey():
                break
        for process, _ in self._living.values():
            os.kill(process, signal.SIGKILL)

    def _obey(self) -> bool:
        try:
            order, files, _, _ = socket.recv_fds(self._control, ORDER.size, MOST_FILES)
        except ConnectionResetError:  # the other end went and left `WARM` unread, as it does
            return False
        if len(order) < ORDER.size:
            return False
        what, number = ORDER.unpack(order)
        if what == b"S":
            process = os.fork()
            if process == 0:
                _become_child(files)
            self._living[number] = process, socket.socket(fileno=files[0])
            for file in files[1:]:
                os.close(file)
        elif number in self._living:  # not waited for yet, so the number is still its own
            os.kill(self._living[number][0], signal.SIGKILL)
        return True

    def _bury(self) -> None:
        for number, (process, channel) in list(self._living.items()):
            found, status = os.waitpid(process, os.WNOHANG)
            if not found:
                continue
            del self._living[number]
            channel.setblocking(False)
            with contextlib.suppress(OSError):  # the other end has gone first
                if code := os.waitstatus_to_exitcode(status):
                    say_died(channel, code)
            channel.close()


def _become_child(files: list[int]) -> NoReturn:
    """Keep the files of this child alone, and answer calls."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        kept = [nothing, nothing, nothing, *files]
        # First out of the way of the numbers that they get.
        high = [fcntl.fcntl(file, fcntl.F_DUPFD, 2 * len(kept)) for file in kept]
        for number, file in enumerate(high):
            os.dup2(file, number)
        os.closerange(len(kept), os.sysconf("SC_OPEN_MAX"))
        answer_calls(len(kept) - FIRST_FILE)
        code = 0
    finally:
        os._exit(code)
