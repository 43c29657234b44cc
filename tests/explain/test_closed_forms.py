"""On linear networks every map is known in closed form; others are transcribed to NumPy."""

import keras
import numpy as np
import pytest
from scipy.ndimage import zoom
from scipy.signal import correlate

from cnnkit import explain
from cnnkit.errors import ExplanationError
from cnnkit.explain.baselines import BASELINES, baseline_images
from cnnkit.explain.gradients import noisy_images
from cnnkit.explain.occluding import patches, random_masks
from cnnkit.image_io import decode_image
from cnnkit.models import open_pretrained
from cnnkit.predict import prepare
from cnnkit.settings import get_settings
from cnnkit.visualize.objectives import class_logit

SIDE = 8
L = keras.layers


@pytest.fixture(scope="module")
def pixels():
    return np.float32(np.random.default_rng(1).uniform(0, 255, (2, SIDE, SIDE, 3)))


@pytest.fixture(scope="module")
def linear():
    """Three logits, each a weighted sum of the pixels; and the weights (8, 8, 3, classes)."""
    image = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(image, L.Dense(3)(L.Flatten()(image)), name="linear")
    kernel = np.random.default_rng(2).normal(size=(SIDE * SIDE * 3, 3)).astype(np.float32)
    model.set_weights([kernel, np.float32([0.5, -1, 2])])
    return model, kernel.reshape(SIDE, SIDE, 3, 3)


@pytest.fixture(scope="module")
def pooled():
    """One convolution with ReLU, the mean of each map, three logits; and its weights."""
    image = keras.Input((SIDE, SIDE, 3))
    maps = L.Conv2D(5, 3, activation="relu", name="conv")(image)
    model = keras.Model(image, L.Dense(3)(L.GlobalAveragePooling2D()(maps)), name="pooled")
    draw = np.random.default_rng(4)
    shapes = [weight.shape for weight in model.weights]
    weights = [np.float32(draw.normal(0, 0.1, shape)) for shape in shapes]
    model.set_weights(weights)
    return model, weights


def numpy_maps(image, kernel, bias):
    """The convolution of one image before its ReLU, float64 (6, 6, filters)."""
    maps = [
        correlate(np.float64(image), np.float64(kernel[..., k]), "valid")[..., 0] + bias[k]
        for k in range(kernel.shape[-1])
    ]
    return np.stack(maps, -1)


def numpy_gradient(image, weights, label):
    """The gradient of one logit of `pooled` by the pixels, written out."""
    kernel, bias, dense, _ = weights
    before = numpy_maps(image, kernel, bias)
    slopes = (before > 0) * dense[:, label] / (before.shape[0] * before.shape[1])
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(before.shape[:2]):
        window = np.tensordot(kernel, slopes[row, column], 1)
        gradient[row : row + 3, column : column + 3] += window
    return gradient


def test_gradients_of_a_linear_network_are_its_weights(linear, pixels):
    model, weights = linear
    largest = np.broadcast_to(np.abs(weights[..., 1]).max(-1), (2, SIDE, SIDE))
    for method in (explain.gradient, explain.guided_backpropagation, explain.smoothgrad):
        np.testing.assert_allclose(method(model, pixels, 1), largest, rtol=1e-5)
    product = (pixels * weights[..., 1]).sum(-1)
    np.testing.assert_allclose(explain.gradient_x_input(model, pixels, 1), product, rtol=1e-4)


@pytest.mark.parametrize("baseline", BASELINES)
def test_integrated_gradients_of_a_linear_network(baseline, linear, pixels):
    model, weights = linear
    start = baseline_images(pixels, baseline, seed=3)
    maps = explain.integrated_gradients(model, pixels, 2, steps=4, baseline=baseline, seed=3)
    expected = ((pixels - start) * weights[..., 2]).sum(-1)
    np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-2)
    gap = explain.completeness_gap(model, pixels, maps, 2, baseline=baseline, seed=3)
    assert gap.max() < 1e-4


def test_a_contrast_in_a_linear_network_is_the_difference_of_the_weights(linear, pixels):
    model, weights = linear
    maps = explain.gradient_x_input(model, pixels, explain.contrast(0, 2))
    expected = (pixels * (weights[..., 0] - weights[..., 2])).sum(-1)
    np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-2)


