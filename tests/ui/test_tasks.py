from __future__ import annotations

import threading

import pytest
from streamlit.testing.v1 import AppTest

from cnnkit.errors import IncompatibleError
from cnnkit.ui.common.tasks import Stopped, Tasks


def test_equal_questions_share_one_answer():
    background, asked = Tasks(), []
    answers = [background.ask("key", lambda: asked.append(1) or 42) for _ in range(3)]
    assert [answer.future.result(timeout=5) for answer in answers] == [42, 42, 42]
    assert asked == [1]


def test_the_one_who_asks_does_not_wait():
    background, go_on = Tasks(), threading.Event()
    answer = background.ask("slow", lambda: go_on.wait(5))
    assert not answer.future.done()
    go_on.set()
    assert answer.future.result(timeout=5)


def test_an_error_comes_to_the_one_who_asked():
    def refuse():
        raise IncompatibleError("too small")

    with pytest.raises(IncompatibleError):
        Tasks().ask("key", refuse).future.result(timeout=5)


def test_a_task_says_how_far_it_is_and_can_be_stopped():
    tasks, go, seen = Tasks(workers=2), threading.Event(), threading.Event()

    def count(progress):
        for n in range(100):
            progress(n, 100)
            if n == 3:
                seen.set()
                go.wait(10)

    under_way = tasks.ask_with_progress("a", count)
    assert tasks.ask_with_progress("a", count) is under_way
    seen.wait(10)
    assert (under_way.done, under_way.total) == (3, 100)
    assert tasks.ask_with_progress("b", lambda progress: 42).future.result(10) == 42, (
        "another is not held up"
    )
    under_way.stop()
    go.set()
    with pytest.raises(Stopped):
        under_way.future.result(10)
    assert under_way.done == 4


def test_results_are_bounded_and_what_failed_can_be_asked_again():
    tasks = Tasks(workers=2, results=2)

    def fail(progress):
        raise IncompatibleError("too small")

    with pytest.raises(IncompatibleError):
        tasks.ask_with_progress("fails", fail).future.result(10)
    tasks.forget("fails")
    assert tasks.ask_with_progress("fails", lambda progress: "went").future.result(10) == "went"
    for n in range(5):
        tasks.ask_with_progress(n, lambda progress: 0).future.result(10)
    tasks.ask_with_progress("last", lambda progress: 0).future.result(10)
    assert len(tasks._tasks) <= 4
    tasks.forget_done()
    assert tasks.get("last") is None


def test_the_result_that_nobody_has_asked_for_longest_goes_first():
    tasks = Tasks(results=2)
    for key in ("first", "second", "first", "third"):
        tasks.ask(key, lambda: 0).future.result(timeout=5)
    tasks.ask("third", lambda: 0)
    held = [key for key in ("first", "second", "third") if tasks.get(key)]
    assert held == ["first", "third"]


def _counting():
    import time

    import streamlit as st

    from cnnkit.ui.common.tasks import Tasks, wait_for

    def count(progress):
        for done in range(10):
            progress(done, 10)
            time.sleep(0.15)
        return 42

    st.metric("Found", wait_for(Tasks().ask_with_progress(0, count), waiting="Counting"))
    st.text("below")


def test_a_script_that_waits_goes_on_with_the_result_and_leaves_no_word_of_waiting():
    page = AppTest.from_function(_counting, default_timeout=20).run()
    assert not page.exception and not page.caption and not page.get("progress")
    assert page.metric[0].value == "42" and page.text[0].value == "below"


def _refusing():
    from cnnkit.errors import IncompatibleError
    from cnnkit.ui.common.messages import shown_errors
    from cnnkit.ui.common.tasks import Tasks, wait_for

    def refuse():
        raise IncompatibleError("The image is too small.")

    with shown_errors():
        wait_for(Tasks().ask(0, refuse), waiting="Counting")


def test_an_error_that_was_awaited_is_shown():
    page = AppTest.from_function(_refusing, default_timeout=20).run()
    assert [error.value for error in page.error] == ["The image is too small."]


def _drawn_when_ready():
    import threading

    import streamlit as st

    from cnnkit.ui.common.tasks import Tasks, when_ready

    if "task" not in st.session_state:
        st.session_state["go"] = threading.Event()
        st.session_state["task"] = Tasks().ask(0, lambda go=st.session_state["go"]: go.wait(20))
    when_ready(st.session_state["task"], lambda result: st.text(f"ready: {result}"), waiting="Wait")


def test_a_fragment_says_what_is_awaited_and_draws_the_result_once_it_is_there():
    page = AppTest.from_function(_drawn_when_ready, default_timeout=20).run()
    assert "Wait" in page.caption[0].value and not page.text
    page.session_state["go"].set()
    page.session_state["task"].future.result(10)
    page.run()
    assert page.text[0].value == "ready: True" and not page.caption
