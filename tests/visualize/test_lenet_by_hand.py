"""The activations of LeNet, computed a second time by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate2d

from cnnkit.models import create_model
from cnnkit.visualize.layer_activations import ActivationReader


@pytest.fixture(scope="module")
def lenet():
    model = create_model("lenet_tutorial", seed=1)
    generator = np.random.default_rng(1)
    # Biases and the last layer begin with zeros: with other numbers they cannot hide a fault.
    for layer in model.layers:
        if layer.get_weights():
            kernel, bias = layer.get_weights()
            bias = generator.normal(0, 0.1, bias.shape)
            layer.set_weights([kernel + generator.normal(0, 0.02, kernel.shape), bias])
    return model


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(2).integers(0, 256, (2, 28, 28, 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def answers(lenet, images):
    reader = ActivationReader(lenet, images.shape[1:])
    return [reader(image) for image in images]


def convolved(maps, layer):
    kernel, bias = layer.get_weights()
    return np.stack(
        [
            sum(
                correlate2d(maps[..., c], kernel[..., c, f], mode="valid")
                for c in range(maps.shape[-1])
            )
            + bias[f]
            for f in range(kernel.shape[-1])
        ],
        axis=-1,
    )


def pooled(maps):
    height, width, channels = maps.shape
    return maps.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))


def test_every_layer_of_lenet_equals_a_computation_by_hand(lenet, images, answers):
    for image, found in zip(images, answers, strict=True):
        maps = image.astype(np.float64) / 255
        for block in (1, 2):
            maps = convolved(maps, lenet.get_layer(f"block{block}_conv1"))
            np.testing.assert_allclose(found[f"block{block}_conv1"], maps, atol=2e-5)
            maps = pooled(maps)
            np.testing.assert_allclose(found[f"block{block}_pool"], maps, atol=2e-5)
            maps = np.tanh(maps)
            np.testing.assert_allclose(found[f"block{block}_activation"], maps, atol=2e-5)
        row = maps.ravel()
        np.testing.assert_allclose(found["flatten"], row, atol=2e-5)
        kernel, bias = lenet.get_layer("fc1").get_weights()
        row = np.tanh(row @ kernel + bias)
        np.testing.assert_allclose(found["fc1_activation"], row, atol=5e-5)
        kernel, bias = lenet.get_layer("logits").get_weights()
        np.testing.assert_allclose(found["logits"], row @ kernel + bias, atol=1e-4)


def test_bias_and_activation_before_or_after_pooling_make_no_difference(lenet, images):
    before = create_model("lenet_tutorial", activation_position="before pooling")
    before.set_weights(lenet.get_weights())
    np.testing.assert_allclose(lenet(images), before(images), atol=1e-4)
