"""Both rules against the programs they come from."""

import itertools
import random

import keras
import pytest

from cnnkit.training import Stopping
from cnnkit.training._callbacks import StoppingRule


def tutorial_program(errors, batches, patience, increase=2, threshold=0.995):
    """The loop of the Deep Learning Tutorials, written out: epochs that were validated."""
    best, validated = float("inf"), 0
    for epoch in range(1, len(errors) + 1):
        for minibatch in range(batches):
            iteration = (epoch - 1) * batches + minibatch
            if (iteration + 1) % batches == 0:
                error = errors[epoch - 1]
                validated = epoch
                if error < best:
                    if error < best * threshold:
                        patience = max(patience, iteration * increase)
                    best = error
            if patience <= iteration:
                return validated
    return validated


@pytest.mark.parametrize("seed", range(40))
def test_the_tutorials_rule_stops_where_its_program_does(seed):
    chance = random.Random(seed)
    batches = chance.choice([3, 10, 83, 100])
    errors = [max(0.01, 1 / (n + 1) + chance.uniform(-0.1, 0.1)) for n in range(60)]
    patience = chance.choice([5, 50, 400, 2000])
    rule = StoppingRule(Stopping(kind="tutorial", monitor="val_error", patience=patience), batches)
    stops = (n for n, e in enumerate(errors, 1) if rule.should_stop(n, {"val_error": e}))
    assert next(stops, len(errors)) == max(1, tutorial_program(errors, batches, patience))


@pytest.mark.parametrize(("patience", "min_delta"), list(itertools.product([0, 1, 3], [0.0, 0.05])))
@pytest.mark.parametrize("seed", range(5))
def test_keras_rule_stops_where_keras_does(patience, min_delta, seed):
    chance = random.Random(seed)
    losses = [1 / (n + 1) + chance.uniform(0, 0.2) for n in range(40)]
    reference = keras.callbacks.EarlyStopping(patience=patience, min_delta=min_delta)
    reference.set_model(keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)]))
    reference.model.stop_training = False
    reference.on_train_begin()
    expected = len(losses)
    for epoch, loss in enumerate(losses):
        reference.on_epoch_end(epoch, {"val_loss": loss})
        if reference.model.stop_training:
            expected = epoch + 1
            break
    rule = StoppingRule(Stopping(patience=patience, min_delta=min_delta), 10)
    stops = (n for n, x in enumerate(losses, 1) if rule.should_stop(n, {"val_loss": x}))
    assert next(stops, len(losses)) == expected


def test_a_restored_rule_goes_on_like_the_first():
    stopping = Stopping(kind="tutorial", monitor="val_error", patience=20)
    errors = [0.5, 0.4, 0.39, 0.389, 0.388, 0.3875, 0.387, 0.3869, 0.3868]
    whole = StoppingRule(stopping, 3)
    expected = [whole.should_stop(n, {"val_error": e}) for n, e in enumerate(errors, 1)]
    assert any(expected)
    first = StoppingRule(stopping, 3)
    answers = [first.should_stop(n, {"val_error": e}) for n, e in enumerate(errors[:4], 1)]
    second = StoppingRule(stopping, 3)
    second.restore(first.state())
    answers += [second.should_stop(n, {"val_error": e}) for n, e in enumerate(errors[4:], 5)]
    assert answers == expected


def test_a_restored_rule_of_keras_has_the_patience_that_was_left():
    stopping = Stopping(patience=3)
    first = StoppingRule(stopping, 10)
    assert not any(first.should_stop(n, {"val_loss": 1.0}) for n in (1, 2, 3))
    second = StoppingRule(stopping, 10)
    second.restore(first.state())
    assert second.should_stop(4, {"val_loss": 1.0}), "the third epoch without improvement"


def test_no_rule_never_stops():
    rule = StoppingRule(None, 10)
    assert not any(rule.should_stop(n, {"val_loss": 1.0}) for n in range(1, 1000))
