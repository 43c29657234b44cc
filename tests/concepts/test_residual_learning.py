from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import uniform_filter

from cnnkit.concepts.residual import (
    ResidualBlock,
    chain,
    feature_maps,
    gradient_norms,
    input_gradient,
    squared_error,
    squared_error_gradient,
    target_maps,
    train_block,
)
from cnnkit.datasets import load_dataset


@pytest.fixture(scope="module")
def stack():
    return feature_maps(load_dataset("digits").part("train")[0][:4])


def _fitted(shortcut, stack, *, decay, task="sharper", outputs=4, **how):
    return train_block(
        ResidualBlock.initialize(shortcut, maps=4, outputs=outputs, seed=2),
        stack,
        target_maps(stack, task, outputs),
        decay=decay,
        steps=120,
        learning_rate=1.0,
        **how,
    )


def test_the_maps_are_those_of_a_digit_and_never_negative(stack):
    assert stack.shape == (4, 12, 12, 4)
    assert stack.min() == 0
    assert all(0.5 < largest < 1.5 for largest in stack.max(axis=(0, 1, 2)))


def test_sharper_adds_half_of_what_a_pixel_has_more_than_its_surroundings(stack):
    one = stack[0, ..., 2]
    expected = np.maximum(one + 0.5 * (one - uniform_filter(one, 3, mode="constant")), 0)
    assert target_maps(stack, "sharper", 4)[0, ..., 2] == pytest.approx(expected)


def test_more_maps_hold_the_mean_and_the_largest(stack):
    target = target_maps(stack, "unchanged", 6)
    assert np.array_equal(target[..., :4], stack)
    assert target[..., 4] == pytest.approx(stack.mean(axis=-1))
    assert target[..., 5] == pytest.approx(stack.max(axis=-1))


def test_an_unknown_task_lists_those_there_are(stack):
    with pytest.raises(ValueError, match="sharper"):
        target_maps(stack, "blurred", 4)


@pytest.mark.parametrize("shortcut", ["plain", "identity", "fixed", "trained"])
def test_every_block_learns_without_l2(stack, shortcut):
    losses = _fitted(shortcut, stack, decay=0).losses
    assert losses[-1] < 0.7 * losses[0]


def test_a_step_is_gradient_descent_with_l2(stack):
    target = target_maps(stack, "sharper", 4)
    start = ResidualBlock.initialize("identity", maps=4, outputs=4, seed=2)
    first = tf.Variable(tf.constant(start.first))
    with tf.GradientTape() as tape:
        hidden = tf.nn.relu(tf.nn.conv2d(stack, first, 1, "SAME"))
        output = tf.nn.relu(tf.nn.conv2d(hidden, start.second, 1, "SAME") + stack)
        error = tf.reduce_mean(tf.reduce_sum(tf.square(output - target), axis=-1)) / 2
        score = error + 0.03 / 2 * tf.reduce_sum(tf.square(first))
    expected = start.first - 0.5 * np.asarray(tape.gradient(score, first))
    found = train_block(start, stack, target, decay=0.03, steps=1, learning_rate=0.5)
    assert found.blocks[1].first == pytest.approx(expected)
    assert found.losses[0] == pytest.approx(float(error))


def test_strong_l2_makes_the_residual_block_the_identity_exactly(stack):
    block = _fitted("identity", stack, decay=1.0).blocks[-1]
    assert block.norm == 0
    assert np.array_equal(block.forward(stack).output, stack)
    target = target_maps(stack, "sharper", 4)
    assert np.linalg.norm(input_gradient(block, stack, target)) > 0


def test_strong_l2_kills_the_plain_block_and_its_gradient(stack):
    block = _fitted("plain", stack, decay=1.0).blocks[-1]
    assert block.forward(stack).output.max() < 1e-12
    target = target_maps(stack, "sharper", 4)
    assert np.linalg.norm(input_gradient(block, stack, target)) < 1e-12


@pytest.mark.parametrize("outputs", [4, 6])
def test_strong_l2_leaves_the_fixed_matrix_as_it_was(stack, outputs):
    block = _fitted("fixed", stack, decay=1.0, outputs=outputs).blocks[-1]
    assert np.array_equal(
        block.matrix, ResidualBlock.initialize("fixed", maps=4, outputs=outputs, seed=2).matrix
    )
    assert block.forward(stack).output == pytest.approx(stack @ block.matrix)


def test_a_trained_matrix_dies_only_where_l2_pulls_on_it_too(stack):
    spared = _fitted("trained", stack, decay=1.0).blocks[-1]
    pulled = _fitted("trained", stack, decay=1.0, decay_shortcut=True).blocks[-1]
    assert np.linalg.norm(pulled.matrix) < 0.1 * np.linalg.norm(spared.matrix)
    target = target_maps(stack, "sharper", 4)
    dead = squared_error(np.zeros_like(target), target)
    assert squared_error(pulled.forward(stack).output, target) > 0.8 * dead
    assert squared_error(spared.forward(stack).output, target) < 0.4 * dead


def test_more_l2_means_shorter_weights_and_an_output_nearer_to_the_shortcut(stack):
    paths = [_fitted("identity", stack, decay=decay) for decay in (0.001, 0.01, 0.1, 1.0)]
    norms = [path.norms[-1] for path in paths]
    assert norms == sorted(norms, reverse=True)
    assert paths[-1].distances[-1] == 0 < paths[0].distances[-1]


@pytest.mark.parametrize("shortcut", ["plain", "identity"])
def test_the_gradient_through_a_chain_is_that_of_a_gradient_tape(stack, shortcut):
    blocks = chain(shortcut, 5, maps=4, scale=0.5)
    x = tf.constant(stack)
    target = target_maps(stack, "sharper", 4)
    places = [x]
    with tf.GradientTape() as tape:
        tape.watch(x)
        for block in blocks:
            x = places[-1]
            hidden = tf.nn.relu(tf.nn.conv2d(x, block.first, 1, "SAME"))
            branch = tf.nn.conv2d(hidden, block.second, 1, "SAME")
            places.append(tf.nn.relu(branch + x if shortcut == "identity" else branch))
        error = tf.square(places[-1] - target)
        score = tf.reduce_mean(tf.reduce_sum(error, axis=-1)) / 2
    norms = [np.linalg.norm(np.asarray(g)) for g in reversed(tape.gradient(score, places))]
    found = gradient_norms(blocks, stack, target)
    assert found == pytest.approx(np.array(norms) / norms[0])


def test_small_weights_starve_a_plain_chain_and_not_a_residual_one(stack):
    target = target_maps(stack, "sharper", 4)
    plain, residual = (
        gradient_norms(chain(kind, 30, maps=4, scale=0.25), stack, target)
        for kind in ("plain", "identity")
    )
    assert plain[-1] < 1e-15
    assert 0.3 < residual[-1] < 3


def test_without_an_error_there_is_nothing_to_send_back(stack):
    blocks = chain("identity", 3, maps=4, scale=0)
    assert not gradient_norms(blocks, stack, stack).any()
    assert not squared_error_gradient(stack, stack).any()
