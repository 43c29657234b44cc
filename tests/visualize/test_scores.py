"""Every term is what its definition says: worked out a second time in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from cnnkit import visualize as terms
from cnnkit.visualize.objectives import term_value


def value(objective, activations=None, image=None, guides=None):
    """The values of an objective's single term, and their gradient by the image."""
    ((_, term),) = objective.terms
    numbers = {name: tf.constant(v, tf.float32) for name, v in term.numbers.items()}
    activations = {k: tf.constant(v) for k, v in (activations or {}).items()}
    variable = None if image is None else tf.constant(image)
    with tf.GradientTape() as tape:
        if variable is not None:
            tape.watch(variable)
        result = term_value(term, numbers, activations, variable, guides or {})
        total = tf.reduce_sum(result)
    gradient = None if variable is None else tape.gradient(total, variable)
    return result.numpy(), None if gradient is None else gradient.numpy()


@pytest.fixture
def maps():
    return np.float32(np.random.default_rng(3).normal(size=(3, 5, 4, 6)))


@pytest.mark.parametrize("p", [0.5, 1, 2, 6, 40, np.inf])
def test_the_lp_norm_is_numpys(p, images):
    wide = np.float64(images).reshape(3, -1)
    found, _ = value(terms.lp_norm(p), image=images)
    largest = np.abs(wide).max(1)
    expected = largest * np.linalg.norm(wide / largest[:, None], ord=p, axis=1)
    np.testing.assert_allclose(found, expected / wide.shape[1], rtol=1e-4)


@pytest.mark.parametrize("p", [1, 2, 6])
def test_the_gradient_of_the_lp_norm_is_the_formulas(p, images):
    wide = np.float64(images)
    norm = (np.abs(wide) ** p).sum((1, 2, 3), keepdims=True) ** (1 / p)
    expected = np.sign(wide) * (np.abs(wide) / norm) ** (p - 1) / wide[0].size
    np.testing.assert_allclose(value(terms.lp_norm(p), image=images)[1], expected, rtol=1e-3)


@pytest.mark.parametrize("beta", [0.5, 1, 2, 3])
def test_the_total_variation_is_numpys(beta, images):
    wide = np.float64(images)
    here = wide[:, :-1, :-1]
    squares = (wide[:, 1:, :-1] - here) ** 2 + (wide[:, :-1, 1:] - here) ** 2
    expected = (squares ** (beta / 2)).sum((1, 2, 3)) / wide[0].size
    found, _ = value(terms.total_variation(beta), image=images)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_anisotropic_variation_is_tensorflows(images):
    found, _ = value(terms.anisotropic_variation(), image=images)
    expected = tf.image.total_variation(tf.constant(images)).numpy() / images[0].size
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_l2_is_the_mean_square_around_a_color(images):
    found, _ = value(terms.l2([104, 117, 123]), image=images)
    np.testing.assert_allclose(found, ((images - [104, 117, 123]) ** 2).mean((1, 2, 3)), rtol=1e-5)


@pytest.mark.parametrize(
    "objective",
    [
        terms.lp_norm(6),
        terms.lp_norm(0.5),
        terms.lp_norm(np.inf),
        terms.total_variation(1),
        terms.total_variation(2),
        terms.anisotropic_variation(),
        terms.l2(),
    ],
    ids=str,
)
@pytest.mark.parametrize("level", [0.0, 255.0])
def test_a_flat_image_has_finite_values_and_gradients(objective, level):
    flat = np.full((1, 8, 8, 3), level, np.float32)
    found, gradient = value(objective, image=flat)
    assert np.isfinite(found).all() and np.isfinite(gradient).all()


def test_a_class_is_its_logit_and_its_share_after_softmax():
    logits = np.float32([[1, 2, 3], [0, 5, -1], [2, 2, 2]])
    found, _ = value(terms.class_logit(1), {"": logits})
    np.testing.assert_allclose(found, [2, 5, 2])
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    found, _ = value(terms.class_probability([0, 1, 2]), {"": logits})
    np.testing.assert_allclose(found, shares[[0, 1, 2], [0, 1, 2]], rtol=1e-5)


def test_a_class_leads_by_the_logarithm_of_its_odds():
    logits = np.float32([[1, 2, 3], [0, 50, -1], [2, 2, 2]])
    found, _ = value(terms.class_margin([2, 1, 0]), {"": logits})
    rest = [np.logaddexp(1, 2), np.logaddexp(0, -1), np.logaddexp(2, 2)]
    np.testing.assert_allclose(found, np.array([3, 50, 2]) - rest, rtol=1e-5)


def test_a_channel_is_the_mean_of_its_map(maps):
    found, _ = value(terms.channel("a", 4), {"a": maps})
    np.testing.assert_allclose(found, maps[..., 4].mean((1, 2)), rtol=1e-5)
    found, _ = value(terms.channel("a", [0, 5, 2]), {"a": maps})
    np.testing.assert_allclose(
        found, [maps[n, ..., unit].mean() for n, unit in enumerate((0, 5, 2))], rtol=1e-5
    )
    units = maps[:, 0, 0]
    np.testing.assert_allclose(value(terms.channel("a", 3), {"a": units})[0], units[:, 3])


def test_a_neuron_is_one_place_of_a_map_by_default_the_middle(maps):
    np.testing.assert_allclose(
        value(terms.neuron("a", 1, 0, 3), {"a": maps})[0], maps[:, 0, 3, 1], rtol=1e-6
    )
    np.testing.assert_allclose(
        value(terms.neuron("a", 1), {"a": maps})[0], maps[:, 2, 2, 1], rtol=1e-6
    )


def test_a_direction_is_the_mean_product_with_a_unit_vector(maps):
    vector = np.arange(6) - 2.0
    found, _ = value(terms.direction("a", vector), {"a": maps})
    expected = (maps @ (vector / np.linalg.norm(vector))).mean((1, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_layers_energy_is_its_mean_square_with_the_border_as_zeros(maps):
    np.testing.assert_allclose(
        value(terms.layer_energy("a"), {"a": maps})[0], (maps**2).mean((1, 2, 3)), rtol=1e-5
    )
    np.testing.assert_allclose(
        value(terms.layer_energy("a", border=1), {"a": maps})[0],
        (maps[:, 1:-1, 1:-1] ** 2).sum((1, 2, 3)) / maps[0].size,
        rtol=1e-5,
    )


def test_equal_images_have_no_diversity_and_others_that_of_their_gram_matrices(maps):
    equal = np.repeat(maps[:1], 3, axis=0)
    np.testing.assert_allclose(value(terms.diversity("a"), {"a": equal})[0], 0, atol=1e-5)
    grams = [places.T @ places for places in maps.reshape(3, -1, 6)]
    cosine = lambda a, b: (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())  # noqa: E731
    alike = [np.mean([cosine(g, other) for other in grams if other is not g]) for g in grams]
    np.testing.assert_allclose(
        value(terms.diversity("a"), {"a": maps})[0], 1 - np.array(alike), rtol=1e-4
    )


def test_a_guide_takes_each_places_best_match(maps):
    guiding = np.float32(np.random.default_rng(4).normal(size=(1, 2, 2, 6)))
    found, _ = value(
        terms.guide("a", "sky"), {"a": maps}, guides={"sky": {"a": tf.constant(guiding)}}
    )
    products = maps.reshape(3, -1, 6) @ guiding.reshape(-1, 6).T
    np.testing.assert_allclose(found, products.max(2).mean(1), rtol=1e-4)
