from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnnkit.concepts.residual import SHORTCUTS, ResidualBlock, squared_error_gradient

STACKS = arrays(np.float64, (1, 5, 4, 3), elements=st.floats(0, 2, width=32))


def _some(shortcut, outputs=3):
    generator = np.random.default_rng(7)
    block = ResidualBlock.initialize(shortcut, maps=3, outputs=outputs, seed=3)
    stack = np.maximum(generator.normal(size=(2, 6, 5, 3)), 0)
    return block, stack, np.abs(generator.normal(size=(2, 6, 5, outputs)))


def _in_tensorflow(block, stack, first, second, matrix):
    hidden = tf.nn.relu(tf.nn.conv2d(stack, first, 1, "SAME"))
    total = tf.nn.conv2d(hidden, second, 1, "SAME")
    if block.shortcut == "identity":
        total += stack
    elif block.shortcut != "plain":
        total += tf.nn.conv2d(stack, matrix[None, None], 1, "SAME")
    return tf.nn.relu(total)


@pytest.mark.parametrize(
    ("shortcut", "outputs"),
    [(name, 3) for name in SHORTCUTS] + [(name, 5) for name in SHORTCUTS if name != "identity"],
)
def test_gradients_are_those_of_a_gradient_tape(shortcut, outputs):
    block, stack, target = _some(shortcut, outputs)
    variables = [
        tf.Variable(tf.constant(a)) for a in (stack, block.first, block.second, block.matrix)
    ]
    with tf.GradientTape() as tape:
        error = tf.square(_in_tensorflow(block, *variables) - target)
        score = tf.reduce_mean(tf.reduce_sum(error, axis=-1)) / 2
    expected = tape.gradient(score, variables)
    way = block.forward(stack)
    found = block.backward(way, squared_error_gradient(way.output, target))
    assert found.input == pytest.approx(np.asarray(expected[0]))
    assert found.first == pytest.approx(np.asarray(expected[1]))
    assert found.second == pytest.approx(np.asarray(expected[2]))
    if shortcut == "trained":
        assert found.matrix == pytest.approx(np.asarray(expected[3]))
    else:
        assert not found.matrix.any()


@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_the_forward_pass_is_that_of_keras_layers(shortcut):
    block, stack, _ = _some(shortcut)

    def layer(kernel, activation=None):
        found = keras.layers.Conv2D(
            3, len(kernel), padding="same", use_bias=False, activation=activation, dtype="float64"
        )
        found.build((None, 6, 5, 3))
        found.set_weights([kernel])
        return found

    total = layer(block.second)(layer(block.first, "relu")(stack))
    if shortcut == "identity":
        total = keras.layers.Add(dtype="float64")([stack, total])
    elif shortcut != "plain":
        around = layer(block.matrix[None, None])(stack)
        total = keras.layers.Add(dtype="float64")([around, total])
    assert block.forward(stack).output == pytest.approx(np.maximum(np.asarray(total), 0))


@settings(deadline=None)
@given(STACKS)
def test_with_zero_weights_the_identity_skip_gives_the_input_exactly(stack):
    block = ResidualBlock.initialize("identity", maps=3, outputs=3).zeroed
    way = block.forward(stack)
    assert np.array_equal(way.output, stack)
    # And what is sent back arrives wherever the input was not zero.
    assert np.array_equal(block.backward(way, np.ones_like(stack)).input, (stack > 0) * 1.0)


@settings(deadline=None)
@given(STACKS)
def test_with_zero_weights_a_plain_block_gives_nothing_and_sends_nothing_back(stack):
    block = ResidualBlock.initialize("plain", maps=3, outputs=3).zeroed
    way = block.forward(stack)
    assert not way.output.any()
    assert not block.backward(way, np.ones_like(stack)).input.any()


@settings(deadline=None)
@given(STACKS, st.sampled_from(["fixed", "trained"]))
def test_with_zero_weights_a_matrix_is_all_that_is_left(stack, shortcut):
    block = ResidualBlock.initialize(shortcut, maps=3, outputs=5).zeroed
    assert block.forward(stack).output == pytest.approx(np.maximum(stack @ block.matrix, 0))


def test_an_identity_cannot_change_the_number_of_maps():
    with pytest.raises(ValueError, match="maps=3, outputs=5"):
        ResidualBlock.initialize("identity", maps=3, outputs=5)


def test_an_unknown_shortcut_lists_those_there_are():
    with pytest.raises(ValueError, match="plain"):
        ResidualBlock.initialize("detour", maps=3, outputs=3)


def test_equal_seeds_give_equal_convolutions_whatever_the_shortcut():
    plain, identity = (
        ResidualBlock.initialize(name, maps=3, outputs=3, seed=4) for name in SHORTCUTS[:2]
    )
    assert np.array_equal(plain.first, identity.first)
    assert np.array_equal(plain.second, identity.second)
    assert plain.norm == identity.norm > 0


def test_branch_and_shortcut_add_up_to_the_output():
    block, stack, _ = _some("identity")
    way = block.forward(stack)
    assert np.array_equal(way.shortcut, stack)
    assert np.array_equal(way.output, np.maximum(way.branch + way.shortcut, 0))
