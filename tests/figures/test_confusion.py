from __future__ import annotations

import numpy as np
import pytest

from cnnkit.figures.heatmaps import confusion_matrix

CONFUSION = np.array([[9, 1, 0], [0, 8, 2], [0, 0, 10]])


def test_every_cell_has_a_target_that_knows_its_classes_and_count():
    targets = confusion_matrix(CONFUSION, ["cat", "dog", "cow"]).data[-1]
    for x, y, (true, predicted, count) in zip(
        targets.x, targets.y, targets.customdata, strict=True
    ):
        assert (y, x) == (true, predicted)
        assert count == CONFUSION[true, predicted]
    assert len(targets.x) == 9


def test_what_a_click_brings_back_is_plain_numbers_and_not_bytes():
    sent = confusion_matrix(CONFUSION, "abc").to_plotly_json()["data"][-1]
    assert sent["customdata"][1] == [0, 1, 1]


def test_a_cell_shows_its_number_and_an_empty_one_shows_none():
    numbers = confusion_matrix(CONFUSION, "abc").layout.annotations
    assert {(one.y, one.x): one.text for one in numbers} == {
        (0, 0): "9",
        (0, 1): "1",
        (1, 1): "8",
        (1, 2): "2",
        (2, 2): "10",
    }


def test_right_and_wrong_cells_are_colored_by_scales_of_their_own():
    right, wrong, _ = confusion_matrix(CONFUSION, "abc").data
    assert np.isfinite(right.z).tolist() == np.eye(3, dtype=bool).tolist()
    assert np.unravel_index(np.nanargmax(wrong.z), (3, 3)) == (1, 2)
    assert right.zmax > wrong.zmax


def test_a_matrix_without_a_mistake_is_drawn():
    assert confusion_matrix(np.diag([3, 0, 2]), "abc").data[1].zmax > 0


def test_names_that_do_not_fit_the_matrix_are_refused():
    with pytest.raises(ValueError, match="2×2"):
        confusion_matrix(CONFUSION, "ab")
