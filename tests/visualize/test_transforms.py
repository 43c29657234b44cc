"""Moving, turning, resizing, bordering: each is what it says, and repeats with its seed."""

import numpy as np
import pytest
import tensorflow as tf

from cnnkit.visualize.transforms import compose, crop, jitter, pad, rotate, scale


def put_through(images, *parts, seed=(1, 2), **numbers):
    given = [
        {name: tf.constant(numbers.get(name, v), tf.float32) for name, v in part.numbers.items()}
        for part in parts
    ]
    return compose(parts)(tf.constant(images), given, tf.constant(seed)).numpy()


def test_jitter_rolls_all_images_alike(images):
    moved = put_through(images, jitter(5))
    shifts = [
        (y, x)
        for y in range(-5, 6)
        for x in range(-5, 6)
        if np.array_equal(moved, np.roll(images, (y, x), (1, 2)))
    ]
    assert len(shifts) == 1


def test_jitter_reaches_every_shift_and_none_beyond():
    ruler = np.float32(np.arange(16)[None, :, None, None] + np.zeros((1, 16, 16, 1)))
    found = {int(put_through(ruler, jitter(2), seed=(1, n))[0, 8, 0, 0]) for n in range(60)}
    assert found == {6, 7, 8, 9, 10}


@pytest.mark.parametrize("part", [jitter(0), rotate(0), scale(1, 1)], ids=str)
def test_nothing_asked_for_is_nothing_done(part, images):
    np.testing.assert_array_equal(put_through(images, part), images)


def test_a_number_can_be_turned_without_another_part(images):
    assert not np.array_equal(put_through(images, jitter(0), pixels=4), images)


def test_a_fixed_scale_enlarges_around_the_middle():
    image = np.zeros((1, 33, 33, 1), np.float32)
    image[0, 14:19, 14:19] = 100  # 5×5 around the middle
    twice = put_through(image, scale(2, 2))
    assert twice[0, 16, 16, 0] == 100
    assert (twice > 50).sum() == pytest.approx(100, abs=20)


def test_each_image_is_turned_by_an_angle_of_its_own_within_reach():
    image = np.zeros((40, 41, 41, 1), np.float32)
    image[:, 20, 36] = 100  # on the right, 16 from the middle
    turned = put_through(image, rotate(30))[..., 0]
    places = np.array([np.unravel_index(np.argmax(one), one.shape) for one in turned])
    angles = np.degrees(np.arctan2(places[:, 0] - 20, places[:, 1] - 20))
    assert np.abs(angles).max() <= 33  # a pixel is three degrees there
    assert angles.max() > 12 and angles.min() < -12
    assert len(np.unique(angles)) > 5


def test_enlarging_and_turning_at_once_is_one_after_the_other():
    coarse = np.float32(np.random.default_rng(3).uniform(50, 200, (2, 5, 5, 1)))
    smooth = tf.image.resize(coarse, (61, 61), "bicubic").numpy()
    at_once = put_through(smooth, scale(1.3, 1.3), rotate(25))
    enlarged = put_through(smooth, scale(1.3, 1.3))
    in_turn = put_through(enlarged, pad(0), rotate(25))  # the same place, so the same angle
    inside = slice(12, -12)  # what was read from beyond the edge may differ
    np.testing.assert_allclose(at_once[:, inside, inside], in_turn[:, inside, inside], atol=0.8)
    assert np.abs(at_once - enlarged)[:, inside, inside].max() > 10


@pytest.mark.parametrize(("fill", "corner"), [("gray", 127.5), ("reflect", None)])
def test_padding_puts_a_border_around(fill, corner, images):
    padded = put_through(images, pad(4, fill))
    assert padded.shape == (3, 24, 24, 3)
    np.testing.assert_array_equal(padded[:, 4:-4, 4:-4], images)
    expected = images[:, 4, 4] if corner is None else corner
    np.testing.assert_array_equal(padded[:, 0, 0], np.broadcast_to(expected, (3, 3)))


def test_cropping_keeps_a_window_of_the_image(images):
    cut = put_through(images, crop(2))
    assert cut.shape == (3, 12, 12, 3)
    windows = [
        np.array_equal(cut, images[:, y : y + 12, x : x + 12]) for y in range(5) for x in range(5)
    ]
    assert sum(windows) == 1


def test_a_chain_is_its_parts_in_order_and_repeats_with_its_seed(images):
    chain = (pad(3), jitter(2), rotate(5), scale(0.9, 1.1), crop(3))
    first = put_through(images, *chain)
    assert first.shape == images.shape
    np.testing.assert_array_equal(first, put_through(images, *chain))
    assert not np.array_equal(first, put_through(images, *chain, seed=(1, 3)))


def test_equal_parts_of_a_chain_draw_different_numbers():
    ruler = np.float32(np.arange(41)[None, :, None, None] + np.zeros((1, 41, 41, 1)))
    found = {
        int(put_through(ruler, jitter(3), pad(0), jitter(3), seed=(1, n))[0, 20, 0, 0])
        for n in range(40)
    }
    assert any((20 - row) % 2 for row in found), "two equal shifts would make an even one"


@pytest.mark.parametrize("part", [jitter(3), rotate(8), scale(0.9, 1.1), pad(2), crop(2)], ids=str)
def test_a_gradient_comes_back_through_it(part):
    smooth = np.float32(np.random.default_rng(1).uniform(50, 200, (1, 4, 4, 1)))
    original = tf.image.resize(smooth, (24, 24), "bicubic")
    numbers = [{name: tf.constant(v, tf.float32) for name, v in part.numbers.items()}]
    weights = tf.image.resize(
        np.float32(np.random.default_rng(2).normal(size=(1, 3, 3, 1))), (64, 64)
    )

    def worth(image):
        seen = compose([part])(image, numbers, tf.constant((1, 2)))
        return tf.reduce_sum(seen * weights[:, : seen.shape[1], : seen.shape[2]])

    with tf.GradientTape() as tape:
        tape.watch(original)
        value = worth(original)
    gradient = tape.gradient(value, original)
    # In the direction of the gradient itself, a small step is worth what it promises.
    step = 0.01 * gradient
    promised = tf.reduce_sum(step * gradient)
    gained = worth(original + step) - value
    assert float(gained / promised) == pytest.approx(1, abs=0.12)


def test_an_unknown_fill_is_refused():
    with pytest.raises(ValueError, match="gray, reflect|reflect, gray"):
        pad(2, "white")
