"""A run of a page leaves alone what other pages and threads are using."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests, ScriptRequestType
from streamlit.testing.v1 import AppTest

from cnnkit.ui.common import streamlit_patches
from tests import asynchronous


def test_a_run_of_a_page_does_not_clear_keras_for_everybody(root):
    name = "a layer that somebody else is building"
    before = keras.backend.get_uid(name)
    at = AppTest.from_file(root / "app.py", default_timeout=60).run()
    assert not at.exception
    assert keras.backend.get_uid(name) == before + 1


def test_without_our_page_streamlit_would_clear_it():
    # What `lasting` prevents; should this fail one day, it is no longer needed.
    from streamlit.runtime.scriptrunner import script_runner

    assert script_runner._clean_problem_modules is streamlit_patches._leave_alone
    assert "clear_session" in Path(script_runner.__file__).read_text("utf-8")


@pytest.mark.parametrize(("fragment", "stopped"), [("one", True), ("one", False), ("", True)])
def test_what_a_run_told_last_is_sent_before_a_fragment_gets_a_runner(
    monkeypatch, fragment, stopped
):
    streamlit_patches.keep()
    told = []
    monkeypatch.setattr(streamlit_patches, "_request_rerun", lambda *_: told.append("request"))
    state = ScriptRequestType.STOP if stopped else ScriptRequestType.CONTINUE

    async def ask():
        loop = asyncio.get_running_loop()
        loop.call_soon(told.append, "the run's last words")
        session = SimpleNamespace(
            _event_loop=loop,
            _scriptrunner=SimpleNamespace(_requests=SimpleNamespace(_state=state)),
        )
        AppSession.request_rerun(session, ClientState(fragment_id=fragment))
        await asyncio.sleep(0.01)

    asynchronous.run(ask())
    in_turn = ["the run's last words", "request"]
    assert told == (in_turn if fragment and stopped else in_turn[::-1])


def test_streamlit_would_throw_it_away():
    # What `lasting` prevents; should this fail one day, it may no longer be needed.
    source = inspect.getsource(AppSession._handle_scriptrunner_event_on_event_loop)
    assert "if sender is not self._scriptrunner:" in source
    assert "self._requests = ScriptRequests()" in inspect.getsource(ScriptRunner.__init__)
    assert ScriptRequests()._state is ScriptRequestType.CONTINUE


def test_the_state_by_its_keys_is_what_streamlit_makes_of_it(root):
    at = AppTest.from_file(root / "app.py", default_timeout=60).switch_page("pages/train.py").run()
    state = at.session_state._state
    by_key, whole = streamlit_patches.StateByKey(state), state._state.filtered_state
    assert len(whole) > 20  # the fields of the form
    assert dict(by_key) == whole
    assert all(key in by_key for key in whole)
    assert not [key for key in state._state._keys() if key not in whole and key in by_key]
    assert "nothing of this name" not in by_key


def test_streamlit_would_make_the_whole_state_for_one_key():
    # What `StateByKey` spares; should this fail one day, it is no longer needed.
    from streamlit.elements.widgets import number_input

    source = inspect.getsource(number_input.NumberInputMixin._number_input)
    assert "session_state = get_session_state().filtered_state" in source
    assert "key in session_state and session_state[key] is None" in source


def test_links_ask_the_disk_once_where_the_files_of_pages_are(root):
    AppTest.from_file(root / "app.py", default_timeout=60).run()
    asked = streamlit_patches._REAL_PATH.cache_info()
    assert asked.misses, "Streamlit has another way to find the file of a page"
    at = AppTest.from_file(root / "app.py", default_timeout=60).run()
    now = streamlit_patches._REAL_PATH.cache_info()
    assert now.misses == asked.misses and now.hits > asked.hits
    assert not at.exception
