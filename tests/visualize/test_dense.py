"""A dense layer with a gradient of its own: the same numbers as Keras's."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnkit.visualize.network import Network


@pytest.mark.parametrize("use_bias", [True, False])
def test_answers_and_gradients_are_those_of_the_layer(use_bias):
    image = keras.Input((6, 5, 2))
    x = keras.layers.Flatten()(image)
    x = keras.layers.Dense(7, activation="tanh", use_bias=use_bias, name="hidden")(x)
    x = keras.layers.Dense(3, use_bias=use_bias, name="logits")(x)
    model = keras.Model(image, x)
    images = tf.constant(np.random.default_rng(0).normal(size=(4, 6, 5, 2)), tf.float32)
    ours = Network(model, ("", "hidden"))
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
    np.testing.assert_allclose(Network(model, ("",))(images)[""], model(images), rtol=1e-5)


def test_weights_that_change_later_count():
    image = keras.Input((2, 2, 1))
    model = keras.Model(image, keras.layers.Dense(2, name="logits")(keras.layers.Flatten()(image)))
    ours, images = Network(model, ("",)), tf.ones((1, 2, 2, 1))
    model.get_layer("logits").kernel.assign(tf.fill((4, 2), 3.0))
    np.testing.assert_allclose(ours(images)[""], [[12.0, 12.0]])
