from __future__ import annotations

from cnnkit.figures.curves import compared_curves, learning_curve

HISTORY = [
    {"epoch": 1, "loss": 2.0, "val_loss": 1.5, "val_error": 0.4},
    {"epoch": 2, "loss": 1.0, "val_loss": 0.5, "val_error": 0.2},
]


def _lines(figure):
    return {line.name: (list(line.x), list(line.y)) for line in figure.data if line.name}


def test_a_run_has_a_training_and_a_validation_curve():
    assert _lines(learning_curve("loss", HISTORY)) == {
        "training": ([1, 2], [2.0, 1.0]),
        "validation": ([1, 2], [1.5, 0.5]),
    }


def test_live_points_stand_at_their_fraction_of_an_epoch():
    live = [{"step": 5, "loss": 3.0}, {"step": 25, "loss": 1.2}]
    figure = learning_curve("loss", HISTORY, live, steps_per_epoch=10)
    assert list(figure.data[0].x) == [0.5, 2.5]


def test_the_kept_epoch_is_marked_on_the_validation_curve():
    assert _lines(learning_curve("loss", HISTORY, best_epoch=2))["kept"] == ([2], [0.5])


def test_a_run_that_has_learnt_nothing_yet_has_empty_curves():
    assert _lines(learning_curve("accuracy", []))["validation"] == ([], [])


def test_both_curves_of_a_compared_run_have_its_colour():
    figure = compared_curves("loss", {"a": HISTORY, "b": HISTORY})
    colours = {}
    for line in figure.data:
        colours.setdefault(line.name, set()).add(line.line.color)
    assert [len(found) for found in colours.values()] == [1, 1]
    assert colours["a"] != colours["b"]


def test_a_measure_without_training_values_shows_validation_only():
    assert len(compared_curves("error", {"a": HISTORY}).data) == 1
