from __future__ import annotations

import numpy as np
import pytest

from cnnkit.figures.confusion import confusion_matrix

CONFUSION = np.array([[9, 1, 0], [0, 8, 2], [0, 0, 10]])


def test_every_cell_has_a_marker_that_knows_its_classes_and_count():
    (cells,) = confusion_matrix(CONFUSION, ["cat", "dog", "cow"]).data
    for x, y, (true, predicted, count) in zip(cells.x, cells.y, cells.customdata, strict=True):
        assert (y, x) == (true, predicted)
        assert count == CONFUSION[true, predicted]
    assert len(cells.x) == 9


def test_a_cell_shows_its_number_and_an_empty_one_shows_none():
    (cells,) = confusion_matrix(CONFUSION, "abc").data
    assert cells.text == ("9", "1", "", "", "8", "2", "", "", "10")


def test_names_that_do_not_fit_the_matrix_are_refused():
    with pytest.raises(ValueError, match="2×2"):
        confusion_matrix(CONFUSION, "ab")
