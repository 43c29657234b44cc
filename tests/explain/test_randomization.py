"""Weight randomization: what is randomized, what stays as it is, and what maps make of it."""

import keras
import numpy as np
import pytest
from scipy.ndimage import correlate

from cnnkit import explain
from cnnkit.errors import IncompatibleError, UnknownNameError
from cnnkit.explain import (
    Method,
    Randomization,
    depends_on_weights,
    list_methods,
    upper_correlation,
    weight_randomization,
)
from cnnkit.explain.randomization import copy_of, structural_similarity, weighted_layers
from cnnkit.image_io import decode_image
from cnnkit.models import open_pretrained
from cnnkit.predict import example_photos, prepare
from cnnkit.settings import get_settings
from tests.network_forms import OTHERS, SAME, SIZE, build

FROM_THE_TOP = (("logits",), ("conv2",), ("conv1",))


def edges_of(scores, images, target):
    """Shows the image, whatever the network."""
    yield 1, 1
    return np.abs(np.diff(images, axis=1, append=0)).max(-1)


EDGES = Method("edges", "Edges", "gradient", "", edges_of, {}, {}, False, "the image is black")


def names(test):
    return tuple(tuple(name.rpartition("/")[2] for name in stage) for stage in test.layers)


@pytest.mark.parametrize("form", (*SAME, *OTHERS))
def test_every_form_is_randomized_from_the_top_and_stays_as_it_is(form, images):
    model = build(form)
    before = model.get_weights()
    fitting = images[..., :1] if form == "gray" else images
    test = weight_randomization("gradient", model, fitting, 1)
    assert names(test)[1:] == FROM_THE_TOP[1:] and len(names(test)) == 3
    assert test.maps.shape == (3, 2, SIZE, SIZE) and np.isfinite(test.maps).all()
    for values in (test.correlations, test.similarities):
        assert values.shape == (3, 2) and (np.abs(values) <= 1).all()
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("order", ["cascading", "independent"])
def test_maps_are_those_of_a_network_with_shuffled_weights(order, functional, images):
    test = weight_randomization("gradient", functional, images, 1, order=order, seed=4)
    shuffled, original = build("functional"), functional.get_weights()
    for stage, names_ in enumerate((["logits"], ["conv2", "normalization"], ["conv1"])):
        if order == "independent":
            shuffled.set_weights(original)
        generator = np.random.default_rng([4, 2 - stage])
        for name in names_:
            layer = shuffled.get_layer(name)
            values = [np.asarray(one) for one in layer.get_weights()]
            layer.set_weights([generator.permutation(v.ravel()).reshape(v.shape) for v in values])
        np.testing.assert_allclose(
            test.maps[stage], explain.gradient(shuffled, images, 1), rtol=1e-4, atol=1e-7
        )


def test_stages_take_several_layers_each_and_end_alike(functional, images):
    whole = weight_randomization("gradient", functional, images, 1)
    test = weight_randomization("gradient", functional, images, 1, stages=2)
    assert sum(map(len, test.layers)) == 3 and len(test.layers) == 2
    np.testing.assert_allclose(test.maps[-1], whole.maps[-1], rtol=1e-5)


def test_a_copy_is_another_network_with_the_same_output(images):
    for form in (*SAME, "gray"):
        model = build(form)
        fitting = images[..., :1] if form == "gray" else images
        copy = copy_of(model)
        np.testing.assert_allclose(copy(fitting), model(fitting), rtol=1e-5)
        own = {
            id(layer)
            for _, _, layers in weighted_layers(model, fitting.shape[1:])
            for layer in layers
        }
        for _, _, layers in weighted_layers(copy, fitting.shape[1:]):
            assert not own & {id(layer) for layer in layers}


def test_preprocessing_is_not_randomized(images):
    source = keras.Input((SIZE, SIZE, 3))
    scale = keras.layers.Normalization(mean=[1.0, 2, 3], variance=[4.0, 5, 6])
    x = keras.layers.Conv2D(2, 3, name="conv")(scale(source))
    model = keras.Model(source, keras.layers.GlobalAveragePooling2D()(x))
    assert weight_randomization("gradient", model, images, 1).layers == (("conv",),)


def test_a_map_of_the_image_alone_does_not_depend_on_the_weights(functional, images):
    test = weight_randomization(EDGES, functional, images, 1)
    np.testing.assert_allclose(test.correlations, 1)
    np.testing.assert_allclose(test.similarities, 1, atol=1e-5)
    assert not depends_on_weights(test).any()


def test_the_gradient_depends_on_the_weights(functional, images):
    test = weight_randomization("gradient", functional, images, explain.contrast(0, 1))
    assert depends_on_weights(test).all()
    assert not depends_on_weights(test, threshold=-1).any()


