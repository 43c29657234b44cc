import numpy as np
import pytest

from cnnkit.figures.bars import probability_bars, signed_bars, stacked_bars
from cnnkit.figures.style import BLUE, GREEN

NAMES = tuple("0123456789")


def test_there_is_a_bar_for_each_class_and_the_largest_stands_out():
    values = np.full(10, 0.02)
    values[7] = 0.82
    (bars,) = probability_bars(values, NAMES).data
    assert list(bars.x) == list(NAMES)
    assert np.allclose(bars.y, values)
    assert [i for i, color in enumerate(bars.marker.color) if color == BLUE] == [7]


def test_numbers_too_small_to_read_are_left_out():
    values = np.zeros(10)
    values[[0, 1]] = 0.996, 0.004
    (bars,) = probability_bars(values, NAMES).data
    assert bars.text[0] == "100"
    assert set(bars.text[1:]) == {""}


def test_class_names_that_are_digits_stay_names():
    assert probability_bars(np.full(10, 0.1), NAMES).layout.xaxis.type == "category"


def test_signed_bars_mark_the_chosen_one_and_keep_their_limits():
    figure = signed_bars(np.array([-1.0, 2.0]), ("a", "b"), chosen=1, limits=(-3, 3))
    assert figure.data[0].marker.color[1] == GREEN
    assert tuple(figure.layout.yaxis.range) == (-3, 3)


def test_signed_bars_of_nothing_but_zeros_have_room():
    low, high = signed_bars(np.zeros(3), ("a", "b", "c")).layout.yaxis.range
    assert low <= 0 < high


VALUES = {"first": (1, 2), "second": (3, 4)}


def test_there_is_a_bar_of_parts_for_each_name():
    figure = stacked_bars(VALUES, ("a", "b"))
    assert figure.layout.barmode == "stack"
    found = {bars.name: (list(bars.x), list(bars.y)) for bars in figure.data}
    assert found == {"first": (["a", "b"], [1, 2]), "second": (["a", "b"], [3, 4])}


def test_lying_bars_begin_at_the_top_and_leave_room_for_words():
    figure = stacked_bars(VALUES, ("a", "b"), horizontal=True, text=("four", "six"))
    assert list(figure.data[1].x) == [3, 4]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.xaxis.range[1] > 6
    assert [(note.text, note.x) for note in figure.layout.annotations] == [("four", 4), ("six", 6)]


def test_a_line_to_compare_with_lies_over_the_bars():
    line = stacked_bars(VALUES, ("a", "b"), limit=("before", (5, 5))).data[-1]
    assert (line.name, line.type, list(line.y)) == ("before", "scatter", [5, 5])


@pytest.mark.parametrize("horizontal", [False, True])
def test_the_page_shows_through(horizontal):
    assert (
        stacked_bars(VALUES, ("a", "b"), horizontal=horizontal).layout.paper_bgcolor
        == "rgba(0,0,0,0)"
    )
