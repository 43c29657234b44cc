"""Figures for Prometheus: counted where things happen, or read when somebody asks.

`serve_metrics` answers on a port of its own, on loopback unless told otherwise: figures of a
server are for those who run it, not for everyone who may open its pages.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

import psutil
from prometheus_client import REGISTRY, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

PREDICTIONS = Counter(
    "cnnkit_predictions", "Images that networks have classified for a page", ["network"]
)
PREDICTION_SECONDS = Histogram(
    "cnnkit_prediction_seconds",
    "Time from the image to the logits, the wait for another's turn included",
    buckets=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
)
ERRORS = Counter(
    "cnnkit_errors",
    "Errors that visitors saw: expected ones as a sentence, others as a traceback",
    ["type", "expected"],
)
JOBS_ENDED = Counter("cnnkit_jobs_ended", "Jobs that ended since the server started", ["status"])
VISITS = Counter("cnnkit_visits", "Sessions of visitors since the server started")


class Gauges(Collector):
    """Figures that are read when somebody asks for them.

    Args:
        read: yields (name, what it is, {label: value}); a label of "" stands for none.
    """

    def __init__(self, read: Callable[[], Iterable[tuple[str, str, dict[str, float]]]]):
        self.read = read

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Say nothing ahead: else Prometheus would read everything when the server starts."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Ask."""
        for name, words, values in self.read():
            family = GaugeMetricFamily(name, words, labels=[] if "" in values else ["of"])
            for label, value in values.items():
                family.add_metric([label] if label else [], value)
            yield family


def serve_metrics(port: int, read: Gauges, address: str = "127.0.0.1") -> Callable[[], None]:
    """Answer `/metrics` on a port of its own until the returned function is called.

    Raises:
        OSError: another program has the port.
    """
    REGISTRY.register(read)
    try:
        server, thread = start_http_server(port, address)
    except OSError:
        REGISTRY.unregister(read)
        raise

    def close() -> None:
        REGISTRY.unregister(read)
        server.shutdown()
        server.server_close()
        thread.join()

    return close


def resident_memory() -> dict[str, float]:
    """Resident bytes of this process ("server") and of all its children together."""
    own = psutil.Process(os.getpid())
    children = 0
    for child in own.children(recursive=True):
        try:
            children += share_of_memory(child)
        except psutil.Error:
            continue  # it has just ended
    return {"server": own.memory_info().rss, "children": children}


def share_of_memory(process: psutil.Process) -> int:
    """Resident bytes of a process; what it shares with others counts in parts (on Linux).

    Processes that were forked from one share most of what they have imported.

    Raises:
        psutil.Error: it has ended, or belongs to somebody else.
    """
    memory = process.memory_full_info()
    return getattr(memory, "pss", memory.rss)
