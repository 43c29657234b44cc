"""Figures that are made once for all who see the same."""

from __future__ import annotations

import hashlib
import pickle  # nosec B403
import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from cachetools import LRUCache
from plotly.graph_objects import Figure

FIGURES = 128  # of each kind

Arguments = ParamSpec("Arguments")


def cache_figures(build: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Have a function return the same figure for the same arguments; nobody may change it.

    Plotly takes 10 to 50 ms to make a figure, because it checks every value, and pages run
    several times a minute for each visitor.

    Args:
        build: of plain values and small arrays.
    """
    made: LRUCache[bytes, Figure] = LRUCache(maxsize=FIGURES)
    lock = threading.Lock()

    @wraps(build)
    def find_or_build(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure:
        key = hashlib.sha256(pickle.dumps((args, kwargs))).digest()
        with lock:
            figure = made.get(key)
        if figure is None:
            figure = build(*args, **kwargs)
            with lock:
                made[key] = figure
        return figure

    return find_or_build
