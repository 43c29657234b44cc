from __future__ import annotations

import threading

import pytest

from cnnkit.errors import IncompatibleError
from cnnkit.ui.background import Background


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
