"""Keeping what Streamlit throws away, or looks through, at the end of every run of a page.

- It calls `keras.backend.clear_session()`. A page runs every second while a training is
  followed, and whatever another visitor's page, or a thread in the background, is just
  building then loses its names and scopes.
- It collects garbage in all generations. With TensorFlow and Keras imported that is half a
  million objects, a quarter of a second in which nobody else's page can do anything.
"""

from __future__ import annotations

import gc
import sys

from streamlit.runtime.scriptrunner import script_runner

_frozen = False


def keep() -> None:
    """Leave Keras's state alone, and look through the libraries' objects only once."""
    global _frozen
    # No option of Streamlit does this. Should the name go, a test of ours will say so.
    script_runner._clean_problem_modules = _leave_alone
    # Modules are still growing while they are imported; by then the last of them is there.
    if "keras.saving" in sys.modules and not _frozen:
        _frozen = True  # asking `gc` would count them, at every run of every page
        gc.collect()
        gc.freeze()


def _leave_alone() -> None:
    """Do nothing in the place of clearing Keras's session."""
