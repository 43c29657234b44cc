from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from cnnkit.concepts.convolution import convolve, convolve_back, kernel_slope, windows


@pytest.fixture(params=[1, 3, 5])
def numbers(request):
    generator = np.random.default_rng(request.param)
    size = request.param
    return (
        generator.normal(size=(2, 6, 7, 3)),
        generator.normal(size=(size, size, 3, 4)),
        generator.normal(size=(2, 6, 7, 4)),
    )


def test_the_convolution_is_keras_own(numbers):
    import keras

    stack, kernel, _ = numbers
    layer = keras.layers.Conv2D(
        4, len(kernel), padding="same", use_bias=False, dtype="float64", name="other_opinion"
    )
    layer.build(stack.shape)
    layer.set_weights([kernel])
    assert convolve(stack, kernel) == pytest.approx(np.asarray(layer(stack)))


def test_both_gradients_are_those_of_a_gradient_tape(numbers):
    stack, kernel, slope = numbers
    x, w = tf.Variable(tf.constant(stack)), tf.Variable(tf.constant(kernel))
    with tf.GradientTape() as tape:
        score = tf.reduce_sum(tf.nn.conv2d(x, w, 1, "SAME") * slope)
    by_input, by_kernel = tape.gradient(score, [x, w])
    assert convolve_back(slope, kernel) == pytest.approx(np.asarray(by_input))
    seen = windows(stack, len(kernel))
    assert kernel_slope(seen, slope, kernel) == pytest.approx(np.asarray(by_kernel))
