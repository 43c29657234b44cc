"""DeepDream: octaves, tiles, the post's loss by its formula, guides, and what cannot be."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnkit.errors import IncompatibleError, UnknownLayerError
from cnnkit.visualize.deepdream import dream, octave_sizes, resized, tiles
from cnnkit.visualize.deepdream_presets import (
    IMAGENET_MEAN,
    LBFGS,
    PRESETS,
    Dream,
    suggested_layers,
)
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.step import CompiledStep

PLAN = Dream(layers={"conv1": 1.0, "conv2": 0.5}, octaves=2, steps=4, learning_rate=2.0)


@pytest.fixture(scope="module")
def image():
    coarse = np.random.default_rng(5).uniform(40, 210, (5, 6, 3)).astype(np.float32)
    return np.asarray(tf.image.resize(coarse, (48, 60), "bicubic"))


def energy(model, image):
    conv1 = model.get_layer("conv1").output
    conv2 = model.get_layer("conv2").output
    one, two = keras.Model(model.inputs[0], [conv1, conv2])(image[None, :16, :16])
    return float(tf.reduce_mean(one**2) + 0.5 * tf.reduce_mean(two**2))


def test_a_dream_raises_the_energy_and_keeps_the_image_recognizable(small, image):
    steps = list(dream(small, image, PLAN))
    assert [step.number for step in steps] == list(range(1, 9))
    assert [step.octave for step in steps] == [1] * 4 + [2] * 4
    assert steps[-1].image.shape == image.shape
    for octave in (steps[:4], steps[4:]):
        assert octave[-1].value > octave[0].value
    assert energy(small, steps[-1].image) > energy(small, image)
    assert np.corrcoef(steps[-1].image.ravel(), image.ravel())[0, 1] > 0.9


def test_without_steps_worth_anything_the_octaves_give_the_image_back(small, image):
    still = replace(PLAN, learning_rate=0.0, octaves=3, octave_scale=1.3, steps=1)
    *_, last = dream(small, image, still)
    np.testing.assert_allclose(last.image, image, atol=1e-3)


def test_octaves_are_the_sizes_asked_for_and_none_too_small():
    plan = Dream(layers={"a": 1.0}, octaves=4, octave_scale=2.0)
    assert octave_sizes((300, 200), plan) == [(75, 50), (150, 100), (300, 200)]
    assert all(min(size) >= 32 for size in octave_sizes((300, 200), plan))


def test_tiles_cover_every_pixel_with_windows_of_one_size():
    windows = tiles((50, 33), 16)
    seen = np.zeros((50, 33), int)
    for rows, columns in windows:
        assert rows.stop - rows.start == columns.stop - columns.start == 16
        seen[rows, columns] += 1
    assert seen.min() == 1
    assert tiles((10, 12), 16) == [(slice(0, 10), slice(0, 12))]


def test_a_tiled_dream_is_near_one_made_whole(small, image):
    once = replace(PLAN, octaves=1, steps=1, learning_rate=1.0)
    (whole,) = dream(small, image, replace(once, tile=0))
    (tiled,) = dream(small, image, replace(once, tile=32))
    change, other = whole.image - image, tiled.image - image
    assert (
        np.corrcoef(change.ravel(), other.ravel())[0, 1] > 0.6
    )  # tiles pad where the whole does not


@pytest.mark.parametrize("name", ["dreamy", "bad_trip"])
def test_the_seeds_loss_is_its_published_formula(name):
    settings = PRESETS[name].dream
    keras.utils.set_random_seed(3)
    inputs = keras.Input((24, 20, 3))
    x = inputs
    for layer in settings.layers:
        x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name=layer)(x)
    model = keras.Model(inputs, x)
    image = np.random.default_rng(1).uniform(0, 255, (1, 24, 20, 3)).astype(np.float32)
    plan = Plan(objective=settings.objective(), size=(24, 20))
    total, slope, _ = CompiledStep(model, plan).slope(image, plan)

    def loss(pixels):
        value = 0.0
        for layer, weight in settings.layers.items():
            answer = keras.Model(model.inputs[0], model.get_layer(layer).output)(pixels)
            size = np.prod(answer.shape[1:])
            value -= weight * tf.reduce_sum(tf.square(answer[:, 2:-2, 2:-2, :])) / size
        centered = pixels - tf.constant(IMAGENET_MEAN)
        a = tf.square(centered[:, :-1, :-1] - centered[:, 1:, :-1])
        b = tf.square(centered[:, :-1, :-1] - centered[:, :-1, 1:])
        size = np.prod(image.shape[1:])
        value += settings.continuity * tf.reduce_sum(tf.pow(a + b, 1.25)) / size
        return value + settings.l2 * tf.reduce_sum(tf.square(centered)) / size

    pixels = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        expected = loss(pixels)
    assert total == pytest.approx(-float(expected), rel=1e-4)
    np.testing.assert_allclose(slope, -tape.gradient(expected, pixels), rtol=2e-3, atol=1e-4)


def test_l_bfgs_ascends_without_octaves(small, image):
    plan = Dream(layers={"conv1": 50.0}, octaves=1, steps=3, optimizer=LBFGS, jitter=2.0)
    steps = list(dream(small, image, plan))
    assert len(steps) == 3 and steps[-1].value >= steps[0].value
    assert np.isfinite(steps[-1].image).all()


def test_a_guide_leads_elsewhere(small, image):
    other = image[::-1, ::-1].copy()
    guided = replace(PLAN, guided=True, octaves=1)
    *_, free = dream(small, image, replace(PLAN, octaves=1))
    *_, led = dream(small, image, guided, guided_by=other)
    assert not np.allclose(free.image, led.image, atol=1)
    with pytest.raises(IncompatibleError, match="not given"):
        next(dream(small, image, guided))


def test_the_same_seed_dreams_the_same(small, image):
    plan = replace(PLAN, jitter=4)
    images = [list(dream(small, image, plan))[-1].image for _ in range(2)]
    np.testing.assert_array_equal(*images)


def test_an_octave_is_left_when_enough_is_reached(small, image):
    steps = list(dream(small, image, replace(PLAN, most=0.0)))
    assert [step.octave for step in steps] == [1, 2]


@pytest.mark.parametrize(
    ("plan", "error", "words"),
    [
        (replace(PLAN, layers={"conv7": 1.0}), UnknownLayerError, "conv1, conv2"),
        (replace(PLAN, layers={"conv1": 0.0}), IncompatibleError, "Every layer has weight 0"),
        (replace(PLAN, optimizer="newton"), ValueError, "'ascent' or 'lbfgs'"),
        (replace(PLAN, layers={"logits": 1.0}), IncompatibleError, "cannot take an input"),
    ],
)
def test_a_dream_that_cannot_be_made_is_refused(small, image, plan, error, words):
    with pytest.raises(error, match=words):
        list(dream(small, image, plan))


def test_layers_are_suggested_from_the_middle_of_a_network():
    assert suggested_layers([f"conv{n}" for n in range(10)], 1) == ["conv5"]
    blocks = [f"inception_{n}" for n in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")]
    assert suggested_layers([*blocks, "inception_4c_1x1", "logits"], 1) == ["inception_4c"]
    assert suggested_layers(["a", "b"], 1)


def test_resizing_keeps_a_flat_image_flat():
    assert np.ptp(resized(np.full((8, 8, 3), 7, np.float32), (13, 5))) == 0
