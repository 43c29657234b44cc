from __future__ import annotations

import numpy as np

from cnnkit.figures.confusion import confusion_matrix

CONFUSION = np.array([[9, 1, 0], [0, 8, 2], [0, 0, 10]])


def test_every_cell_has_a_marker_that_knows_its_classes_and_count():
    targets = confusion_matrix(CONFUSION, ["cat", "dog", "cow"]).data[-1]
    for x, y, (true, taken, count) in zip(targets.x, targets.y, targets.customdata, strict=True):
        assert (y, x) == (("cat", "dog", "cow")[true], ("cat", "dog", "cow")[taken])
        assert count == CONFUSION[true, taken]
    assert len(targets.x) == 9


def test_right_and_wrong_cells_are_coloured_apart_and_empty_ones_not_at_all():
    right, wrong, _ = confusion_matrix(CONFUSION, "abc").data
    assert np.isfinite(right.z).tolist() == np.eye(3, dtype=bool).tolist()
    assert np.argwhere(np.isfinite(wrong.z)).tolist() == [[0, 1], [1, 2]]
