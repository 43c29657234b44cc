import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import correlate2d

from cnnkit.concepts.pooling import (
    ACTIVATIONS,
    FILTERS,
    MONOTONIC,
    both_orders,
)
from cnnkit.datasets import load_dataset


@pytest.fixture(scope="module")
def digit():
    return load_dataset("digits").part("test")[0][0, ..., 0]


@given(arrays(np.uint8, (28, 28)), st.sampled_from(MONOTONIC), st.floats(-1, 1))
def test_max_pooling_and_a_monotonic_activation_may_change_places(image, activation, bias):
    orders = both_orders(
        image, kernel="vertical edges", activation=activation, pooling="maximum", bias=bias
    )
    assert orders.difference == 0


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name not in MONOTONIC])
def test_an_activation_that_falls_may_not(digit, activation):
    orders = both_orders(digit, kernel="spots", activation=activation, pooling="maximum", bias=-0.3)
    assert orders.difference > 0.01


def test_average_pooling_may_not(digit):
    orders = both_orders(
        digit, kernel="vertical edges", activation="tanh", pooling="average", bias=-0.3
    )
    assert orders.difference > 0.001


def test_pooling_first_computes_a_quarter_of_the_activations(digit):
    orders = both_orders(digit, kernel="spots", activation="tanh", pooling="maximum", bias=0)
    assert orders.activations == (144, 576)


@pytest.mark.parametrize("kernel", FILTERS)
def test_the_filter_is_a_cross_correlation(digit, kernel):
    orders = both_orders(digit, kernel=kernel, activation="tanh", pooling="maximum", bias=0)
    assert FILTERS[kernel].shape == (5, 5)
    assert orders.convolved == pytest.approx(
        correlate2d(digit / 255, FILTERS[kernel], mode="valid")
    )
