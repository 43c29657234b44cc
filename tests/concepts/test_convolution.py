"""Stride, padding, dilation and transposition mean what they mean in Keras."""

import itertools

import keras
import numpy as np
import pytest

from cnnkit.concepts.convolution import KERNELS, slide
from cnnkit.errors import IncompatibleError

IMAGE = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "stride", "dilation"),
    [
        *itertools.product((1, 2, 3, 4, 5), (1, 2, 3), (1,)),
        *itertools.product((2, 3), (1,), (2, 3)),
    ],
)
def test_the_output_is_that_of_keras(size, stride, dilation, padding, transposed):
    kernel = np.random.default_rng(size).normal(size=(size, size)).astype(np.float32)
    kind = keras.layers.Conv2DTranspose if transposed else keras.layers.Conv2D
    layer = kind(1, size, strides=stride, dilation_rate=dilation, padding=padding, use_bias=False)
    layer.build((1, 7, 7, 1))
    layer.set_weights([kernel[..., np.newaxis, np.newaxis]])
    expected = keras.ops.convert_to_numpy(layer(IMAGE[np.newaxis, ..., np.newaxis]))[0, ..., 0]
    how = {"stride": stride, "dilation": dilation, "padding": padding, "transposed": transposed}
    found = slide(IMAGE, kernel, **how)
    assert found.output.shape == expected.shape
    np.testing.assert_allclose(found.output, expected, atol=1e-5)
    for row, column in itertools.product((0, len(expected) - 1), repeat=2):
        rows, columns = found.cells(row, column)
        value = (found.grid[np.ix_(rows, columns)] * found.kernel).sum()
        assert value == pytest.approx(expected[row, column], abs=1e-5)
    at, apart = found.image_at, found.apart
    end = at + 6 * apart + 1
    np.testing.assert_array_equal(found.grid[at:end:apart, at:end:apart], IMAGE)


def test_a_kernel_that_does_not_fit_is_refused_in_words():
    with pytest.raises(IncompatibleError, match="spans 9 pixels, and the image has 7"):
        slide(IMAGE, KERNELS["average"](5), dilation=2)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_kernels_are_what_they_are_called(size):
    flat = np.ones((7, 7))
    assert slide(flat, KERNELS["average"](size)).output == pytest.approx(1)
    edge = slide(flat, KERNELS["vertical edge"](size)).output
    assert size == 1 or edge == pytest.approx(0)
