"""Partial passes against whole ones, on networks that look at their images in many ways."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnkit import explain
from cnnkit.explain.exact_crops import Windows, exact_cuts
from cnnkit.explain.occluding import patches
from cnnkit.explain.partial_pass import plan
from cnnkit.models import load_without_top
from cnnkit.visualize import channel
from cnnkit.visualize.network import ActivationModel

L = keras.layers
SIZE = (45, 38)


def conv(filters=6, kernel: int | tuple[int, int] = 3, **options):
    return L.Conv2D(filters, kernel, **{"padding": "same", "activation": "relu"} | options)


def residual(x):
    x = conv(strides=2)(x)
    inner = conv(activation=None, use_bias=False)(conv()(x))
    inner = L.BatchNormalization()(inner)
    x = L.Add()([inner, x])
    return conv(12)(L.ReLU()(L.ZeroPadding2D(((1, 2), (0, 3)))(x)))


def inception(x):
    x = L.MaxPooling2D(3, strides=2, padding="same")(conv(kernel=7)(x))
    pooled = conv(2, 1)(L.MaxPooling2D(3, strides=1, padding="same")(x))
    x = L.Concatenate()([conv(4, 5)(conv(2, 1)(x)), pooled, conv(3, 1)(x)])
    return conv(strides=2)(L.AveragePooling2D(3, strides=1, padding="same")(x))


def uneven(x):
    """Rows and columns are treated differently, and strides leave something over."""
    x = conv(4, (3, 5), strides=(3, 2), padding="valid")(x)
    x = L.Cropping2D(((1, 0), (2, 1)))(x)
    x = conv(4, (2, 4), dilation_rate=(2, 1))(x)
    return L.MaxPooling2D((2, 3), strides=(1, 2), padding="valid")(x)


def gaps(x):
    """Some pixels are seen by no value."""
    return conv()(conv(4, (3, 2), strides=3)(x))


def small_again(x):
    """Enlarged and shrunk: between two cuts values do not lie at even distances."""
    x = L.UpSampling2D(2, interpolation="bilinear")(conv(strides=2)(x))
    x = L.Conv2DTranspose(4, 3, strides=2, padding="same")(x)
    return conv(strides=2)(L.AveragePooling2D(2)(x))


def per_pixel_mean(x):
    mean = np.random.default_rng(0).uniform(100, 150, (*SIZE, 3))
    x = L.Normalization(axis=(1, 2, 3), mean=mean, variance=np.full_like(mean, 90))(x)
    return conv()(x)


def gated(x):
    x = conv(strides=2)(x)
    gate = L.Dense(6, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    return conv()(L.Multiply()([x, gate]))


def resized(x):
    return conv()(L.Resizing(30, 30)(x))


def separable(x):
    x = L.SeparableConv2D(6, 5, strides=2, padding="same")(x)
    x = L.PReLU(shared_axes=(1, 2))(L.DepthwiseConv2D(3)(x))
    return conv()(L.Dense(8)(x) * 2)


# How a network goes on, and the size of the last maps up to which crops are exact.
NETWORKS = {
    residual: (26, 22),
    inception: (12, 10),
    uneven: (15, 17),
    gaps: (15, 13),
    small_again: (23, 19),
    separable: (21, 17),
    per_pixel_mean: SIZE,
    resized: SIZE,
    gated: (23, 19),
}


def network(build):
    keras.utils.set_random_seed(0)
    image = keras.Input((*SIZE, 3))
    x = L.GlobalMaxPooling2D()(build(L.Rescaling(1 / 128, offset=-1)(image)))
    model = keras.Model(image, L.Dense(4)(x))
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            layer.moving_mean.assign(np.linspace(-1, 1, layer.moving_mean.shape[0]))
    return model


def image_of(shape):
    return np.random.default_rng(1).uniform(0, 255, (1, *shape)).astype(np.float32)


def occluded(value, image, patch, stride):
    """The same map by whole passes, from a function of images."""
    squares = patches(image.shape[1:3], patch, stride)
    hidden = np.repeat(image, len(squares) + 1, 0)
    for copy, square in zip(hidden, squares, strict=False):
        copy[square] = 127.5
    values = np.concatenate([value(part) for part in np.array_split(hidden, -(-len(hidden) // 8))])
    total, count = np.zeros(image.shape[1:3]), np.zeros(image.shape[1:3])
    for fall, square in zip(values[-1] - values[:-1], squares, strict=True):
        total[square] += fall
        count[square] += 1
    return total / count


def mean_of_channel(model, images, number):
    return model(images).numpy()[..., number].mean((1, 2))


@pytest.mark.parametrize("build", NETWORKS)
def test_scores_are_those_of_whole_passes(build):
    model, image = network(build), image_of((*SIZE, 3))
    assert exact_cuts(ActivationModel(model, [""]))[-1].size == NETWORKS[build]
    maps = explain.occlusion(model, image, 2, patch=7, stride=5)
    expected = occluded(lambda x: model(x).numpy()[:, 2], image, 7, 5)
    np.testing.assert_allclose(maps[0], expected, atol=1e-4 * np.abs(expected).max())


def test_a_unit_within_the_network_can_be_the_target():
    """The squares are larger than the image is wide."""
    model, image = network(residual), image_of((*SIZE, 3))
    layer = next(layer for layer in model.layers if isinstance(layer, L.Add))
    inner = keras.Model(model.input, layer.output)
    maps = explain.occlusion(model, image, channel(layer.name, 1), patch=41, stride=40)
    expected = occluded(lambda x: mean_of_channel(inner, x, 1), image, 41, 40)
    np.testing.assert_allclose(maps[0], expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v2", "vgg16"])
def test_classic_networks_are_passed_in_stages(name):
    model = load_without_top(name, weights=None, size=64, seed=0)
    image, target = image_of((64, 64, 3)), channel(model.layers[-1].name, 3)
    windows = Windows(np.array([[24, 40]]), (24, 24))
    assert len(plan(ActivationModel(model, target.layers), windows).stages) > 1
    maps = explain.occlusion(model, image, target, patch=24, stride=24)
    expected = occluded(lambda x: mean_of_channel(model, x, 3), image, 24, 24)
    np.testing.assert_allclose(maps[0], expected, atol=1e-4 * np.abs(expected).max())