def test_vargrad_of_a_linear_network_says_that_nothing_varies(linear, pixels):
    with pytest.raises(ExplanationError, match="the same for every noise"):
        explain.vargrad(linear[0], pixels, 1)


def test_occlusion_of_a_linear_network(linear, pixels):
    model, weights = linear
    maps = explain.occlusion(model, pixels, 0, patch=4, stride=2, baseline="black")
    share = (pixels * weights[..., 0]).sum(-1)
    total, count = np.zeros((2, SIDE, SIDE)), np.zeros((SIDE, SIDE))
    for rows, columns in patches((SIDE, SIDE), 4, 2):
        total[:, rows, columns] += share[:, rows, columns].sum((1, 2), keepdims=True)
        count[rows, columns] += 1
    np.testing.assert_array_equal(count, 4)  # each pixel is hidden equally often
    np.testing.assert_allclose(maps, total / count, rtol=1e-3, atol=5e-2)


def test_rise_of_a_linear_network(linear, pixels):
    model, weights = linear
    target = 1 * class_logit(1) + 0 * class_logit(0)  # no single class: by its logit
    maps = explain.rise(model, pixels, target, masks=40, grid=3, visible=0.4, seed=5)
    generator, masks = np.random.default_rng(5), []
    for count in (32, 8):
        masks.append(random_masks(generator, count, (SIDE, SIDE), 3, 0.4))
    masks = np.concatenate(masks)
    scores = np.einsum("nhwc,hwc,mhw->nm", pixels, weights[..., 1], masks) - 1
    expected = np.einsum("nm,mhw->nhw", scores, masks) / (40 * 0.4)
    np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=5e-2)


def test_rise_weighs_by_the_probability_of_a_class(linear, pixels):
    small = pixels / 100
    maps = explain.rise(linear[0], small, 1, masks=16, seed=5)
    masks = random_masks(np.random.default_rng(5), 16, (SIDE, SIDE), 7, 0.5)
    expected = []
    for image in small:
        logits = linear[0](image * masks[..., np.newaxis]).numpy()
        odds = np.exp(logits - logits.max(1, keepdims=True))
        weights = odds[:, 1] / odds.sum(1)
        expected.append(np.tensordot(weights, masks, 1) / 8)
    np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-6)


def test_gradient_methods_agree_with_numpy(pooled, pixels):
    model, weights = pooled
    slopes = np.stack([numpy_gradient(image, weights, 1) for image in pixels])
    np.testing.assert_allclose(
        explain.gradient(model, pixels, 1), np.abs(slopes).max(-1), rtol=1e-3, atol=1e-6
    )
    np.testing.assert_allclose(
        explain.gradient_x_input(model, pixels, 1), (slopes * pixels).sum(-1), rtol=1e-3, atol=1e-3
    )


def test_integrated_gradients_agree_with_numpy(pooled, pixels):
    """With a NumPy network, whose gradient is taken at a thousand points of the way."""
    model, weights = pooled
    expected = np.zeros((2, SIDE, SIDE))
    for number, image in enumerate(pixels):
        for share in (np.arange(1000) + 0.5) / 1000:
            expected[number] += (numpy_gradient(share * image, weights, 0) * image).sum(-1) / 1000
    maps = explain.integrated_gradients(model, pixels, 0, steps=128)
    np.testing.assert_allclose(maps, expected, atol=2e-3 * np.abs(expected).max())


def test_integrated_gradients_of_two_steps_take_the_gradients_at_both_ends(pooled, pixels):
    model, weights = pooled
    start = baseline_images(pixels, "gray")
    expected = [
        sum((numpy_gradient(one, weights, 0) * (end - begin)).sum(-1) / 2 for one in (begin, end))
        for begin, end in zip(start, pixels, strict=True)
    ]
    maps = explain.integrated_gradients(model, pixels, 0, steps=2, baseline="gray")
    np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("steps", [2, 3, 8, 17, 64])
def test_integrated_gradients_take_so_many_gradients(steps, pooled, pixels, monkeypatch):
    scores, counts = explain.ScoreModel(pooled[0]), []
    gradients = scores.gradients
    monkeypatch.setattr(
        scores, "gradients", lambda x, *a: counts.append(len(x)) or gradients(x, *a)
    )
    progress = list(explain.integrated_gradients.steps(scores, pixels[:1], 0, steps=steps))
    assert sum(counts) == steps
    assert progress[-1] == (steps, steps)


