"""Sensitivity to noise, on networks where it is known."""

import keras
import numpy as np
import pytest

from cnnkit import explain
from cnnkit.errors import IncompatibleError, UnknownNameError
from cnnkit.explain import max_sensitivity
from tests.network_forms import OTHERS, SAME, build

L = keras.layers


@pytest.fixture(scope="module")
def linear(images):
    source = keras.Input(images.shape[1:])
    model = keras.Model(source, L.Dense(3)(L.Flatten()(source)), name="linear")
    kernel = np.float32(np.random.default_rng(2).normal(size=(images[0].size, 3)))
    model.set_weights([kernel, np.zeros(3, np.float32)])
    return model, kernel.reshape(*images.shape[1:], 3)


def test_the_gradient_of_a_linear_network_never_changes(linear, images):
    assert max_sensitivity(explain.gradient, linear[0], images, 1) == pytest.approx([0, 0])


def test_gradient_times_input_of_a_linear_network_changes_with_the_noise(linear, images):
    model, weights = linear
    inside = np.clip(images, 20, 235)  # so that no value is clipped
    generator, changes = np.random.default_rng(7), []
    for _ in range(4):
        noise = generator.uniform(-0.05, 0.05, images.shape) * 255
        changes.append(np.linalg.norm((noise * weights[..., 1]).sum(-1), axis=(1, 2)))
    norms = np.linalg.norm((inside * weights[..., 1]).sum(-1), axis=(1, 2))
    found = max_sensitivity("gradient_x_input", model, inside, 1, radius=0.05, samples=4, seed=7)
    np.testing.assert_allclose(found, np.max(changes, 0) / norms, rtol=1e-3)


def test_noise_leaves_no_value_outside_the_range(linear, images):
    black = np.zeros_like(images)
    maps = explain.gradient(linear[0], images, 1)
    one = max_sensitivity("gradient_x_input", linear[0], black, 1, maps=maps, radius=0.1)
    other = max_sensitivity("gradient_x_input", linear[0], black + 128, 1, maps=maps, radius=0.1)
    assert (one > 0).all() and (one < other / 4).all()


@pytest.mark.parametrize("form", (*SAME, *OTHERS))
@pytest.mark.parametrize("method", ["gradient", "grad_cam", "occlusion"])
def test_every_form_of_network(method, form, images):
    fitting = images[..., :1] if form == "gray" else images
    found = max_sensitivity(method, build(form), fitting, 1, samples=2)
    assert found.shape == (2,) and np.isfinite(found).all() and (found > 0).all()


def test_the_seed_and_the_radius_matter_and_a_map_can_be_given(functional, images):
    first = max_sensitivity("gradient", functional, images, samples=2, seed=1)
    again = max_sensitivity("gradient", functional, images, samples=2, seed=1)
    np.testing.assert_array_equal(first, again)
    assert (first != max_sensitivity("gradient", functional, images, samples=2, seed=2)).all()
    larger = max_sensitivity("gradient", functional, images, samples=2, seed=1, radius=0.2)
    assert (larger > first).all()
    maps = explain.gradient(functional, images)
    given = max_sensitivity("gradient", functional, images, maps=maps, samples=2, seed=1)
    np.testing.assert_allclose(given, first, rtol=1e-6)


def test_options_reach_the_method_and_progress_is_told(functional, images):
    options = {"samples": 16, "seed": 3}
    steps = max_sensitivity.steps("smoothgrad", functional, images, samples=2, options=options)
    progress = list(steps)
    assert progress[-1] == (12, 12) and len(progress) == 12  # three maps, two images, two batches
    assert [done for done, _ in progress] == list(range(1, 13))


def test_bad_input_is_said_in_one_sentence(functional, images):
    for wrong in ({"samples": 0}, {"radius": 0}, {"radius": 2}):
        with pytest.raises(IncompatibleError, match="`samples` must be"):
            max_sensitivity("gradient", functional, images, **wrong)
    with pytest.raises(IncompatibleError, match="`maps` must be"):
        max_sensitivity("gradient", functional, images, maps=images)
    with pytest.raises(UnknownNameError, match="samples"):
        max_sensitivity("gradient", functional, images, options={"samples": 3})
    with pytest.raises(LookupError, match="grad_cam"):
        max_sensitivity("grad-cam", functional, images)
