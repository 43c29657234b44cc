"""The sum that is written out is the layer's own output, for every kind of convolution."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest

from cnnkit.anatomy.convolution import (
    NOTHING,
    convolution_at,
    effective_kernel,
    is_convolution,
    kernel_places,
)
from cnnkit.errors import IncompatibleError

layers = keras.layers
KINDS = {
    "plain": lambda **how: layers.Conv2D(4, 3, **how),
    "tall": lambda **how: layers.Conv2D(4, (4, 2), activation="relu", **how),
    "groups": lambda **how: layers.Conv2D(6, 3, groups=2, activation="tanh", **how),
    "without bias": lambda **how: layers.Conv2D(4, 5, use_bias=False, **how),
    "depthwise": lambda **how: layers.DepthwiseConv2D(3, depth_multiplier=2, **how),
    "separable": lambda **how: layers.SeparableConv2D(5, 3, depth_multiplier=2, **how),
    "transposed": lambda **how: layers.Conv2DTranspose(4, 3, **how),
    "large transposed": lambda **how: layers.Conv2DTranspose(3, (4, 5), activation="elu", **how),
}
HOWS = {
    "as it is": {},
    "padded": {"padding": "same"},
    "strided": {"strides": 2},
    "strided and padded": {"strides": 2, "padding": "same"},
    "dilated": {"dilation_rate": 2},
    "dilated and padded": {"dilation_rate": 2, "padding": "same"},
    "three steps": {"strides": 3, "padding": "same"},
}


@pytest.fixture(scope="module")
def inputs():
    return np.float32(np.random.default_rng(0).normal(size=(11, 12, 4)))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_value_equals_the_layers_own(inputs, kind, how):
    layer = KINDS[kind](bias_initializer="random_normal", **HOWS[how])
    output = keras.ops.convert_to_numpy(layer(inputs[np.newaxis]))[0]
    assert is_convolution(layer)
    height, width, units = output.shape
    places = itertools.product(
        sorted({0, 1, height // 2, height - 2, height - 1} & set(range(height))),
        sorted({0, 1, width // 2, width - 1} & set(range(width))),
        {0, units // 2, units - 1},
    )
    for row, column, unit in places:
        value = convolution_at(layer, inputs, unit=unit, row=row, column=column)
        assert value.total == pytest.approx(output[row, column, unit], abs=2e-5)
        assert value.by_map.sum() + value.bias == pytest.approx(value.weighted_sum, abs=1e-9)
        assert value.kernel.shape == effective_kernel(layer, unit).shape == value.patch.shape
        met = inputs[np.ix_([max(r, 0) for r in value.rows], [max(c, 0) for c in value.columns])]
        inside = np.outer(np.array(value.rows) != NOTHING, np.array(value.columns) != NOTHING)
        np.testing.assert_array_equal(
            value.patch, np.where(inside[..., None], met[..., list(value.maps)], 0)
        )


def test_a_place_of_a_kernel_meets_the_input_that_theory_says():
    assert kernel_places(0, inputs=5, outputs=5, size=3, padding="same") == (NOTHING, 0, 1)
    assert kernel_places(1, inputs=7, outputs=2, size=3, stride=2, dilation=2) == (2, 4, 6)
    spread = {"inputs": 3, "outputs": 7, "size": 3, "stride": 2, "transposed": True}
    assert kernel_places(2, **spread) == (1, NOTHING, 0)
    assert kernel_places(6, **spread) == (NOTHING, NOTHING, 2)


def test_a_value_that_is_not_there_and_a_layer_that_is_none_are_refused(inputs):
    layer = layers.Conv2D(2, 3)
    layer(inputs[np.newaxis])
    with pytest.raises(IncompatibleError, match="`row` must be 0 to 8. Received: 9"):
        convolution_at(layer, inputs, unit=0, row=9, column=0)
    with pytest.raises(IncompatibleError, match="no convolution of images"):
        effective_kernel(layers.MaxPooling2D(name="pool"), 0)
