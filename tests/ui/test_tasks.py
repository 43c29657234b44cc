from __future__ import annotations

import threading

import pytest
from streamlit.testing.v1 import AppTest

from cnnkit.errors import IncompatibleError
from cnnkit.ui.common.tasks import Background


def test_equal_questions_share_one_answer():
    background, asked = Background(), []
    answers = [background.ask("key", lambda: asked.append(1) or 42) for _ in range(3)]
    assert [answer.result(timeout=5) for answer in answers] == [42, 42, 42]
    assert asked == [1]


def test_the_one_who_asks_does_not_wait():
    background, go_on = Background(), threading.Event()
    answer = background.ask("slow", lambda: go_on.wait(5))
    assert not answer.done()
    go_on.set()
    assert answer.result(timeout=5)


def test_only_the_last_answers_are_kept():
    background = Background(kept=2)
    first = background.ask(0, lambda: 0)
    for key in (1, 2):
        background.ask(key, lambda: 0)
    assert background.ask(0, lambda: 0) is not first


def test_an_error_comes_to_the_one_who_asked():
    def refuse():
        raise IncompatibleError("too small")

    with pytest.raises(IncompatibleError):
        Background().ask("key", refuse).result(timeout=5)


def _counting():
    import threading
    from concurrent.futures import Future

    import streamlit as st

    from cnnkit.ui.common.tasks import awaited

    answer = Future()
    threading.Timer(0.3, answer.set_result, [42]).start()
    st.metric("Found", awaited(answer, waiting="Counting …"))
    st.text("below")


def test_a_script_that_waits_goes_on_with_the_answer_and_leaves_no_word_of_waiting():
    page = AppTest.from_function(_counting, default_timeout=20).run()
    assert not page.exception and not page.caption
    assert page.metric[0].value == "42" and page.text[0].value == "below"


def _refusing():
    from concurrent.futures import Future

    from cnnkit.errors import IncompatibleError
    from cnnkit.ui.common.messages import shown_errors
    from cnnkit.ui.common.tasks import awaited

    answer = Future()
    answer.set_exception(IncompatibleError("The image is too small."))
    with shown_errors():
        awaited(answer, waiting="Counting …")


def test_an_error_that_was_awaited_is_shown():
    page = AppTest.from_function(_refusing, default_timeout=20).run()
    assert [error.value for error in page.error] == ["The image is too small."]
