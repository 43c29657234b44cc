"""Figures that are made once for all who see the same."""

from __future__ import annotations

import hashlib
import pickle  # nosec B403
import threading
from collections.abc import Callable, Hashable
from functools import wraps
from typing import NamedTuple, ParamSpec, TypeVar

from cachetools import LRUCache
from plotly.graph_objects import Figure

BYTES = 32 * 2**20  # of what figures of one kind are made from
LEAST = BYTES // 128  # that one counts: at most 128 of each kind

PLAIN = "_cnnkit_plain"  # of a figure that is kept: what has been made of it, by any key

Arguments = ParamSpec("Arguments")
Made = TypeVar("Made")


class _Kept(NamedTuple):
    figure: Figure
    size: int  # bytes


def cache_figures(build: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Have a function return the same figure for the same arguments; nobody may change it.

    Plotly takes 10 to 50 ms to make a figure, because it checks every value, and pages run
    several times a minute for each visitor.

    Args:
        build: of plain values and arrays.
    """
    made: LRUCache[bytes, _Kept] = LRUCache(maxsize=BYTES, getsizeof=lambda kept: kept.size)
    lock = threading.Lock()

    @wraps(build)
    def find_or_build(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure:
        arguments = pickle.dumps((args, kwargs))
        key, size = hashlib.sha256(arguments).digest(), max(LEAST, len(arguments))
        with lock:
            kept = made.get(key)
        if kept is not None:
            return kept.figure
        figure = build(*args, **kwargs)
        if size <= BYTES:
            object.__setattr__(figure, PLAIN, {})  # Plotly lets nobody set what it does not know
            with lock:
                made[key] = _Kept(figure, size)
        return figure

    return find_or_build


def made_of(figure: Figure, key: Hashable, make: Callable[[Figure], Made]) -> Made:
    """What is made of a figure: once where the figure is kept, else anew.

    Args:
        figure: of a function with `cache_figures`, or any other.
        key: of what is made.
        make: called with the figure. Nobody may change what it returns.
    """
    kept = getattr(figure, PLAIN, {})
    if key not in kept:
        kept[key] = make(figure)
    return kept[key]
