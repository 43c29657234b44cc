"""Faster layers give the outputs and gradients of Keras's own layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnkit.visualize.network import ActivationModel


@pytest.mark.parametrize("use_bias", [True, False])
def test_answers_and_gradients_are_those_of_the_layer(use_bias):
    image = keras.Input((6, 5, 2))
    x = keras.layers.Flatten()(image)
    x = keras.layers.Dense(7, activation="tanh", use_bias=use_bias, name="hidden")(x)
    x = keras.layers.Dense(3, use_bias=use_bias, name="logits")(x)
    model = keras.Model(image, x)
    images = tf.constant(np.random.default_rng(0).normal(size=(4, 6, 5, 2)), tf.float32)
    ours = ActivationModel(model, ("", "hidden"))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(images)
        answer, wanted = ours(images)[""], model(images)
    np.testing.assert_allclose(answer, wanted, rtol=1e-5, atol=1e-6)
    slopes = tape.gradient(answer, images), tape.gradient(wanted, images)
    np.testing.assert_allclose(*slopes, rtol=1e-4, atol=1e-6)


def test_a_dense_layer_along_maps_works_as_it_is():
    image = keras.Input((4, 4, 3))
    model = keras.Model(image, keras.layers.Dense(5, name="along")(image))
    images = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 4, 3)), tf.float32)
    np.testing.assert_allclose(ActivationModel(model, ("",))(images)[""], model(images), rtol=1e-5)


def test_dense_weights_that_change_later_count():
    image = keras.Input((2, 2, 1))
    model = keras.Model(image, keras.layers.Dense(2, name="logits")(keras.layers.Flatten()(image)))
    ours, images = ActivationModel(model, ("",)), tf.ones((1, 2, 2, 1))
    model.get_layer("logits").kernel.assign(tf.fill((4, 2), 3.0))
    np.testing.assert_allclose(ours(images)[""], [[12.0, 12.0]])


def network(**normalization):
    """Convolutions of all kinds, each with normalization that does something."""
    image = keras.Input((20, 20, 3))
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same", name="plain")(image)
    x = keras.layers.BatchNormalization(name="after_plain", **normalization)(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, name="deep")(x)
    x = keras.layers.BatchNormalization(name="after_deep", **normalization)(x)
    x = keras.layers.Conv2D(4, 3, dilation_rate=2, groups=2, activation="relu", name="bent")(x)
    x = keras.layers.BatchNormalization(name="after_bent", **normalization)(x)
    model = keras.Model(image, x)
    generator = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(generator.uniform(0.5, 1.5, weight.shape) * generator.choice([-1, 1]))
        if "variance" in weight.path:
            weight.assign(generator.uniform(0.5, 4, weight.shape))
    return model


@pytest.fixture(scope="module")
def images():
    return tf.constant(np.random.default_rng(1).uniform(0, 255, (2, 20, 20, 3)), tf.float32)


@pytest.mark.parametrize("normalization", [{}, {"scale": False}, {"center": False}])
def test_answers_and_gradients_are_those_of_the_network(normalization, images):
    model = network(**normalization)
    ours = ActivationModel(model, ("",))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(images)
        answer, wanted = ours(images)[""], model(images, training=False)
    np.testing.assert_allclose(answer, wanted, rtol=2e-4, atol=0.05)
    slopes = tape.gradient(answer, images), tape.gradient(wanted, images)
    np.testing.assert_allclose(*slopes, rtol=2e-3, atol=2e-3 * np.abs(slopes[1]).max())


def test_what_follows_an_activation_or_is_looked_at_itself_stays_apart():
    model = network()
    alone = {step.path for step in ActivationModel(model, ("",))._steps}
    assert not alone & {"plain", "deep"} and "bent" in alone
    asked = ActivationModel(model, ("plain", "relu"))
    assert "plain" in {step.path for step in asked._steps}


def test_a_kernel_larger_than_its_maps_stays_apart():
    image = keras.Input((4, 4, 64))
    x = keras.layers.Conv2D(64, 3, name="heavy")(image)
    x = keras.layers.BatchNormalization(name="after")(x)
    steps = ActivationModel(keras.Model(image, x), ("after",))._steps
    assert "heavy" in {step.path for step in steps}


def test_normalization_weights_that_change_later_count(images):
    model = network()
    ours = ActivationModel(model, ("after_plain",))
    before = ours(images)["after_plain"]
    model.get_layer("after_plain").gamma.assign([2.0] * 6)
    after = ours(images)["after_plain"]
    middle = keras.Model(model.input, model.get_layer("after_plain").output)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, middle(images, training=False), rtol=2e-4, atol=0.05)
