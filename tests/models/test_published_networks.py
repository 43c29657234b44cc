"""The seeds' networks: sizes and initial weights as their authors published them."""

import math

import numpy as np
import pytest

from cnnkit.models import create_model, model_info


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("softmax_regression", 7_850),
        ("mlp_tutorial", 397_510),
        ("lenet_tutorial", 431_080),
        ("deep_mnist", 3_274_634),
        ("keras_mnist_cnn", 437_482),
        ("toy_cnn", 2_603),
    ],
)
def test_parameter_counts_are_the_published_ones(name, parameters):
    assert model_info(name).parameters == create_model(name).count_params() == parameters


def uniform_bound(kernel):
    """Bound of a uniform distribution from its standard deviation."""
    return kernel.std() * math.sqrt(3)


def test_lenet_starts_as_in_the_tutorial():
    model = create_model("lenet_tutorial", seed=23455)
    first, second = (model.get_layer(f"block{i}_conv1") for i in (1, 2))
    # fan_in + fan_out / pool: 1·25 + 20·25/4, and 20·25 + 50·25/4.
    assert uniform_bound(np.array(first.kernel)) == pytest.approx(math.sqrt(6 / 150), rel=0.1)
    assert uniform_bound(np.array(second.kernel)) == pytest.approx(math.sqrt(6 / 812.5), rel=0.02)
    assert np.abs(second.kernel).max() <= math.sqrt(6 / 812.5)
    assert uniform_bound(np.array(model.get_layer("fc1").kernel)) == pytest.approx(
        math.sqrt(6 / 1300), rel=0.01
    )
    assert not np.array(model.get_layer("logits").kernel).any()


def test_bias_and_activation_before_or_after_pooling_are_the_same_for_max_pooling():
    images = np.random.default_rng(0).integers(0, 256, (8, 28, 28, 1), np.uint8)
    for activation in ("tanh", "relu"):
        after, before = (
            create_model(
                "lenet_tutorial", seed=1, activation=activation, activation_position=position
            )
            for position in ("after pooling", "before pooling")
        )
        # The last layer starts at zero; any weights will do to see a difference.
        kernel = np.random.default_rng(1).normal(size=(500, 10))
        for model in (after, before):
            model.get_layer("logits").kernel.assign(kernel)
            model.get_layer("block1_conv1").bias.assign(np.linspace(-0.3, 0.3, 20))
        np.testing.assert_allclose(after(images), before(images), rtol=1e-4, atol=1e-5)


def test_deep_mnist_starts_from_cut_noise_and_positive_biases():
    model = create_model("deep_mnist")
    kernel = np.array(model.get_layer("fc1").kernel)
    assert np.abs(kernel).max() <= 0.2
    # A normal distribution cut at two deviations has .88 of its deviation.
    assert kernel.std() == pytest.approx(0.088, rel=0.01)
    for name in ("block1_conv1", "block2_conv1", "fc1", "logits"):
        assert np.allclose(model.get_layer(name).bias, 0.1)


def test_the_toy_network_starts_as_behind_the_post():
    model = create_model("toy_cnn")
    first_dense = np.array(model.get_layer("fc1").kernel)
    assert first_dense.shape == (80, 20)
    assert np.abs(first_dense).max() <= 1 / 80
    assert not np.array(model.get_layer("logits").kernel).any()
    assert float(model.get_layer("rescaling").scale) * 255 == pytest.approx(0.5)


def test_only_the_dense_layers_can_learn_alone():
    model = create_model("toy_cnn", learn="dense layers")
    assert {v.path.split("/")[0] for v in model.trainable_variables} == {"fc1", "logits"}
