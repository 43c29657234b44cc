"""What is stored gives the image back, gray stays gray, and short waves are weak."""

import numpy as np
import pytest
import tensorflow as tf

from cnnkit.visualize import parametrizations
from cnnkit.visualize.parametrizations import bounded, encode, fourier, pixels, render

EVERY = [
    pixels(),
    pixels(bounds="clip"),
    pixels(bounds="sigmoid"),
    pixels(decorrelated=True),
    pixels(bounds="sigmoid", decorrelated=True),
    fourier(),
    fourier(decay=1.5, bounds="free", decorrelated=False),
    fourier(decay=0, bounds="sigmoid", decorrelated=False),
]


@pytest.mark.parametrize("part", EVERY, ids=str)
@pytest.mark.parametrize("shape", [(2, 16, 16, 3), (1, 15, 9, 3), (1, 12, 12, 1)], ids=str)
def test_an_image_comes_back_from_what_is_stored(part, shape):
    images = np.random.default_rng(0).uniform(10, 245, shape).astype(np.float32)
    again = render(part, encode(part, images), shape[1:3])
    assert again.shape == shape
    np.testing.assert_allclose(again, images, atol=0.05)


@pytest.mark.parametrize("part", EVERY, ids=str)
def test_gray_stays_gray(part):
    images = np.random.default_rng(0).uniform(10, 245, (1, 12, 12, 1)).astype(np.float32)
    stored = encode(part, images)
    assert render(part, stored * 1.1, (12, 12)).shape == (1, 12, 12, 1)


def test_a_spectrum_is_numpys(images):
    part = fourier(decay=1, bounds="free", decorrelated=False)
    stored = encode(part, images).numpy()
    spectrum = np.fft.rfft2((images - 127.5) / (255 / 4), axes=(1, 2)).transpose(0, 3, 1, 2)
    frequency = np.hypot(np.fft.fftfreq(16)[:, None], np.fft.rfftfreq(16))
    strength = 1 / np.maximum(frequency, 1 / 16) * 16 / 4
    np.testing.assert_allclose(stored[:, 0], spectrum.real / strength, atol=1e-3)
    np.testing.assert_allclose(stored[:, 1], spectrum.imag / strength, atol=1e-3)


def test_with_more_decay_noise_is_smoother():
    noise = tf.random.stateless_normal((1, 2, 3, 32, 17), (1, 2))

    def variation(decay):
        image = render(fourier(decay=decay), noise, (32, 32)).numpy()
        return np.abs(np.diff(image, axis=1)).mean() / image.std()

    assert variation(2) < variation(1) < variation(0)


def test_colors_are_decorrelated_as_lucid_gives_them():
    unit = np.eye(3, dtype=np.float32).reshape(3, 1, 1, 3)
    image = render(pixels(decorrelated=True), tf.constant(unit), (1, 1)).numpy()
    matrix = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
    longest = max(np.linalg.norm(matrix[:, n]) for n in range(3))
    np.testing.assert_allclose(image.reshape(3, 3).T, matrix / longest, rtol=1e-5)


def test_a_sigmoid_keeps_to_the_range_and_clip_cuts_off():
    wild = tf.constant([[[[-900.0, 30.0, 900.0]]]])
    assert np.all(np.abs(render(pixels(bounds="sigmoid"), wild, (1, 1)) - 127.5) <= 127.5)
    np.testing.assert_allclose(bounded(pixels(bounds="clip"), wild).numpy().ravel(), [0, 30, 255])
    np.testing.assert_allclose(bounded(pixels(), wild), wild)


@pytest.mark.parametrize("build", [lambda: pixels(bounds="none"), lambda: fourier(bounds="clip")])
def test_bounds_that_do_not_exist_are_refused(build):
    with pytest.raises(ValueError, match="bounds"):
        build()


def test_the_frequencies_are_those_of_numpys_real_transform():
    assert parametrizations.frequencies(8, 6).shape == np.fft.rfft2(np.zeros((8, 6))).shape
