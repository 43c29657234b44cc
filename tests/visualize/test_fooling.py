"""An image is asked about in the forms in which others would get it."""

import numpy as np
import pytest
from PIL import Image

from cnnkit.models import Predictor, load_model
from cnnkit.predict import softmax
from cnnkit.visualize import channel, class_logit, presets
from cnnkit.visualize.fooling import (
    Reclassification,
    as_shown,
    fooling_check,
    forms,
    jpeg,
    moved,
    stretched,
    to_8bit,
)


@pytest.fixture(scope="module")
def starter(root):
    return Predictor(*load_model(root / "cnnkit" / "starter"))


@pytest.fixture
def image():
    return np.random.default_rng(1).uniform(-20, 280, (28, 28, 1)).astype(np.float32)


def test_8_bit_is_rounded_and_cut_off(image):
    whole = to_8bit(image)
    assert whole.dtype == np.uint8
    inside = (image >= 0) & (image <= 255)
    assert np.abs(whole[inside] - image[inside]).max() <= 0.5
    assert (whole[image < 0] == 0).all() and (whole[image > 255] == 255).all()


def test_moved_repeats_the_edge(image):
    whole = to_8bit(image)
    shifted = moved(whole, 3)
    np.testing.assert_array_equal(shifted[3:, 3:], whole[:-3, :-3])
    assert (shifted[:3, :4] == whole[0, 0]).all()


def test_jpeg_is_near_but_not_equal_and_keeps_the_channels():
    smooth = np.asarray(Image.new("RGB", (32, 32), (200, 30, 90)))
    assert np.abs(jpeg(smooth).astype(int) - smooth).max() < 6
    assert jpeg(smooth[..., :1]).shape == (32, 32, 1)


def test_stretching_gives_mean_gray_and_a_tenth_of_the_range(image):
    shown = stretched(image * 40).astype(float)
    assert shown.mean() == pytest.approx(127.5, abs=2)
    assert shown.std() == pytest.approx(25.5, abs=2)


def test_only_hidden_filters_in_free_pixels_are_stretched(image):
    hidden = presets.get("post_linear").plan(channel("conv1", 1))
    kept_in = presets.get("quick").plan(channel("conv1", 1))
    of_class = presets.get("post_linear").plan(class_logit(1))
    images = image[None] * 40
    np.testing.assert_array_equal(as_shown(images, hidden)[0], stretched(images[0]))
    for plan in (kept_in, of_class):
        np.testing.assert_array_equal(as_shown(images, plan)[0], to_8bit(images[0]))


def test_every_form_is_asked_and_others_only_the_8_bit_one(starter, image):
    checks = fooling_check(image, starter, [starter], target="4")
    assert [v.form for v in checks] == [*forms(image), "8 bit"]
    assert [v.own for v in checks] == [True] * 4 + [False]
    expected = softmax(starter.logits(to_8bit(image)[None]))[0, 4]
    assert checks[1].target == pytest.approx(expected) == checks[4].target
    assert Reclassification.from_dict(checks[1].to_dict()) == checks[1]


def test_a_class_that_a_network_does_not_know_has_no_share(starter, image):
    assert all(v.target is None for v in fooling_check(image, starter, target="goldfish"))