def test_integrated_gradients_look_where_the_gradient_jumps():
    """A score that is 0 to .3 of the way and then rises: a fixed rule meets the kink by chance."""
    image, bias = np.full((1, 4, 4, 1), 100, np.float32), -0.3 * 1600
    source = keras.Input((4, 4, 1))
    dense = keras.layers.Dense(1, activation="relu")
    rises = dense(keras.layers.Flatten()(source))
    model = keras.Model(source, keras.layers.Dense(2)(rises))
    dense.set_weights([np.ones((16, 1), np.float32), np.float32([bias])])
    model.layers[-1].set_weights([np.float32([[1, 0]]), np.zeros(2, np.float32)])
    maps = explain.integrated_gradients(model, image, 0, steps=64)
    np.testing.assert_allclose(maps, 70, rtol=1e-3)


def test_smoothgrad_and_vargrad_agree_with_numpy(pooled, pixels):
    model, weights = pooled
    image = pixels[:1]
    copies = noisy_images(image, 10, 0.3, 7)
    assert 0.8 < (copies - image).std() / (0.3 * np.ptp(image)) < 1.2
    slopes = np.stack([numpy_gradient(copy, weights, 2) for copy in copies])
    options = {"samples": 10, "noise": 0.3, "seed": 7}
    np.testing.assert_allclose(
        explain.smoothgrad(model, image, 2, **options)[0],
        np.abs(slopes.mean(0)).max(-1),
        rtol=1e-3,
        atol=1e-6,
    )
    np.testing.assert_allclose(
        explain.vargrad(model, image, 2, **options)[0], slopes.var(0).max(-1), rtol=1e-3, atol=1e-8
    )


