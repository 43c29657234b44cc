"""Deletion and insertion curves, on networks whose scores are known in closed form."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from cnnkit import explain
from cnnkit.errors import ExplanationError, IncompatibleError
from cnnkit.explain import Curve, deletion, insertion, random_maps
from cnnkit.explain.baselines import baseline_images
from cnnkit.explain.faithfulness import importance_order
from cnnkit.visualize.objectives import channel, class_logit
from tests.network_forms import OTHERS, SAME, build

SIDE, STEPS = 6, 9
L = keras.layers


@pytest.fixture(scope="module")
def pixels():
    return np.float32(np.random.default_rng(1).uniform(0, 255, (2, SIDE, SIDE, 3)))


@pytest.fixture(scope="module")
def linear():
    """Three logits, each a weighted sum of the pixels; and the weights (6, 6, 3, classes)."""
    image = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(image, L.Dense(3, use_bias=False)(L.Flatten()(image)), name="linear")
    kernel = np.float32(np.random.default_rng(2).normal(0, 0.002, (SIDE * SIDE * 3, 3)))
    model.set_weights([kernel])
    return model, kernel.reshape(SIDE, SIDE, 3, 3)


def replaced(before, after, map_):
    """The images between two, with the largest values of the map replaced first."""
    order = np.argsort(-map_.ravel())
    between = []
    for count in np.round(np.linspace(0, order.size, STEPS + 1)).astype(int):
        mixed = before.reshape(-1, 3).copy()
        mixed[order[:count]] = after.reshape(-1, 3)[order[:count]]
        between.append(mixed.reshape(before.shape))
    return np.stack(between)


@pytest.mark.parametrize("baseline", ["black", "gray", "blurred", "random", 20.0])
def test_probabilities_of_a_linear_network(baseline, linear, pixels):
    model, weights = linear
    maps = random_maps(pixels, seed=3)
    empty = baseline_images(pixels, baseline, seed=4)
    for function, before, after in ((deletion, pixels, empty), (insertion, empty, pixels)):
        curve = function(model, pixels, maps, 2, steps=STEPS, baseline=baseline, seed=4)
        for image in range(2):
            between = replaced(before[image], after[image], maps[image])
            logits = np.einsum("nhwc,hwck->nk", np.float64(between), weights)
            expected = softmax(logits, 1)[:, 2]
            np.testing.assert_allclose(curve.scores[image], expected, rtol=1e-4)
        np.testing.assert_allclose(curve.shares, np.round(np.linspace(0, 36, 10)) / 36)


def test_other_targets_go_from_one_to_zero_and_back(linear, pixels):
    model, weights = linear
    maps = random_maps(pixels)
    contrast = (pixels * (weights[..., 0] - weights[..., 1])).sum(-1)
    for function, full in ((deletion, 1), (insertion, 0)):
        curve = function(model, pixels, maps, explain.contrast(0, 1), steps=STEPS, baseline="black")
        for image in range(2):
            left = replaced(
                contrast[image][..., None] * [1, 0, 0], np.zeros((6, 6, 3)), maps[image]
            )
            share = left.sum((1, 2, 3)) / contrast[image].sum()
            expected = share if full else 1 - share
            np.testing.assert_allclose(curve.scores[image], expected, rtol=1e-3, atol=1e-3)


def test_the_area_of_a_straight_line_and_of_a_step():
    shares = np.linspace(0, 1, 11)
    assert Curve(shares, shares[np.newaxis]).areas == pytest.approx([0.5])
    step = np.float64(shares <= 0.5)[np.newaxis]
    assert Curve(shares, step).areas == pytest.approx([0.55])


def test_the_true_contributions_have_the_best_areas(linear, pixels):
    model, _ = linear
    target = explain.contrast(1, 2)
    exact = explain.gradient_x_input(model, pixels, target)
    exact *= np.sign(exact.sum((1, 2), keepdims=True))  # towards the value of the whole image
    options = {"steps": 36, "baseline": "black"}
    least = deletion(model, pixels, exact, target, **options).areas
    most = insertion(model, pixels, exact, target, **options).areas
    for seed in range(5):
        noise = random_maps(pixels, seed)
        assert (deletion(model, pixels, noise, target, **options).areas > least).all()
        assert (insertion(model, pixels, noise, target, **options).areas < most).all()


def test_a_map_turned_around_takes_the_curve_from_the_other_end(linear, pixels):
    """Deleting the least important first is inserting the most important, backwards."""
    model, _ = linear
    maps = random_maps(pixels)
    first = deletion(model, pixels, -maps, 1, steps=STEPS, baseline="gray").scores
    second = insertion(model, pixels, maps, 1, steps=STEPS, baseline="gray").scores
    np.testing.assert_allclose(first, second[:, ::-1], rtol=1e-5)


def test_pixels_of_equal_values_are_in_random_order():
    maps = np.zeros((2, 4, 4), np.float32)
    maps[:, 1, 2] = 1
    order = importance_order(maps, 5)
    assert (order[:, 1, 2] == 0).all()
    assert sorted(order[0].ravel()) == list(range(16))
    assert (np.diff(order[0].ravel()) != 1).any()
    np.testing.assert_array_equal(order, importance_order(maps, 5))
    assert (order != importance_order(maps, 6)).any()


@pytest.mark.parametrize("function", [deletion, insertion])
@pytest.mark.parametrize("form", (*SAME, *OTHERS))
def test_a_network_in_another_form_has_the_same_curve(form, function, functional, images):
    fitting = images[..., :1] if form == "gray" else images
    maps = random_maps(images)
    curve = function(build(form), fitting, maps, [1, 0], steps=7)
    assert curve.scores.shape == (2, 8)
    assert (curve.scores >= 0).all() and (curve.scores <= 1).all()
    if form in SAME:
        expected = function(functional, images, maps, [1, 0], steps=7).scores
        np.testing.assert_allclose(curve.scores, expected, rtol=1e-4, atol=1e-7)


def test_without_a_target_the_predicted_class_is_followed(functional, images):
    maps, predicted = random_maps(images), functional(images).numpy().argmax(1)
    one = deletion(functional, images, maps, steps=5).scores
    np.testing.assert_array_equal(
        one, deletion(functional, images, maps, predicted, steps=5).scores
    )
    np.testing.assert_allclose(one[:, 0], softmax(functional(images).numpy(), 1).max(1), rtol=1e-4)


def test_a_channel_is_a_target(functional, images):
    curve = insertion(functional, images, random_maps(images), channel("conv1", 1), steps=5)
    np.testing.assert_allclose(curve.scores[:, [0, -1]], [[0, 1]] * 2, atol=1e-9)


def test_progress_is_told_batch_by_batch(functional, images):
    maps = random_maps(images)
    steps, progress = deletion.steps(functional, images, maps, 1, steps=40), []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            curve = end.value
            break
    assert progress == [(1, 3), (2, 3), (3, 3)]  # 82 images
    expected = deletion(functional, images, maps, 1, steps=40).scores
    np.testing.assert_array_equal(curve.scores, expected)


def test_bad_input_is_said_in_one_sentence(functional, images):
    maps = random_maps(images)
    for wrong, words in (
        ({"maps": maps[:1]}, r"`maps` must be \(2, 16, 16\).*\(1, 16, 16\)"),
        ({"maps": np.full_like(maps, np.nan)}, "`maps` must be finite"),
        ({"images": images[:, 1:]}, "takes images of"),
        ({"steps": 0}, "`steps` must be 1 to 256"),
        ({"steps": 257}, "`steps` must be 1 to 256"),
        ({"target": 3}, "has 3 units"),
        ({"baseline": "purple"}, "`baseline` must be"),
    ):
        arguments = {"images": images, "maps": maps} | wrong
        with pytest.raises(IncompatibleError, match=words):
            deletion(functional, **arguments)


def test_a_target_that_the_baseline_does_not_change_has_no_curve(functional, images):
    with pytest.raises(ExplanationError, match="same value for image 1 of 2"):
        target = class_logit(0) - class_logit(1)
        deletion(functional, images, random_maps(images), target, baseline=images)
