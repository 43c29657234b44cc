import colorsys

import numpy as np
import pytest
import tensorflow as tf

from cnnkit.training import Augmentation, augment
from cnnkit.training.augmentation import PCA_DIRECTIONS, PCA_SIZES, mix, random_coordinates
from cnnkit.training.recipes import AUGMENTATION_PRESETS

SEED = tf.constant([3, 7])


@pytest.fixture
def photos():
    """Away from black and white, so that nothing is cut off."""
    return np.random.default_rng(0).uniform(100, 150, (400, 6, 8, 3)).astype(np.float32)


def changed(images, **fields):
    return augment(images, Augmentation(**fields), SEED).numpy()


@pytest.mark.parametrize(("field", "axis"), [("flip", 2), ("flip_vertical", 1)])
def test_every_other_image_is_mirrored_and_no_pixel_is_changed(photos, field, axis):
    result = changed(photos, **{field: True})
    mirrored = (result == np.flip(photos, axis)).all((1, 2, 3))
    same = (result == photos).all((1, 2, 3))
    assert (mirrored ^ same).all() and 0.4 < mirrored.mean() < 0.6


def test_mirroring_within_a_map_of_coordinates_is_the_same_mirroring(photos):
    """A zoom of nearly nothing takes the path through the map."""
    plain, mapped = changed(photos, flip=True), changed(photos, flip=True, zoom=1e-7)
    np.testing.assert_allclose(plain, mapped, atol=0.01)


def test_a_crop_is_a_part_of_the_image_anywhere_in_it():
    coordinates = random_coordinates(2000, 20, 30, Augmentation(crop=0.5), SEED).numpy()
    first, last = coordinates[:, :, 0, 0], coordinates[:, :, -1, -1]
    left = (last - first) / (np.array([19, 29]))
    np.testing.assert_allclose(left[:, 0], left[:, 1], rtol=1e-4)  # the ratio of sides stays
    assert left.min() == pytest.approx(0.5, abs=0.01) and left.max() == pytest.approx(1, abs=0.01)
    assert left.mean() == pytest.approx(0.75, abs=0.01)
    assert coordinates.min() >= -0.5 and (last <= np.array([19.5, 29.5])).all()
    lowest = first[left[:, 0] < 0.6, 0]
    assert lowest.min() < 1 and lowest.max() > 7, "at the top of some and further down in others"


def test_the_nearest_pixel_fills_what_black_would(photos):
    black, nearest = (changed(photos, shift=3, fill=fill) for fill in ("black", "nearest"))
    assert black.min() == 0 and nearest.min() >= 100 - 1e-3


def test_brightness_adds_one_number_to_an_image(photos):
    difference = changed(photos, brightness=0.1) - photos
    assert np.ptp(difference, axis=(1, 2, 3)).max() < 1e-3
    added = difference[:, 0, 0, 0]
    assert np.abs(added).max() < 25.5 and added.std() == pytest.approx(25.5 / 3**0.5, rel=0.1)


def test_contrast_keeps_the_mean_and_stretches_around_it(photos):
    result = changed(photos, contrast=0.4)
    np.testing.assert_allclose(result.mean((1, 2, 3)), photos.mean((1, 2, 3)), rtol=1e-4)
    factors = result.std((1, 2, 3)) / photos.std((1, 2, 3))
    assert 0.6 < factors.min() < 0.65 and 1.35 < factors.max() < 1.4


def test_hue_turns_and_keeps_saturation_and_value(photos):
    few = photos[:20]
    result = changed(few, hue=0.1)
    for before, after in zip(few[:, 2, 3], result[:, 2, 3], strict=True):
        (h0, s0, v0), (h1, s1, v1) = (colorsys.rgb_to_hsv(*p / 255) for p in (before, after))
        assert s1 == pytest.approx(s0, abs=1e-3) and v1 == pytest.approx(v0, abs=1e-3)
        assert abs((h1 - h0 + 0.5) % 1 - 0.5) < 0.1 + 1e-3
    assert np.abs(result - few).max() > 1


