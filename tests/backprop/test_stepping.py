"""One step of learning, and what others would have done."""

import numpy as np
import pytest

from cnnkit.backprop import Convolution, MaxPooling
from cnnkit.backprop.training import gradient_step, losses_along
from tests.backprop.networks import network_of

SHAPE = (7, 6, 2)
GENERATOR = np.random.default_rng(0)
LESSON = GENERATOR.normal(size=(4, *SHAPE)), np.array([0, 1, 0, 1])
OTHERS = GENERATOR.normal(size=(3, *SHAPE)), np.array([1, 0, 1])


@pytest.fixture
def network():
    kernel = np.random.default_rng(1).normal(0, 0.5, (2, 3, 2, 3))
    return network_of(Convolution("conv", kernel, np.ones(3)), MaxPooling("pool", 2), shape=SHAPE)


def parameters(network):
    return [values.copy() for layer in network for values in layer.parameters.values()]


def test_a_step_takes_the_rate_times_the_gradient_away(network):
    learned = gradient_step(network, LESSON, 0.1)
    for layer, before in learned.before.items():
        for name, values in before.items():
            expected = values - 0.1 * learned.gradients[layer][name]
            np.testing.assert_allclose(learned.after[layer][name], expected)


def test_a_small_step_lowers_the_loss(network):
    before = network.forward(*LESSON)
    gradient_step(network, LESSON, 0.01)
    assert network.forward(*LESSON) < before


def test_trying_rates_leaves_the_network_as_it_was_and_says_what_each_would_have_done(network):
    before, loss = parameters(network), network.forward(*LESSON)
    own, others = losses_along(network, LESSON, [0.0, 0.05, 0.1], [LESSON, OTHERS])
    for values, kept in zip(parameters(network), before, strict=True):
        np.testing.assert_array_equal(values, kept)
    assert own[0] == pytest.approx(loss) and others[0] == pytest.approx(network.forward(*OTHERS))
    gradient_step(network, LESSON, 0.1)
    assert network.forward(*LESSON) == pytest.approx(own[2])
    assert network.forward(*OTHERS) == pytest.approx(others[2])
