from __future__ import annotations

import pytest

from cnnkit.figures.costs import stacked_bars

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