def test_light_is_alexnets_noise_along_the_main_colors(photos):
    difference = changed(photos, pca=0.1) - photos
    assert np.ptp(difference, axis=(1, 2)).max() < 1e-3, "one color for a whole image"
    along = difference[:, 0, 0] @ PCA_DIRECTIONS
    np.testing.assert_allclose(along.std(0), 0.1 * PCA_SIZES, rtol=0.15)
    np.testing.assert_allclose(PCA_DIRECTIONS.T @ PCA_DIRECTIONS, np.eye(3), atol=1e-3)


def test_gray_images_have_no_hue_and_no_color_of_light(photos):
    gray = photos[..., :1]
    np.testing.assert_array_equal(changed(gray, hue=0.3, pca=0.3), gray)


def test_cutout_blanks_one_square_in_the_mean_color():
    images = np.random.default_rng(0).uniform(0, 255, (300, 20, 20, 3)).astype(np.float32)
    blank = (changed(images, cutout=0.4) != images).any(-1)
    rows, columns = blank.any(2).sum(1), blank.any(1).sum(1)
    assert set(rows) | set(columns) <= set(range(3, 9)) and rows.max() == columns.max() == 8
    np.testing.assert_array_equal(blank.sum((1, 2)), rows * columns)
    one = images[0] + np.where(blank[0][..., None], images[0].mean((0, 1)) - images[0], 0)
    np.testing.assert_allclose(changed(images, cutout=0.4)[0], one, atol=1e-3)


def test_mixup_mixes_labels_as_it_mixes_images():
    labels = np.eye(4, dtype=np.float32)[np.arange(2000) % 4]
    images = labels[:, :, None] * np.ones((1, 4, 5), np.float32)  # an image that is its label
    mixed, soft = (x.numpy() for x in mix(images, labels, 0.5, SEED))
    np.testing.assert_allclose(mixed, soft[:, :, None] * np.ones((1, 4, 5)), atol=1e-6)
    np.testing.assert_allclose(soft.sum(1), 1, atol=1e-6)
    own = soft[labels == 1]
    others = own[own < 1]  # its partner was of another class
    assert others.mean() == pytest.approx(0.5, abs=0.05)
    assert (np.abs(others - 0.5) > 0.4).mean() > 0.35, "beta(½, ½) is high at both ends"


def test_colors_stay_in_their_range():
    images = np.random.default_rng(0).choice([0.0, 255.0], (20, 6, 6, 3)).astype(np.float32)
    result = changed(images, brightness=0.5, contrast=0.9, pca=0.5, hue=0.5)
    assert result.min() >= 0 and result.max() <= 255


@pytest.mark.parametrize("name", AUGMENTATION_PRESETS)
def test_a_mix_is_a_function_of_the_seed(name, photos):
    few = photos[:5]
    first, again, other = (
        augment(few, AUGMENTATION_PRESETS[name], tf.constant([1, n])) for n in (4, 4, 5)
    )
    np.testing.assert_array_equal(first, again)
    assert (first.numpy() != other.numpy()).any() == bool(AUGMENTATION_PRESETS[name])


def test_the_seeds_mix_is_what_keras_1_did_with_shear_and_zoom_of_a_fifth():
    assert AUGMENTATION_PRESETS["post"].flip and AUGMENTATION_PRESETS["post"].zoom == 0.2
    coordinates = random_coordinates(2000, 21, 21, AUGMENTATION_PRESETS["post"], SEED).numpy()
    # Along the middle row: how far it leans, in rows a column.
    (rows, columns) = np.moveaxis(coordinates[:, :, 10, [0, -1]], 1, 0)
    leans = np.diff(rows)[:, 0] / np.diff(columns)[:, 0]
    assert np.abs(np.arctan(leans)).max() == pytest.approx(0.2, abs=0.01)
