"""The toy network without Keras, and the experiment's trainings."""

import numpy as np
import pytest

from cnnkit.backprop import ALL, DENSE, NumpyModel, trace
from cnnkit.backprop.experiment import (
    ExperimentPlan,
    TrainingCurve,
    curve,
    curves_of,
    mean_at,
    train_network,
)
from cnnkit.backprop.toy import POST, RANDOM_LAST_LAYER, toy_network, toy_parts
from cnnkit.datasets import load_dataset
from cnnkit.errors import InvalidRecipeError, UnknownNameError
from cnnkit.models import create_model


def test_the_toy_network_is_the_registered_one_layer_by_layer():
    ours, theirs = toy_network(), NumpyModel.from_keras(create_model("toy_cnn"))
    assert [(a.name, a.kind) for a in ours] == [(b.name, b.kind) for b in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        for name, values in mine.parameters.items():
            assert values.shape == other.parameters[name].shape
            largest = np.abs(other.parameters[name]).max()
            assert np.abs(values).max() == pytest.approx(largest, rel=0.3)  # equal bounds
    assert ours.parameter_count == 2_603


def test_zeros_in_the_last_layer_let_no_delta_through():
    (images, labels), _ = toy_parts(0)
    asleep, awake = (
        trace(toy_network(recipe), images[0], labels[0]) for recipe in (POST, RANDOM_LAST_LAYER)
    )
    assert asleep["logits"].delta.any() and not asleep["fc1"].delta.any()
    assert awake["fc1"].delta.any() and awake["block1_conv1"].gradients["kernel"].any()


def test_the_patterns_are_those_of_the_data_set_without_its_validation_part():
    (images, labels), (test_images, test_labels) = toy_parts(3)
    theirs = load_dataset("toy_patterns", seed=3, validation_size=30)
    assert np.array_equal(images, theirs.part("train")[0]) and len(labels) == 150
    assert np.array_equal(test_images, theirs.part("test")[0]) and len(test_labels) == 30


def test_all_and_dense_layers_learn_and_the_same_seed_learns_the_same():
    plan = ExperimentPlan(recipe="awake", epochs=120, seeds=1)
    curves = [
        curve(layers, seed, list(train_network(plan, layers, seed))) for layers, seed in plan.units
    ]
    whole, dense = curves_of(curves, ALL)[0], curves_of(curves, DENSE)[0]
    assert whole.probability[-1] > dense.probability[-1] > 1 / 3
    assert whole.epoch_above_half and whole.epoch_above_half < 120
    again = curve(ALL, 0, list(train_network(plan, ALL, 0)))
    assert np.array_equal(again.probability, whole.probability)
    assert whole.thinned(50).epochs.tolist() == [1, 50, 100]
    assert mean_at([whole], 120, "accuracy") == whole.accuracy[-1]
    assert mean_at([whole], 121, "accuracy") is None


def test_a_curve_survives_as_a_file():
    made = curve(ALL, 4, list(train_network(ExperimentPlan(epochs=2, seeds=1), ALL, 4)))
    back = TrainingCurve.from_bytes(made.to_bytes())
    assert (back.layers, back.seed, back.epoch_above_half) == (ALL, 4, None)
    assert np.array_equal(back.seconds, made.seconds)
    for damaged in (b"", b"nonsense", made.to_bytes()[:99]):
        with pytest.raises(ValueError, match="no curve"):
            TrainingCurve.from_bytes(damaged)


def test_a_plan_that_cannot_work_is_refused():
    assert ExperimentPlan.from_dict(
        ExperimentPlan(epochs=7).to_dict() | {"else": 1}
    ) == ExperimentPlan(epochs=7)
    assert len(ExperimentPlan().units) == 20 and ExperimentPlan().units[:2] == [
        (ALL, 0),
        (DENSE, 0),
    ]
    with pytest.raises(InvalidRecipeError, match="epochs must be .* 1 to 2,000. Received: 0"):
        ExperimentPlan(epochs=0)
    with pytest.raises(InvalidRecipeError, match="seeds"):
        ExperimentPlan(seeds=1.5)
    with pytest.raises(UnknownNameError, match="'poste'.*awake, post"):
        ExperimentPlan(recipe="poste")
