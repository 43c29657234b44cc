from __future__ import annotations

from cnnkit.figures.curves import comparison, training

HISTORY = [
    {"epoch": 1, "loss": 2.0, "val_loss": 1.5, "val_accuracy": 0.6},
    {"epoch": 2, "loss": 1.0, "val_loss": 0.5, "val_accuracy": 0.8},
]


def _lines(figure):
    return {line.name: (list(line.x), list(line.y)) for line in figure.data}


def test_a_run_has_a_training_and_a_validation_curve():
    assert _lines(training(HISTORY, "loss")) == {
        "training": ([1, 2], [2.0, 1.0]),
        "validation": ([1, 2], [1.5, 0.5]),
    }


def test_live_points_stand_at_their_fraction_of_an_epoch():
    live = [{"step": 5, "loss": 3.0}, {"step": 25, "loss": 1.2}]
    figure = training(HISTORY, "loss", live=live, steps_per_epoch=10)
    assert list(figure.data[0].x) == [0.5, 2.5]


def _marked(figure):
    (line,), (note,) = figure.layout.shapes, figure.layout.annotations
    assert line.x0 == line.x1 == note.x
    return note.x, note.text


def test_the_epoch_of_the_lowest_validation_loss_is_marked_until_one_is_restored():
    history = [*HISTORY, {"epoch": 3, "loss": 0.5, "val_loss": 0.7, "val_accuracy": 0.9}]
    assert _marked(training(history, "accuracy")) == (2, "best")
    assert _marked(training(history, "accuracy", restored=1)) == (1, "restored")
    places = [training(history, name).layout.annotations[0].y for name in ("loss", "accuracy")]
    assert places == [1, 0]  # away from where the lines end
    assert _marked(training(history[1:], "loss")) == (2, "best"), "epochs, not rows, are counted"


def test_the_moment_of_unfreezing_is_marked_by_a_line_and_words():
    assert _marked(training(HISTORY[:1], "loss", unfrozen={1: "Unfrozen from block5"})) == (
        1,
        "Unfrozen from block5",
    )


def test_a_run_without_a_finished_epoch_has_no_curves():
    assert len(training([], "accuracy").data) == 0


def test_the_error_is_what_the_accuracy_lacks():
    lines = _lines(comparison({"a": HISTORY}, "val_error"))
    assert [round(value, 6) for value in lines["a"][1]] == [0.4, 0.2]


def test_compared_runs_have_different_colors():
    figure = comparison({"a": HISTORY, "b": HISTORY}, "val_loss")
    assert len({line.line.color for line in figure.data}) == 2
