"""Every layer's gradients are TensorFlow's: any shape, stride and padding, both precisions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.backprop import (
    AveragePooling,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    MaxPooling,
    ReLU,
    Scaling,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    ZeroPadding,
    relative_error,
)
from cnnkit.backprop.windows import Grid
from tests.backprop.networks import DTYPES, assert_right, network_of, random_images

few = settings(max_examples=20, deadline=None, derandomize=True)
sides = st.tuples(st.integers(4, 9), st.integers(4, 9))
sizes = st.tuples(st.integers(1, 4), st.integers(1, 4))
steps = st.tuples(st.integers(1, 3), st.integers(1, 3))
paddings = st.sampled_from(("valid", "same"))
seeds = st.integers(0, 99)
either = pytest.mark.parametrize("dtype", DTYPES)


def convolution(size, channels, filters, seed, bias=True, **how):
    generator = np.random.default_rng(seed)
    kernel = generator.normal(0, 0.5, (*size, channels, filters))
    return Convolution("conv", kernel, generator.normal(0, 1, filters) if bias else None, **how)


@either
@few
@given(sides, sizes, steps, paddings, st.integers(1, 3), seeds, st.booleans())
def test_convolution(dtype, side, size, strides, padding, channels, seed, bias):
    shape = (*side, channels)
    layer = convolution(size, channels, 2, seed, bias, strides=strides, padding=padding)
    assert_right(network_of(layer, shape=shape, dtype=dtype, seed=seed), shape, seed)


@either
@pytest.mark.parametrize("kind", [MaxPooling, AveragePooling])
@few
@given(sides, sizes, steps, paddings, seeds)
def test_pooling(kind, dtype, side, size, strides, padding, seed):
    shape = (*side, 2)
    layer = kind("pool", size, strides=strides, padding=padding)
    assert_right(network_of(layer, shape=shape, dtype=dtype, seed=seed), shape, seed)


@either
@pytest.mark.parametrize("kind", [ReLU, Tanh, Sigmoid])
def test_activations(kind, dtype):
    shape = (5, 4, 2)
    layers = convolution((3, 2), 2, 3, 0), kind("curve")
    assert_right(network_of(*layers, shape=shape, dtype=dtype), shape)


@either
def test_the_small_layers(dtype):
    shape = (4, 5, 2)
    layers = (
        Scaling("scaling", np.array([0.5, 2.0]), np.array([1.0, -1.0])),
        ZeroPadding("margin", ((1, 0), (2, 3))),
        convolution((2, 2), 2, 2, 1),
        Flatten("flatten"),
        Dense("fc1", np.random.default_rng(1).normal(size=(72, 4)), np.ones(4)),
        Tanh("fc1_activation"),
        Dense("fc2", np.random.default_rng(2).normal(size=(4, 4))),
        Dropout("dropout", 0.5),
    )
    assert_right(network_of(*layers, shape=shape, dtype=dtype), shape)


@few
@given(sides, sizes, steps, paddings, seeds)
def test_bordered_deltas_under_flipped_kernels_are_what_a_convolution_passes_back(
    side, size, strides, padding, seed
):
    layer = convolution(size, 2, 3, seed, strides=strides, padding=padding)
    if 0 in layer.grid((*side, 2)).steps:
        return
    layer.forward(np.random.default_rng(seed).normal(size=(2, *side, 2)))
    delta = np.random.default_rng(seed + 1).normal(size=layer.output.shape)
    bordered = layer.grid((*side, 2)).bordered(delta)
    windows = np.lib.stride_tricks.sliding_window_view(bordered, layer.size, axis=(1, 2))
    expected = np.einsum("nhwoab,aboc->nhwc", windows, layer.flipped)
    assert np.allclose(layer.backward(delta), expected, atol=1e-12)


def test_the_border_is_one_less_than_the_kernel():
    grid = Grid.over((5, 5), (2, 2), (1, 1), "valid")
    assert grid.border == ((1, 1), (1, 1)) and grid.steps == (4, 4)
    assert Grid.over((5, 5), (3, 3), (1, 1), "valid").border == ((2, 2), (2, 2))


def test_max_pooling_returns_each_delta_to_the_pixel_it_chose_and_zero_to_the_others():
    layer = MaxPooling("pool", 2)
    x = np.array([[1, 5, 2, 2], [0, 3, 2, 2]], float)[np.newaxis, ..., np.newaxis]
    assert layer.forward(x)[0, 0, :, 0].tolist() == [5, 2]
    assert layer.argmax[0, 0, :, 0].tolist() == [1, 0]  # of equal ones the first
    back = layer.backward(np.array([7.0, 9.0]).reshape(1, 1, 2, 1))
    assert back[0, ..., 0].tolist() == [[0, 7, 9, 0], [0, 0, 0, 0]]


def test_dropout_sends_deltas_through_the_mask_it_used():
    layer = Dropout("dropout", 0.25, seed=3)
    x = np.ones((40, 50))
    y = layer.forward(x, training=True)
    assert set(np.unique(y.round(6))) == {0, 1.333333} and 0.2 < (y == 0).mean() < 0.3
    assert np.array_equal(layer.backward(x), y)
    assert np.array_equal(layer.forward(x), x) and np.array_equal(layer.backward(x), x)


@either
def test_the_loss_is_tensorflows_and_huge_logits_do_not_overflow(dtype):
    import tensorflow as tf

    logits = np.array([[1, 2, 3], [800, -800, 0], [0, 0, 0]], dtype)
    labels = np.array([2, 1, 0])
    loss = SoftmaxCrossEntropy()
    with tf.GradientTape() as tape:
        z = tf.constant(logits)
        tape.watch(z)
        theirs = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, z))
    assert loss.forward(logits, labels) == pytest.approx(float(theirs), rel=1e-6)
    assert relative_error(loss.backward(), tape.gradient(theirs, z).numpy()) < 1e-6


def test_gradients_are_summed_over_the_images_of_a_batch():
    shape = (5, 5, 1)
    network = network_of(convolution((2, 2), 1, 2, 0), shape=shape)
    images, labels = random_images(shape, count=3)
    network.forward(images, labels)
    network.backward()
    together = network["conv"].gradients["kernel"]
    apart = 0
    for i in range(3):
        network.forward(images[i : i + 1], labels[i : i + 1])
        network.backward()
        apart = apart + network["conv"].gradients["kernel"]
    assert np.allclose(together, apart / 3)
