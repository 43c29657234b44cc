"""A run of a page leaves alone what other pages and threads are using."""

from __future__ import annotations

import gc
from pathlib import Path

import keras
from streamlit.testing.v1 import AppTest

from cnnkit.ui import lasting


def test_a_run_of_a_page_does_not_clear_keras_for_everybody(root):
    name = "a layer that somebody else is building"
    before = keras.backend.get_uid(name)
    at = AppTest.from_file(root / "app.py", default_timeout=60).run()
    assert not at.exception
    assert keras.backend.get_uid(name) == before + 1


def test_without_our_page_streamlit_would_clear_it():
    # What `lasting` prevents; should this fail one day, it is no longer needed.
    from streamlit.runtime.scriptrunner import script_runner

    assert script_runner._clean_problem_modules is lasting._leave_alone
    assert "clear_session" in Path(script_runner.__file__).read_text("utf-8")


def test_the_libraries_objects_are_looked_through_only_once(root, monkeypatch):
    monkeypatch.setattr(lasting, "_frozen", False)
    AppTest.from_file(root / "app.py", default_timeout=60).run()
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    AppTest.from_file(root / "app.py", default_timeout=60).run()
    assert gc.get_freeze_count() <= frozen  # some may have gone since
    gc.unfreeze()
