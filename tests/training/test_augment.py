import dataclasses

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from cnnkit.training import Augmentation, augment
from cnnkit.training.augmentation import random_coordinates, sample

ALL = Augmentation(shift=2, rotation=15, zoom=0.1, shear=10, elastic=1)


@pytest.fixture
def images():
    # Smooth blobs: bilinear interpolation of white noise would only show noise.
    noise = np.random.default_rng(0).random((6, 28, 28, 1), np.float32)
    return scipy.ndimage.gaussian_filter(noise, (0, 2, 2, 0)) * 255


def test_equal_seeds_give_equal_images(images):
    first, again, other = (augment(images, ALL, tf.constant([3, n])) for n in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1


def test_an_image_does_not_depend_on_its_neighbors_pixels(images):
    seed = tf.constant([3, 7])
    changed = images.copy()
    changed[1:] = 0
    np.testing.assert_array_equal(augment(images, ALL, seed)[0], augment(changed, ALL, seed)[0])


def test_no_augmentation_changes_nothing(images):
    np.testing.assert_array_equal(augment(images, Augmentation(), tf.constant([0, 0])), images)


def test_sampling_agrees_with_scipy(images):
    coordinates = random_coordinates(6, 28, 28, ALL, tf.constant([1, 2])).numpy()
    ours = sample(tf.constant(images), coordinates)
    for image, place, result in zip(images, coordinates, ours.numpy(), strict=True):
        # scipy's border: black outside, as ours.
        padded = np.pad(image[..., 0], 1)
        expected = scipy.ndimage.map_coordinates(padded, place + 1, order=1, mode="constant")
        inside = ((place > -1) & (place < 28)).all(0)
        np.testing.assert_allclose(result[..., 0][inside], expected[inside], atol=0.2)


@pytest.mark.parametrize("fill", ["black", "nearest"])
def test_maps_without_bends_give_the_same_by_tensorflows_own_operation(images, fill):
    seed = tf.constant([1, 2])
    straight = dataclasses.replace(ALL, elastic=0, crop=0.3, flip=True, fill=fill)
    coordinates = random_coordinates(6, 28, 28, straight, seed)
    ours, theirs = sample(tf.constant(images), coordinates, fill), augment(images, straight, seed)
    np.testing.assert_allclose(ours, theirs, atol=0.3)


@pytest.mark.parametrize(
    ("augmentation", "measure", "limit"),
    [
        (Augmentation(shift=3), lambda c: c[:, 0].mean((1, 2)) - 13.5, 3),
        (
            Augmentation(rotation=20),
            lambda c: np.degrees(np.arctan2(c[:, 0, 0, -1] - c[:, 0, 0, 0], 27)),
            20,
        ),
        (Augmentation(zoom=0.2), lambda c: 27 / (c[:, 0, -1, 0] - c[:, 0, 0, 0]) - 1, 0.2),
    ],
)
def test_changes_fill_their_range_and_stay_in_it(augmentation, measure, limit):
    coordinates = random_coordinates(2000, 28, 28, augmentation, tf.constant([0, 1])).numpy()
    values = measure(coordinates)
    assert np.abs(values).max() <= limit * 1.07  # the measure of an angle is a chord
    assert values.std() == pytest.approx(limit / np.sqrt(3), rel=0.1), "uniform in its range"
    assert abs(values.mean()) < limit * 0.1, "in both directions"


def test_elastic_displacement_has_its_deviation_and_is_smooth():
    augmentation = Augmentation(elastic=1.5, elastic_smoothness=4)
    coordinates = random_coordinates(500, 28, 28, augmentation, tf.constant([0, 1])).numpy()
    grid = np.stack(np.meshgrid(np.arange(28), np.arange(28), indexing="ij"))
    displacement = coordinates - grid
    assert displacement.std() == pytest.approx(1.5, rel=0.05)
    neighbors = np.diff(displacement, axis=2)
    assert neighbors.std() < displacement.std() / 3


def test_a_shift_by_whole_pixels_moves_the_image():
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[0, 10, 12] = 200
    rows, columns = np.meshgrid(np.arange(28.0), np.arange(28.0), indexing="ij")
    moved = sample(image, np.float32(np.stack([rows - 3, columns + 2])[None])).numpy()
    assert moved[0, 13, 10, 0] == pytest.approx(200)
    assert moved.sum() == pytest.approx(200)