@pytest.mark.parametrize("method", [explain.smoothgrad, explain.vargrad, explain.rise])
def test_another_seed_gives_another_map_and_the_same_seed_the_same(method, pooled, pixels):
    few = {"masks": 32} if method is explain.rise else {"samples": 8}
    first, again, other = (method(pooled[0], pixels, 1, seed=s, **few) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_guided_backpropagation_agrees_with_numpy(pixels):
    image = keras.Input((SIDE, SIDE, 3))
    x = L.Dense(20, activation="relu")(L.Flatten()(image))
    x = L.Dense(12, activation="relu")(x)
    model = keras.Model(image, L.Dense(3)(x))
    draw = np.random.default_rng(6)
    model.set_weights([np.float32(draw.normal(0, 0.1, w.shape)) for w in model.weights])
    w1, b1, w2, b2, w3, _ = model.get_weights()
    first = pixels.reshape(2, -1) @ w1 + b1
    second = np.maximum(first, 0) @ w2 + b2
    slope = np.maximum(w3[:, 1], 0) * (second > 0)
    slope = np.maximum(slope @ w2.T, 0) * (first > 0)
    expected = np.abs((slope @ w1.T).reshape(pixels.shape)).max(-1)
    np.testing.assert_allclose(
        explain.guided_backpropagation(model, pixels, 1), expected, rtol=1e-3, atol=1e-6
    )


def upsampled(maps):
    return np.maximum(np.stack([zoom(one, SIDE / 6, order=1) for one in maps]), 0)


def test_class_activation_maps_agree_with_numpy(pooled, pixels):
    model, (kernel, bias, dense, _) = pooled
    maps = np.maximum([numpy_maps(image, kernel, bias) for image in pixels], 0)
    options = {"align_corners": True}
    # With the mean of each map before the logits, the gradient is the same at each position.
    cam = np.maximum((maps * dense[:, 1]).sum(-1) / 36, 0)
    np.testing.assert_allclose(
        explain.grad_cam(model, pixels, 1, **options), upsampled(cam), rtol=1e-3, atol=1e-5
    )
    positive = np.maximum((maps * np.maximum(dense[:, 1], 0)).sum(-1) / 36, 0)
    for method in (explain.layer_cam, explain.grad_cam_plus_plus):
        np.testing.assert_allclose(
            method(model, pixels, 1, **options), upsampled(positive), rtol=1e-3, atol=1e-5
        )


def test_grad_cam_plus_plus_weighs_positions_by_the_paper_s_formula(pixels):
    image = keras.Input((SIDE, SIDE, 3))
    maps = L.Conv2D(4, 3, name="conv")(image)
    model = keras.Model(image, L.Dense(3)(L.Flatten()(maps)), name="flat")
    draw = np.random.default_rng(8)
    model.set_weights([np.float32(np.abs(draw.normal(0, 0.1, w.shape))) for w in model.weights])
    kernel, bias, dense, _ = model.get_weights()
    slopes = dense[:, 2].reshape(6, 6, 4)
    expected = []
    for one in pixels / 255:
        before = numpy_maps(one, kernel, bias)
        alphas = slopes**2 / (2 * slopes**2 + before.sum((0, 1)) * slopes**3)
        alphas /= alphas.sum((0, 1))
        weights = (np.maximum(slopes, 0) * alphas).sum((0, 1))
        expected.append(np.maximum((weights * before).sum(-1), 0))
    maps = explain.grad_cam_plus_plus(model, pixels / 255, 2, align_corners=True)
    np.testing.assert_allclose(maps, upsampled(expected), rtol=2e-3, atol=1e-5)


def test_score_cam_agrees_with_numpy(pooled, pixels):
    model, (kernel, bias, _, _) = pooled
    maps = np.maximum([numpy_maps(image, kernel, bias) for image in pixels], 0)
    expected = []
    for image, own in zip(pixels, maps, strict=True):
        cam = np.zeros((6, 6))
        for channel in np.flatnonzero(own.std((0, 1))):
            mask = zoom(own[..., channel], SIDE / 6, order=1)
            mask = (mask - mask.min()) / (mask.max() - mask.min())
            logits = np.float64(model(np.float32(image * mask[..., np.newaxis])[np.newaxis])[0])
            odds = np.exp(logits - logits.max())
            cam += odds[1] / odds.sum() * own[..., channel]
        expected.append(cam)
    result = explain.score_cam(model, pixels, 1, align_corners=True)
    np.testing.assert_allclose(result, upsampled(expected), rtol=1e-3, atol=1e-4)


def test_maps_are_enlarged_so_that_each_stays_over_what_it_saw(pooled, pixels):
    """By default values stand in the middle of their cells, as in most libraries."""
    image = np.zeros((1, 64, 64, 1), np.float32)
    image[0, 40:48, 16:24] = 255
    source = keras.Input((64, 64, 1))
    cells = L.Activation("linear", name="cells")(L.AveragePooling2D(8)(source))
    model = keras.Model(source, L.Dense(2)(L.GlobalAveragePooling2D()(cells)))
    model.set_weights([np.float32([[1, -1]]), np.zeros(2, np.float32)])
    map_ = explain.grad_cam(model, image, 0, layer="cells")[0]
    rows, columns = np.nonzero(map_ > map_.max() * 0.99)
    assert (rows.mean(), columns.mean()) == (43.5, 19.5)


@pytest.mark.weights
@pytest.mark.endurance
@pytest.mark.parametrize("network", ["googlenet", "mobilenet_v2"])
def test_integrated_gradients_are_complete_to_one_percent_at_64_steps(network):
    opened = open_pretrained(network)
    paths = sorted((get_settings().data_dir / "photos").glob("*.jpg"))[:3]
    images = np.float32(
        [prepare(decode_image(path.read_bytes()), opened.card.input_shape) for path in paths]
    )
    maps = explain.integrated_gradients(opened.model, images, steps=64)
    gaps = explain.completeness_gap(opened.model, images, maps)
    assert gaps.mean() < 0.01


def test_methods_are_listed_in_one_order_whichever_module_was_imported_first(monkeypatch):
    from cnnkit.explain import registry

    listed = explain.list_methods()
    backwards = sorted(registry.METHODS.items(), key=lambda item: item[1].family, reverse=True)
    for order in (backwards, backwards[::-1]):
        families = {name: method.family for name, method in order}
        monkeypatch.setattr(registry, "METHODS", dict(order))
        ranks = [[*registry.FAMILIES].index(families[name]) for name in explain.list_methods()]
        assert ranks == sorted(ranks)
    assert listed[0] == "gradient" and listed[-1] == "rise"