def test_the_verdict_rests_on_the_upper_half_of_the_layers():
    """Two of five layers are the upper half; in one stage there is no half."""
    layers = (("fc",), ("conv4",), ("conv3",), ("conv2", "conv1"))
    correlations = np.array([[0.9, 0.5], [0.7, 0.7], [0.1, 1], [0.1, 1]])
    maps = np.zeros((4, 2, 3, 3))
    test = Randomization(layers, maps, correlations, correlations)
    np.testing.assert_allclose(upper_correlation(test), [0.8, 0.6])
    np.testing.assert_array_equal(depends_on_weights(test), [False, True])
    whole = Randomization((("fc", "conv"),), maps[:1], correlations[2:3], correlations[2:3])
    np.testing.assert_allclose(upper_correlation(whole), [0.1, 1])


@pytest.mark.weights
@pytest.mark.endurance
@pytest.mark.parametrize("network", ["googlenet", "mobilenet_v2"])
def test_guided_backpropagation_fails_with_real_weights_and_others_pass(network):
    """As Adebayo et al. found."""
    opened = open_pretrained(network)
    path = sorted(example_photos(get_settings().data_dir).values())[0]
    image = prepare(decode_image(path.read_bytes()), opened.card.input_shape)
    image = np.float32(image)[np.newaxis]
    for method in ("guided_backpropagation", "gradient", "grad_cam"):
        test = weight_randomization(method, opened.model, image, stages=4)
        assert depends_on_weights(test) == [method != "guided_backpropagation"]


def test_the_seed_repeats_and_differs_and_a_map_can_be_given(functional, images):
    first, again, other = (
        weight_randomization("gradient", functional, images, 1, seed=s).maps for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    maps = explain.gradient(functional, images, 1)
    given = weight_randomization("gradient", functional, images, 1, maps=maps, seed=1)
    np.testing.assert_allclose(given.maps, first, rtol=1e-6)


def test_without_a_target_it_is_the_class_that_was_predicted_before(functional, images):
    predicted = functional(images).numpy().argmax(1)
    np.testing.assert_allclose(
        weight_randomization("gradient", functional, images).maps,
        weight_randomization("gradient", functional, images, predicted).maps,
        rtol=1e-6,
    )


@pytest.mark.parametrize("method", list_methods())
def test_every_method_can_be_tested(method, functional, images):
    few = {"samples": 4, "steps": 4, "masks": 16}
    options = {k: v for k, v in few.items() if k in explain.get_method(method).options}
    test = weight_randomization(method, functional, images, 1, stages=1, options=options)
    assert np.isfinite(test.maps).all() and np.isfinite(test.correlations).all()


def test_a_map_that_becomes_zero_has_nothing_in_common_with_the_one_before(functional, images):
    def vanishing(scores, images, target):
        yield 1, 1
        return np.full(images.shape[:3], np.nan if scores.model is not functional else 1.0)

    method = Method("vanishing", "Vanishing", "gradient", "", vanishing, {}, {}, False, "")
    test = weight_randomization(method, functional, images, 1)
    np.testing.assert_array_equal(test.maps, 0)
    np.testing.assert_array_equal(test.correlations, 0)


def test_progress_counts_the_batches_of_all_maps(functional, images):
    steps = weight_randomization.steps("smoothgrad", functional, images, options={"samples": 16})
    progress = list(steps)
    assert progress == [(done, 16) for done in range(1, 17)]  # four maps, two images, two batches


def test_structural_similarity_agrees_with_scipy():
    draw = np.random.default_rng(0)
    one = draw.random((24, 20))
    other = np.abs(one + draw.normal(0, 0.1, one.shape))
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    x, y = ((v - v.min()) / np.ptp(v) for v in (one, other))

    def mean(values):
        return correlate(values, window)[5:-5, 5:-5]

    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    expected = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    found = structural_similarity(one[np.newaxis], -other[np.newaxis])
    np.testing.assert_allclose(found, expected.mean(), rtol=1e-3)


def test_bad_input_is_said_in_one_sentence(functional, images):
    for wrong, words in (
        ({"order": "upwards"}, "`order` must be one of cascading, independent"),
        ({"stages": 0}, "`stages` must be 1 to 3"),
        ({"stages": 4}, "`stages` must be 1 to 3"),
        ({"maps": images}, "`maps` must be"),
        ({"target": 3}, "has 3 units"),
    ):
        with pytest.raises(IncompatibleError, match=words):
            weight_randomization("gradient", functional, images, **wrong)
    with pytest.raises(UnknownNameError, match="samples"):
        weight_randomization("gradient", functional, images, options={"samples": 3})
    source = keras.Input((SIZE, SIZE, 3))
    empty = keras.Model(source, keras.layers.GlobalAveragePooling2D()(source), name="empty")
    with pytest.raises(IncompatibleError, match="'empty' has no layers with weights"):
        weight_randomization("gradient", empty, images)
