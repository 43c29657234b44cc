"""Keras's optimizers make the published updates, worked out a second time in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from cnnkit.visualize import Plan, class_logit, optimizers
from cnnkit.visualize.optimize import Maximization
from cnnkit.visualize.optimizers import ImageOptimizer

SHAPE = (2, 4, 3, 3)


def rmsprop(gradients, rate, decay=0.95):
    """aidiary 2017: no bias correction, epsilon inside the root."""
    square = 0.0
    for gradient in gradients:
        square = decay * square + (1 - decay) * gradient**2
        yield rate * gradient / np.sqrt(square + 1e-7)


def sgd(gradients, rate, momentum=0.9):
    velocity = 0.0
    for gradient in gradients:
        velocity = momentum * velocity + gradient
        yield rate * velocity


def adam(gradients, rate, beta_1=0.8, beta_2=0.99):
    """Kingma, Ba 2014: algorithm 1, with the epsilon of section 2."""
    mean = square = 0.0
    for step, gradient in enumerate(gradients, start=1):
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = beta_2 * square + (1 - beta_2) * gradient**2
        rate_now = rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        yield rate_now * mean / (np.sqrt(square) + 1e-8)


@pytest.mark.parametrize(
    ("component", "published"),
    [
        (optimizers.rmsprop(decay=0.95), rmsprop),
        (optimizers.sgd(momentum=0.9), sgd),
        (optimizers.adam(beta_1=0.8, beta_2=0.99), adam),
    ],
    ids=["rmsprop", "sgd", "adam"],
)
@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e3])
def test_ten_updates_are_the_published_ones(component, published, scale):
    gradients = scale * np.random.default_rng(0).normal(size=(10, *SHAPE))
    running = ImageOptimizer(component, SHAPE)
    state = running.begin()
    for number, (gradient, expected) in enumerate(
        zip(gradients, published(gradients, rate=1.0), strict=True), start=1
    ):
        update, state = running.step(tf.constant(gradient, tf.float32), state, tf.constant(number))
        np.testing.assert_allclose(-update, expected, rtol=2e-4, atol=1e-5 * scale)


def test_an_update_depends_on_the_state_that_is_handed_in_alone():
    running = ImageOptimizer(optimizers.adam(), SHAPE)
    gradient = tf.constant(np.random.default_rng(1).normal(size=SHAPE), tf.float32)
    first, state = running.step(gradient, running.begin(), tf.constant(1))
    running.step(-5 * gradient, state, tf.constant(2))
    again, _ = running.step(gradient, running.begin(), tf.constant(1))
    np.testing.assert_array_equal(first, again)


def test_the_learning_rate_changes_between_steps_without_compiling(small):
    plan = Plan(objective=class_logit(1), optimizer=optimizers.adam(2.0))
    running = Maximization(small, plan)
    running.step()
    before = running.state
    slow = running.step().images
    running.go_back(before)
    running.steer({"optimizer.learning_rate": 6.0})
    fast = running.step().images
    start = running.engine.images(before.stored)
    np.testing.assert_allclose(fast - start, 3 * (slow - start), rtol=1e-3, atol=1e-2)
    assert running.engine._step.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(("normalized", "power"), [("rms", 1), ("l2", 1 / np.sqrt(36))])
def test_gradients_are_normalized_for_each_image(normalized, power):
    gradient = np.random.default_rng(2).normal(size=SHAPE) * np.array([1, 50])[:, None, None, None]
    found = ImageOptimizer(optimizers.sgd(normalized=normalized), SHAPE).normalize(
        tf.constant(gradient, tf.float32)
    )
    root = np.sqrt((gradient**2).mean((1, 2, 3), keepdims=True))
    np.testing.assert_allclose(found, power * gradient / root, rtol=1e-4)
