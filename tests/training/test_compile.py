import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnkit.models import create_model
from cnnkit.training import Recipe
from cnnkit.training._compile import Schedule, add_kernel_penalties, make_loss, make_optimizer
from cnnkit.training.recipe import OPTIMIZERS

RECIPE = Recipe(model="toy_cnn", epochs=10, learning_rate=0.5)


def rates(**changes):
    schedule = Schedule(RECIPE.replace(**changes), steps_per_epoch=20)
    return np.array([float(schedule(step)) for step in range(200)])


def test_cosine_falls_from_the_rate_to_what_is_left():
    curve = rates(schedule="cosine", final_learning_rate=0.1)
    expected = 0.5 * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * np.arange(200) / 200)))
    np.testing.assert_allclose(curve, expected, rtol=1e-5)


def test_linear_and_exponential_meet_at_both_ends():
    linear = rates(schedule="linear", final_learning_rate=0.01)
    exponential = rates(schedule="exponential", final_learning_rate=0.01)
    np.testing.assert_allclose(linear, 0.5 * (1 - 0.99 * np.arange(200) / 200), rtol=1e-4)
    np.testing.assert_allclose(exponential, 0.5 * 0.01 ** (np.arange(200) / 200), rtol=1e-4)


def test_warm_up_rises_linearly_to_the_rate_and_then_the_schedule_begins():
    curve = rates(schedule="cosine", warmup_epochs=2)
    np.testing.assert_allclose(curve[:40], 0.5 * np.arange(1, 41) / 40, rtol=1e-5)
    assert curve[40] == pytest.approx(0.5) and curve[-1] < 0.001


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_a_step(name):
    variable = keras.Variable([1.0, -2.0])
    optimizer = make_optimizer(RECIPE.replace(optimizer=name, learning_rate=0.01), 20)
    optimizer.apply([keras.ops.array([1.0, -1.0])], [variable])
    assert float(variable[0]) < 1 and float(variable[1]) > -2


def test_momentum_and_weight_decay_arrive():
    optimizer = make_optimizer(
        RECIPE.replace(optimizer="sgd", momentum=0.9, nesterov=True, weight_decay=0.01), 20
    )
    assert (optimizer.momentum, optimizer.nesterov, optimizer.weight_decay) == (0.9, True, 0.01)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_is_cross_entropy_of_smoothed_labels(smoothing, reduction):
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(5, 4)).astype(np.float32)
    labels = generator.integers(0, 4, 5)
    target = np.eye(4)[labels] * (1 - smoothing) + smoothing / 4
    log_softmax = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    each = -(target * log_softmax).sum(1)
    loss = make_loss(RECIPE.replace(label_smoothing=smoothing, loss_reduction=reduction))
    assert float(loss(labels, logits)) == pytest.approx(getattr(each, reduction)(), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_clipped_probabilities_leave_images_that_are_far_off_without_gradient(smoothing, reduction):
    logits = np.float32([[0, 1, 2], [30, 0, -30], [2, 1, 0]])
    labels, epsilon = np.array([0, 2, 1]), 1e-4
    recipe = RECIPE.replace(
        loss_epsilon=epsilon, label_smoothing=smoothing, loss_reduction=reduction
    )
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    target = np.eye(3)[labels] * (1 - smoothing) + smoothing / 3
    each = -(target * np.log(softmax.clip(epsilon, 1 - epsilon))).sum(1)
    with tf.GradientTape() as tape:
        predicted = tf.Variable(logits)
        loss = make_loss(recipe)(labels, predicted)
    assert float(loss) == pytest.approx(getattr(each, reduction)(), rel=1e-5)
    gradient = np.asarray(tape.gradient(loss, predicted))
    assert np.abs(gradient[1]).max() < 1e-6 < 0.1 < np.abs(gradient[[0, 2]]).max(axis=1).min()
    plain = make_loss(RECIPE.replace(loss_reduction=reduction))(labels, logits)
    assert float(plain) > float(loss) + 5


def test_penalties_are_of_kernels_only():
    model = create_model("toy_cnn", initialization="sugomori")
    add_kernel_penalties(model, RECIPE.replace(l1=0.1, l2=0.01))
    kernels = [np.array(v) for v in model.weights if v.path.endswith("kernel")]
    assert len(kernels) == 4
    expected = sum(0.1 * np.abs(k).sum() + 0.01 * (k**2).sum() for k in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)
    assert math.isfinite(expected)
