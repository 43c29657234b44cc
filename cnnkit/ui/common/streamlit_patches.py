"""Keeping what Streamlit throws away at the end of a page's run, and sparing what it makes often.

- It calls `keras.backend.clear_session()`. A page runs every second while a training is
  followed, and whatever another visitor's page, or a thread in the background, is just
  building then loses its names and scopes.
- What a run told last is thrown away where, before the event loop has come to send it, a fragment
  that runs by itself asks for its turn. On a busy server that can be all of a run: a button then
  stays disabled after the upload that should enable it.
- Each number field and selectbox asks for its own key in the state, for which Streamlit makes a
  dictionary of all keys: half the time of a page with a form of forty fields.
- Each link to a page asks the disk for every folder above the page's file, and each of the twenty
  links waits as often for its turn among the threads of a busy server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from streamlit.elements.widgets import button
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import script_runner
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType
from streamlit.runtime.state.common import is_element_id
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import _is_internal_key

_request_rerun = AppSession.request_rerun
# What `st.page_link` needs of the module; the files of pages stay where they are.
_REAL_PATH = lru_cache(maxsize=256)(os.path.realpath)
_OS = SimpleNamespace(path=SimpleNamespace(realpath=_REAL_PATH, basename=os.path.basename))


def keep() -> None:
    """Leave Keras's state alone, and send what a run said last."""
    # No option of Streamlit does this. Should the name go, a test of ours will say so.
    script_runner._clean_problem_modules = _leave_alone
    AppSession.request_rerun = _in_turn
    button.os = _OS  # pyright: ignore[reportAttributeAccessIssue, reportPrivateImportUsage]
    SafeSessionState.filtered_state = property(StateByKey)  # pyright: ignore[reportAttributeAccessIssue]


def _in_turn(self: AppSession, client_state: ClientState | None) -> None:
    """Ask for a run of a fragment once everything that the run before told has been sent.

    A fragment that finds the runner stopped gets a new one, and the session from then on ignores
    what the old one told. All of that stands in the event loop's queue by then: behind it is in
    time.
    """
    runner = self._scriptrunner
    stopped = runner is not None and runner._requests._state is ScriptRequestType.STOP
    if client_state and client_state.fragment_id and stopped:
        self._event_loop.call_soon(_request_rerun, self, client_state)
    else:
        _request_rerun(self, client_state)


def _leave_alone() -> None:
    """Do nothing in the place of clearing Keras's session."""


class StateByKey(Mapping):
    """What `filtered_state` holds, of which only what is asked for is looked up.

    Args:
        state: of one visitor.
    """

    def __init__(self, state: SafeSessionState):
        self._safe = state

    def __getitem__(self, key: str) -> Any:
        if is_element_id(key) or _is_internal_key(key):
            raise KeyError(key)
        with self._safe._lock:
            return self._safe._state[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def _all(self) -> dict[str, Any]:
        with self._safe._lock:
            return self._safe._state.filtered_state
