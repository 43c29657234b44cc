"""Every method on every form of network: the registry is walked."""

import keras
import numpy as np
import pytest

from cnnkit.explain import contrast, get_method, list_methods
from cnnkit.models import load_without_top
from cnnkit.training.network import with_head
from cnnkit.training.recipe import Head
from cnnkit.visualize.objectives import channel, neuron
from tests.network_forms import OTHERS, SAME, build

FEW = {"samples": 6, "steps": 8, "masks": 24, "patch": 4}


def explained(method: str, model, images, target=None, **options):
    """Maps with few samples, as many as a test needs."""
    chosen = get_method(method)
    few = {name: value for name, value in FEW.items() if name in chosen.options}
    return chosen(model, images, target, **few | options)


def check(method, maps, images):
    assert maps.dtype == np.float32
    assert maps.shape == images.shape[:3]
    assert np.isfinite(maps).all()
    assert all(one.any() for one in maps)
    if not get_method(method).signed:
        assert maps.min() >= 0


@pytest.fixture(scope="module")
def forms():
    return {form: build(form) for form in (*SAME, *OTHERS)}


@pytest.mark.parametrize("method", list_methods())
@pytest.mark.parametrize("form", SAME)
def test_a_network_in_another_form_has_the_same_maps(form, method, forms, functional, images):
    maps = explained(method, forms[form], images, 1)
    check(method, maps, images)
    expected = explained(method, functional, images, 1)
    np.testing.assert_allclose(maps, expected, rtol=2e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("method", list_methods())
@pytest.mark.parametrize("form", OTHERS)
def test_gray_networks_and_binary_heads_are_explained_too(form, method, forms, images):
    fitting = images[..., :1] if form == "gray" else images
    check(method, explained(method, forms[form], fitting, 1), fitting)


@pytest.mark.parametrize("method", list_methods())
def test_another_target_has_another_map(method, functional, images):
    one, other = (explained(method, functional, images, target) for target in (0, 1))
    assert not np.allclose(one / np.abs(one).max(), other / np.abs(other).max(), atol=1e-3)


@pytest.mark.parametrize("method", list_methods())
def test_each_image_of_a_batch_is_explained_by_itself(method, functional, images):
    together = explained(method, functional, images, [2, 1])
    alone = [
        explained(method, functional, images[i : i + 1], target) for i, target in enumerate((2, 1))
    ]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", list_methods())
def test_a_pair_of_classes_a_channel_and_a_neuron_are_targets(method, functional, images):
    targets = (contrast(1, 0), channel("conv1", 2), neuron("relu", 3, row=2, column=1))
    layer = {"layer": "conv1"} if "layer" in get_method(method).options else {}
    for target in targets:
        check(method, explained(method, functional, images, target, **layer), images)


@pytest.mark.parametrize("method", list_methods())
def test_without_a_target_the_predicted_class_is_explained(method, functional, images):
    predicted = functional(images).numpy().argmax(1)
    np.testing.assert_array_equal(
        explained(method, functional, images), explained(method, functional, images, predicted)
    )


def test_the_two_classes_of_a_binary_head_are_each_other_s_opposite(forms, images):
    one, other = (explained("gradient_x_input", forms["binary head"], images, t) for t in (0, 1))
    np.testing.assert_allclose(one, -other, rtol=1e-5)


@pytest.mark.parametrize("method", list_methods())
@pytest.mark.parametrize(
    "weights", [None, pytest.param("imagenet", marks=pytest.mark.weights)], ids=["random", "real"]
)
def test_vgg16_without_top_and_a_head_of_flowers(method, weights):
    model = flowers_network(weights)
    image = np.float32(np.random.default_rng(3).uniform(0, 255, (1, 48, 48, 3)))
    options = {"channels": 8} if method == "score_cam" else {}
    check(method, explained(method, model, image, 4, **options), image)


_NETWORKS: dict = {}


def flowers_network(weights):
    """VGG16 for small images with the head that Fine-tune gives it; the head is not trained."""
    if weights not in _NETWORKS:
        keras.utils.set_random_seed(0)
        base = load_without_top("vgg16", weights=weights, size=48, seed=1)
        _NETWORKS[weights] = with_head(base, Head(units=16), 17, 0)
    return _NETWORKS[weights]
