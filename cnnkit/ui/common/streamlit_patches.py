"""Keeping what Streamlit throws away at the end of every run of a page.

- It calls `keras.backend.clear_session()`. A page runs every second while a training is
  followed, and whatever another visitor's page, or a thread in the background, is just
  building then loses its names and scopes.
- What a run told last is thrown away where, before the event loop has come to send it, a fragment
  that runs by itself asks for its turn. On a busy server that can be all of a run: a button then
  stays disabled after the upload that should enable it.
"""

from __future__ import annotations

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import script_runner
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

_request_rerun = AppSession.request_rerun


def keep() -> None:
    """Leave Keras's state alone, and send what a run said last."""
    # No option of Streamlit does this. Should the name go, a test of ours will say so.
    script_runner._clean_problem_modules = _leave_alone
    AppSession.request_rerun = _in_turn


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
