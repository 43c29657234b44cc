"""Collecting garbage beside the visitors, not after each thing that one of them does.

Streamlit collects all garbage after every run of a script. With TensorFlow, MLflow and the
pages of a class that takes up to a quarter of a second in which no other visitor gets an
answer: half of all time when fifty are there. `runner.postScriptGC` is off
(`.streamlit/config.toml`), and what modules defined, which stays for ever, is not looked
through again.

The visualization worker collects in the same way: left to itself, Python would wait until a
quarter of all objects is new, and a compiled function holds megabytes.
"""

from __future__ import annotations

import gc
import sys
import threading

EVERY = 10.0  # seconds between two collections
IMPORTED = 50  # modules after whose import what is there counts as lasting


class Collector(threading.Thread):
    """Collects garbage from time to time until it is to end.

    Args:
        ending: set when the server ends.
        every: seconds between two collections.
    """

    def __init__(self, ending: threading.Event, every: float = EVERY):
        super().__init__(name="cnnkit-garbage", daemon=True)
        self._ending = ending
        self._every = every
        self._modules = 0  # when it was last decided what lasts

    def run(self) -> None:
        """Collect until it is to end."""
        while not self._ending.wait(self._every):
            self.collect()

    def collect(self) -> None:
        """Collect now, and count as lasting what is left, if much was imported meanwhile."""
        gc.collect()
        if len(sys.modules) - self._modules >= IMPORTED:
            self._modules = len(sys.modules)
            gc.freeze()
