"""What a server holds while it is visited: memory, file descriptors, threads, children."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass

import psutil

from benchmarks._measure import Row
from cnnkit.monitoring.metrics import share_of_memory

EVERY = 2.0  # seconds


@dataclass(frozen=True)
class Held:
    """What a server and its children hold at a moment."""

    seconds: float  # since the watch began
    server: int  # resident bytes of the server
    children: int  # of its children together
    descriptors: int  # of the server
    threads: int  # of the server
    processes: int  # children


class Watch:
    """Looks every two seconds, on a thread, while the block runs.

    Args:
        address: of the server, "http://127.0.0.1:8501".
    """

    def __init__(self, address: str):
        port = address.rpartition(":")[2]
        self.server = next(
            process
            for process in psutil.Process().children(recursive=True)
            if f"--server.port={port}" in process.cmdline()
        )
        self.held: list[Held] = []
        self.marks: dict[str, Held] = {}
        self._began = time.monotonic()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        """Look no more."""
        self._ending.set()
        self._thread.join()

    def mark(self, moment: str) -> Held:
        """Look now, and remember it by a name."""
        self.marks[moment] = self.look()
        return self.marks[moment]

    def look(self) -> Held:
        """What is held now."""
        children = []
        for child in self.server.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                children.append(share_of_memory(child))
        with self.server.oneshot():
            return Held(
                time.monotonic() - self._began,
                self.server.memory_info().rss,
                sum(children),
                self.server.num_fds(),
                self.server.num_threads(),
                len(children),
            )

    def rows(self) -> list[Row]:
        """The largest of each, and how it stood at the moments that were marked."""
        rows = []
        for name, words in (("server", "the server"), ("children", "all its children")):
            largest = max(getattr(one, name) for one in [*self.held, *self.marks.values()])
            stood = ", ".join(f"{getattr(h, name) / 1e6:.0f} {m}" for m, h in self.marks.items())
            ours = f"{largest / 1e6:.0f} MB at most; {stood}"
            rows.append(Row(what=f"Resident memory of {words}", ours=ours, peer="", ratio=""))
        for name, words in (
            ("descriptors", "File descriptors"),
            ("threads", "Threads"),
            ("processes", "Children"),
        ):
            stood = ", ".join(f"{getattr(h, name)} {m}" for m, h in self.marks.items())
            rows.append(Row(what=f"{words} of the server", ours=stood, peer="", ratio=""))
        return rows

    def _keep_looking(self) -> None:
        while not self._ending.wait(EVERY):
            with contextlib.suppress(psutil.Error):  # the server is ending
                self.held.append(self.look())
