"""Fitting images to a network's input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnkit.predict import FITS, prepare

# Left third red, middle third green, right third blue.
STRIPES = np.zeros((40, 120, 3), np.uint8)
for number in range(3):
    STRIPES[:, 40 * number : 40 * (number + 1), number] = 255


def test_cropping_keeps_the_middle_undistorted():
    seen = prepare(STRIPES, (20, 20, 3), "crop")
    assert (seen[:, 2:-2, 1] == 255).all() and not seen[:, 2:-2, (0, 2)].any()


def test_cropping_keeps_the_middle_of_a_tall_image():
    seen = prepare(np.swapaxes(STRIPES, 0, 1).copy(), (20, 20, 3), "crop")
    assert (seen[2:-2, :, 1] == 255).all() and not seen[2:-2][..., (0, 2)].any()


def test_stretching_keeps_everything():
    seen = prepare(STRIPES, (30, 30, 3), "stretch")
    assert seen[15, 3].argmax() == 0 and seen[15, 15].argmax() == 1 and seen[15, 27].argmax() == 2


def test_padding_keeps_everything_and_its_proportions():
    seen = prepare(STRIPES, (30, 30, 3), "pad")
    assert tuple(seen[0, 0]) == tuple(seen[-1, -1]) == (124, 116, 104)
    assert [int(seen[15, x].argmax()) for x in (3, 15, 27)] == [0, 1, 2]
    assert (seen[10:20] != seen[0, 0]).any(axis=-1).all(), "ten rows of image"
    assert (seen[:9] == seen[0, 0]).all() and (seen[21:] == seen[0, 0]).all()


def test_a_gray_network_gets_gray_and_a_color_network_color():
    assert prepare(STRIPES, (28, 28, 1)).shape == (28, 28, 1)
    assert prepare(STRIPES[..., :1], (28, 28, 3)).shape == (28, 28, 3)


def test_an_image_of_the_right_size_is_not_touched():
    image = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    for fit in FITS:
        np.testing.assert_array_equal(prepare(image, (24, 24, 3), fit), image)


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    channels=st.sampled_from([1, 3]),
    fit=st.sampled_from(list(FITS)),
)
def test_any_size_gives_the_networks_size_and_keeps_a_flat_color(height, width, channels, fit):
    flat = np.full((height, width, channels), 77, np.uint8)
    seen = prepare(flat, (16, 20, 3), fit)
    assert seen.shape == (16, 20, 3) and seen.dtype == np.uint8
    if fit != "pad":
        assert (seen == 77).all()


def test_an_unknown_way_says_which_there_are():
    with pytest.raises(ValueError, match="crop, stretch, pad. Received: 'cut'"):
        prepare(STRIPES, (8, 8, 3), "cut")
