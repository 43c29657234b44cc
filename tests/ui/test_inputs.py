"""Pickers and their parameters in the address, on a page of nothing else."""

from __future__ import annotations

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnnkit.ui.common.polling import duration

CHOICE = """
import streamlit as st
from cnnkit.ui.common.inputs import choice
got = choice("Fruit", ["apple", "pear", "fig"], parameter="fruit", title=str.upper, default="pear")
st.markdown(got)
"""
RENAMED = """
import streamlit as st
from cnnkit.ui.common.inputs import choice, key_of
more = st.toggle("Other titles")
title = str.title if more else str.upper
st.markdown(choice("Fruit", ["apple", "pear"], parameter="fruit", title=title))
st.markdown(key_of("fruit"))
"""
IMAGE = """
import streamlit as st
from cnnkit.ui.common.inputs import image_picker
st.markdown(str(image_picker(5)))
"""
NUMBER = """
import streamlit as st
from cnnkit.ui.common.inputs import number
st.markdown(str(number("Steps", 1, 50, parameter="steps", default=20)))
"""
ERRORS = """
import streamlit as st
from cnnkit.errors import RunNotFoundError
from cnnkit.ui.common.messages import shown_errors
with shown_errors({arguments}):
    raise {error}
st.markdown("after")
"""


SLIDER = """
import streamlit as st
from cnnkit.ui.common.inputs import choice
choice("Depth", ["head", "half", "all"], parameter="depth", default="all", widget=st.select_slider)
"""


def test_the_browser_is_told_at_every_run_what_is_chosen():
    at = AppTest.from_string(SLIDER).run()
    for _ in range(2):  # a run may be overtaken before the browser has seen it
        assert at.select_slider[0].proto.set_value
        at.run()


@pytest.fixture(autouse=True)
def fresh_caches():
    st.cache_resource.clear()
    yield


def opened(script, **query):
    at = AppTest.from_string(script, default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def test_the_default_is_chosen_and_people_see_titles():
    at = opened(CHOICE)
    assert at.markdown[0].value == "pear"
    assert at.selectbox[0].options == ["APPLE", "PEAR", "FIG"]


def test_a_link_chooses_by_name():
    assert opened(CHOICE, fruit="fig").markdown[0].value == "fig"


def test_choosing_writes_the_name_into_the_address():
    at = opened(CHOICE)
    at.selectbox[0].set_value("apple").run()
    assert at.markdown[0].value == "apple"
    assert at.query_params["fruit"] in ("apple", ["apple"])


def test_another_link_wins_over_what_was_chosen_before():
    at = opened(CHOICE, fruit="fig")
    at.selectbox[0].set_value("apple").run()
    at.query_params["fruit"] = "pear"
    at.run()
    assert at.markdown[0].value == "pear"


def test_a_name_that_is_not_there_is_said_and_the_default_taken():
    at = opened(CHOICE, fruit="stone")
    assert "stone" in at.warning[0].value
    assert at.markdown[0].value == "pear"


def test_other_titles_make_another_picker_that_keeps_what_was_chosen():
    at = opened(RENAMED)
    at.selectbox[0].set_value("pear").run()
    before = at.markdown[1].value
    at.run()
    assert [one.value for one in at.markdown] == ["pear", before]
    at.toggle[0].set_value(True).run()
    assert at.markdown[0].value == "pear" and at.markdown[1].value != before
    assert at.selectbox[0].options == ["Apple", "Pear"]
    at.selectbox[0].set_value("apple").run()
    assert at.markdown[0].value == "apple"


def test_any_image_is_one_of_those_there_are():
    at = opened(IMAGE, image="4")
    assert at.markdown[0].value == "4"
    seen = set()
    for _ in range(20):
        at.button[0].click().run()
        seen.add(int(at.markdown[0].value))
    assert seen <= set(range(5)) and len(seen) > 1


def test_an_image_beyond_the_last_is_not_shown():
    at = opened(IMAGE, image="99")
    assert at.markdown[0].value in {"0", "4"}


@pytest.mark.parametrize("given", ["1", "50"])
def test_a_number_in_the_address_is_taken_to_both_ends_of_its_range(given):
    at = opened(NUMBER, steps=given)
    assert at.markdown[0].value == given and not at.warning


@pytest.mark.parametrize("given", ["0", "51", "-3", "nan", "many"])
def test_a_number_in_the_address_that_cannot_be_is_said_and_the_default_taken(given):
    at = opened(NUMBER, steps=given)
    assert f"Steps must be 1 to 50. Received: {given!r}" in at.warning[0].value
    assert at.markdown[0].value == "20" and "steps" not in at.query_params


def test_a_number_stands_in_the_address_while_it_is_not_the_default():
    at = opened(NUMBER)
    assert "steps" not in at.query_params
    at.number_input[0].set_value(7).run()
    assert at.markdown[0].value == "7" and at.query_params["steps"] in ("7", ["7"])
    at.number_input[0].set_value(20).run()
    assert at.markdown[0].value == "20" and "steps" not in at.query_params


@pytest.mark.parametrize(("arguments", "goes_on"), [("", False), ("stop=False", True)])
def test_an_error_of_ours_is_shown_with_what_to_do(arguments, goes_on):
    at = opened(ERRORS.format(arguments=arguments, error="RunNotFoundError('gone')"))
    assert "gone" in at.error[0].value
    assert "Train page" in at.caption[0].value
    assert bool(at.markdown) is goes_on


def test_any_other_error_stays_a_traceback():
    at = AppTest.from_string(ERRORS.format(arguments="", error="ZeroDivisionError('ours')")).run()
    assert at.exception[0].message == "ours"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0.4, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_are_said_as_people_say_them(seconds, words):
    assert duration(seconds) == words
