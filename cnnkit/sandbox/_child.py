"""The child: it answers calls, each on a stranger's file, within its limits."""

from __future__ import annotations

import importlib
import resource
import socket
import time
from collections.abc import Callable
from typing import Any

from cnnkit.errors import CnnkitError
from cnnkit.sandbox._limits import Limits, confine, timed
from cnnkit.sandbox._wire import ChildWire, WireError

# File descriptors: after input, output and errors, which lead nowhere.
CHANNEL, SHARED, FIRST_FILE = 3, 4, 5


def answer_calls(files: int) -> None:
    """Answer one call after the other, until the other end closes the channel.

    Args:
        files: how many were opened for this child, from `FIRST_FILE` on.
    """
    wire = ChildWire(socket.socket(fileno=CHANNEL), SHARED)
    confined = False
    while True:
        try:
            call = wire.receive()
        except WireError:
            return
        limits = Limits(**call["limits"])
        if not confined:
            confine(limits, FIRST_FILE + files)
            confined = True
        began = time.process_time()
        answer = _answer(call, limits)
        seconds = time.process_time() - began
        wire.send(answer | {"memory": _most_memory(), "seconds": seconds})


def function_named(text: str) -> Callable[..., Any]:
    """The function called "module:name"."""
    module, _, name = text.partition(":")
    return getattr(importlib.import_module(module), name)


def _answer(call: dict[str, Any], limits: Limits) -> dict[str, Any]:
    function = function_named(call["function"])
    try:
        with timed(limits):
            return {"value": function(*call["arguments"])}
    except CnnkitError as error:
        return {"error": [type(error).__name__, str(error)]}
    except MemoryError:
        return {"foreign": ["MemoryError", ""]}
    # Whatever a broken file leads to: here it ends in one sentence.
    except Exception as error:
        return {"foreign": [type(error).__name__, str(error)[:500]]}


def _most_memory() -> int:
    """Bytes of memory that this child has taken at most, those it shares included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
