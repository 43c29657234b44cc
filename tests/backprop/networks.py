"""Small networks of NumPy layers for the tests."""

from __future__ import annotations

import numpy as np

from cnnkit.backprop import Dense, Flatten, NumpyModel, gradcheck

CLASSES = 3
DTYPES = ("float32", "float64")


def network_of(*layers, shape, dtype="float64", seed=0) -> NumpyModel:
    """Some layers, then flattening and a dense layer that is made to fit."""
    generator = np.random.default_rng(seed)
    flat = [] if any(isinstance(layer, Flatten) for layer in layers) else [Flatten("flatten")]
    size = output_size([*layers, *flat], shape)
    kernel = generator.normal(0, 0.3, (size, CLASSES))
    return NumpyModel([*layers, *flat, Dense("logits", kernel, np.zeros(CLASSES))], shape, dtype)


def output_size(layers, shape) -> int:
    x = np.zeros((1, *shape))
    for layer in layers:
        x = layer.forward(x)
    return x.shape[-1]


def random_images(shape, count=2, seed=0):
    """Numbers around zero, no two alike, and a label for each image."""
    generator = np.random.default_rng(seed)
    return generator.normal(0, 1, (count, *shape)), generator.integers(0, CLASSES, count)


def assert_right(network: NumpyModel, shape, seed=0, probes=2) -> None:
    """Every gradient is TensorFlow's, and what central differences say."""
    report = gradcheck(network, *random_images(shape, seed=seed), probes=probes, seed=seed)
    assert report.worst <= report.tolerance, report
    assert report.worst_difference < 1e-5, report
