"""A session by itself: what it tells, and when."""

from __future__ import annotations

from cnnkit.models import load_model
from cnnkit.studio import session as sessions
from cnnkit.studio.session import Session
from cnnkit.studio.status import read_look
from cnnkit.visualize import class_logit, presets
from cnnkit.visualize.step import CompiledSteps


def test_what_a_slider_does_is_shown_with_the_next_step(root, tmp_path, monkeypatch):
    monkeypatch.setattr(sessions, "TELL_SECONDS", 1e9)  # no frame is due by itself
    plan = presets.get("quick").plan(class_logit(7), size=(28, 28), steps=20)
    one = Session(tmp_path, plan, None, key="")
    one.open(CompiledSteps(load_model(root / "cnnkit" / "starter")[0]))
    one.advance()
    assert (read_look(tmp_path).number, read_look(tmp_path).shown) == (1, 0)
    one.steer({"terms/1/weight": -1.0})
    one.advance()
    assert (read_look(tmp_path).number, read_look(tmp_path).shown) == (2, 2)
    one.advance()
    assert (read_look(tmp_path).number, read_look(tmp_path).shown) == (3, 2)
