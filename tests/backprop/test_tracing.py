"""What a trace holds, and that each of its numbers is the sum it is said to be."""

import itertools

import numpy as np
import pytest

from cnnkit.backprop import (
    AveragePooling,
    Convolution,
    Dropout,
    MaxPooling,
    ReLU,
    Scaling,
    Sigmoid,
    Tanh,
    ZeroPadding,
    backward_sum,
    bordered_delta,
    forward_sum,
    trace,
    weight_sum,
)
from cnnkit.errors import UnknownLayerError
from tests.backprop.networks import network_of

SHAPE = (7, 6, 2)


def kernel(*shape):
    return np.random.default_rng(sum(shape)).normal(0, 0.5, shape)


LAYERS = {
    "plain": [Convolution("conv", kernel(2, 3, 2, 3), np.ones(3)), MaxPooling("pool", 2)],
    "strided": [
        Convolution("conv", kernel(3, 2, 2, 3), strides=2, padding="same"),
        AveragePooling("pool", 2, strides=1, padding="same"),
    ],
    "overlapping": [Tanh("tanh"), MaxPooling("pool", (3, 2), strides=(2, 1), padding="same")],
    "with gaps": [MaxPooling("pool", 2, strides=3), AveragePooling("mean", 2)],
    "small ones": [
        ZeroPadding("margin", ((1, 2), (0, 1))),
        Scaling("scaling", np.array([2.0, 3.0]), 0.5),
        ReLU("relu"),
        Dropout("dropout", 0.5),
        Sigmoid("sigmoid"),
    ],
}


def traced(name):
    image = np.random.default_rng(0).normal(size=SHAPE)
    return trace(network_of(*LAYERS[name], shape=SHAPE), image, 1)


@pytest.mark.parametrize("name", LAYERS)
def test_every_number_of_both_directions_is_the_sum_it_is_said_to_be(name):
    for step in traced(name).steps:
        for index in np.ndindex(step.output.shape):
            found = forward_sum(step, index)
            assert found.total == step.output[index]
            if not found.curve:
                assert found.worked_out == pytest.approx(found.total, abs=1e-12)
        for index in np.ndindex(step.input.shape):
            found = backward_sum(step, index)
            assert found.total == step.input_delta[index]
            assert found.worked_out == pytest.approx(found.total, abs=1e-12)
        for index in np.ndindex(step.parameters.get("kernel", np.zeros(0)).shape):
            found = weight_sum(step, index)
            assert found.total == step.gradients["kernel"][index]
            assert found.worked_out == pytest.approx(found.total, abs=1e-12)


@pytest.mark.parametrize("name", ["plain", "strided", "overlapping"])
def test_the_window_lies_where_the_factors_come_from(name):
    for step, explain in itertools.product(traced(name).steps, (forward_sum, backward_sum)):
        index = (1, 1, 1)
        if step.kind not in ("convolution", "max pooling", "average pooling"):
            continue
        found = explain(step, index)
        top, left, height, width = found.window
        cut = found.ground[top : top + height, left : left + width]
        assert np.array_equal(cut if found.map is None else cut[..., found.map], found.left)


def test_neighbors_hand_over_the_same_numbers():
    found = traced("plain")
    for before, after in itertools.pairwise(found.steps):
        assert np.array_equal(before.output, after.input)
        assert np.array_equal(before.delta, after.input_delta)
    assert np.array_equal(found.steps[-1].delta, found.delta)
    assert found.delta.sum() == pytest.approx(0) and found.delta[1] < 0
    assert found.loss == pytest.approx(-np.log(found.probabilities[1]))


def test_a_trace_stays_as_it_was_when_the_network_learns_on():
    network = network_of(*LAYERS["plain"], shape=SHAPE)
    image = np.random.default_rng(0).normal(size=SHAPE)
    found = trace(network, image, 1)
    kept = {name: values.copy() for name, values in found.arrays.items()}
    network.step(0.5)
    trace(network, image + 1, 0)
    assert all(np.array_equal(values, kept[name]) for name, values in found.arrays.items())


def test_arrays_are_named_after_their_layers():
    found = traced("plain")
    assert {"conv/input", "conv/output", "conv/delta", "conv/input_delta", "conv/kernel"} <= set(
        found.arrays
    )
    assert found.arrays["conv/gradient of bias"] is found["conv"].gradients["bias"]
    with pytest.raises(UnknownLayerError, match="Known layers: conv, flatten, logits, pool"):
        found["conv2"]


def test_the_border_of_zeros_is_one_less_than_the_kernel():
    step = traced("plain")["conv"]
    border = bordered_delta(step)
    rows, columns, _ = step.delta.shape
    assert border.shape[:2] == (rows + 2, columns + 4)
    assert np.array_equal(border[1:-1, 2:-2], step.delta)
    assert not border[0].any() and not border[:, :2].any()
