"""Gradient norms against the chain rule by hand and against differences."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit.models import create_model
from cnnkit.training import gradient_norms


def batch(shape, classes, number=6, seed=0):
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (number, *shape), np.uint8)
    return images, generator.integers(0, classes, number)


def cross_entropy(logits, labels):
    logits = np.asarray(logits, np.float64)
    highest = logits.max(axis=1, keepdims=True)
    log_sum = highest[:, 0] + np.log(np.exp(logits - highest).sum(axis=1))
    return np.mean(log_sum - logits[np.arange(len(labels)), labels])


def test_softmax_regression_has_the_gradient_of_the_textbook():
    model = create_model("softmax_regression")
    images, labels = batch((28, 28, 1), 10)
    x, y = images.reshape(6, -1) / 255, np.eye(10)[labels]
    # All weights are zero: every class has a tenth.
    expected = np.linalg.norm(x.T @ (np.full((6, 10), 0.1) - y) / 6)
    assert gradient_norms(model, images, labels) == {"logits": pytest.approx(expected, rel=1e-5)}


def test_differences_give_the_same_norms():
    """Small steps of every weight, in double precision, with the batch's own normalization."""
    image = keras.Input((4, 4, 1), dtype="float64")
    layers = keras.layers
    x = layers.Conv2D(2, 3, dtype="float64", name="conv")(image)
    x = layers.BatchNormalization(dtype="float64", name="bn")(x)
    x = layers.Activation("tanh", dtype="float64", name="tanh")(x)
    x = layers.Flatten(dtype="float64", name="flatten")(x)
    model = keras.Model(image, layers.Dense(3, dtype="float64", name="logits")(x))
    images, labels = batch((4, 4, 1), 3)
    images = images / 255
    norms = gradient_norms(model, images, labels)
    assert list(norms) == ["conv", "logits"]
    for name, norm in norms.items():
        kernel = model.get_layer(name).kernel
        assert norm == pytest.approx(np.linalg.norm(_differences(model, kernel, images, labels)))


def _differences(model, kernel, images, labels, step=1e-5):
    values = np.array(kernel)
    slopes = np.empty_like(values)
    for place in np.ndindex(values.shape):
        losses = []
        for sign in (1, -1):
            changed = values.copy()
            changed[place] += sign * step
            kernel.assign(changed)
            losses.append(cross_entropy(model(images, training=True), labels))
        slopes[place] = (losses[0] - losses[1]) / (2 * step)
    kernel.assign(values)
    return slopes


def test_nothing_of_the_network_changes():
    model = create_model("resnet_digits", depth=8, width=4)
    before = [np.array(variable) for variable in model.variables]
    gradient_norms(model, *batch((28, 28, 1), 10))
    assert all((a == np.array(b)).all() for a, b in zip(before, model.variables, strict=True))


def test_auxiliary_classifiers_add_to_the_gradient_of_what_lies_before_them():
    options = {"input_shape": (14, 14, 1), "seed": 1}
    data = batch((14, 14, 1), 10)
    with_them, without = (
        gradient_norms(create_model("googlenet_digits", auxiliary=on, **options), *data)
        for on in (True, False)
    )
    assert with_them["conv1"] != pytest.approx(without["conv1"], rel=1e-3)
    assert with_them["inception_5b_1x1"] == pytest.approx(without["inception_5b_1x1"], rel=1e-4)
    assert "auxiliary1_conv" in with_them


def test_layers_that_do_not_learn_are_left_out():
    model = create_model("toy_cnn", learn="dense layers", initialization="sugomori")
    assert list(gradient_norms(model, *batch((12, 12, 1), 3))) == ["fc1", "logits"]
