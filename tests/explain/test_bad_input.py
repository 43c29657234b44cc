"""What cannot be explained is said in one sentence; no map is blank or NaN."""

import inspect

import keras
import numpy as np
import pytest

from cnnkit import explain
from cnnkit.errors import ExplanationError, IncompatibleError, UnknownLayerError, UnknownNameError
from cnnkit.explain import get_method, list_methods
from cnnkit.visualize.objectives import channel
from cnnkit.visualize.regularizers import l2
from tests.network_forms import build

L = keras.layers
CAMS = [name for name in list_methods() if "layer" in get_method(name).options]


@pytest.mark.parametrize("method", list_methods())
def test_images_of_another_size_are_refused(method, functional, images):
    with pytest.raises(IncompatibleError, match=r"takes images of \(16, 16, 3\).*\(2, 12, 16, 3\)"):
        get_method(method)(functional, images[:, :12])


def test_one_image_without_a_batch_and_no_image_are_refused(functional, images):
    for wrong in (images[0], images[:0]):
        with pytest.raises(IncompatibleError, match="at least one in a batch"):
            explain.gradient(functional, wrong)


def test_a_single_image_gets_the_axis_it_lacks_named(functional, images):
    with pytest.raises(IncompatibleError, match="np.newaxis"):
        explain.gradient(functional, images[0])


@pytest.mark.parametrize("dtype", [str, complex, object])
def test_images_that_are_no_numbers_are_refused(dtype, functional, images):
    with pytest.raises(IncompatibleError, match="must be numbers from 0 to 255"):
        explain.gradient(functional, images.astype(dtype))


@pytest.mark.parametrize("model", [None, "starter"])
def test_what_is_no_model_is_refused(model, images):
    with pytest.raises(TypeError, match=f"`model` must be a Keras model.*Received: .*{model}"):
        explain.gradient(model, images)


@pytest.mark.parametrize("name", list_methods())
def test_help_says_what_a_call_takes(name):
    method = get_method(name)
    signature = inspect.signature(method)
    assert list(signature.parameters) == ["model", "images", "target", *method.options]
    arguments = (inspect.getdoc(method) or "").partition("Args:")[2].partition("Returns:")[0]
    assert [p for p in signature.parameters if f"\n    {p}: " not in arguments] == []


def test_images_that_are_not_finite_are_refused(functional, images):
    with pytest.raises(IncompatibleError, match="must be finite"):
        explain.gradient(functional, np.full_like(images, np.nan))


@pytest.mark.parametrize("method", list_methods())
@pytest.mark.parametrize("target", [3, -1, [0, 7]])
def test_a_class_out_of_range_is_refused(target, method, functional, images):
    with pytest.raises(IncompatibleError, match="has 3 units, 0 to 2"):
        get_method(method)(functional, images, target)


def test_a_binary_head_has_two_classes(images):
    with pytest.raises(IncompatibleError, match="has 2 units, 0 to 1"):
        explain.gradient(build("binary head"), images, 2)


def test_targets_of_another_kind_are_refused(functional, images):
    for wrong in (0.5, "cat", [[0, 1]]):
        with pytest.raises(IncompatibleError, match="must be a class"):
            explain.gradient(functional, images, wrong)
    with pytest.raises(IncompatibleError, match="classes, channels and neurons"):
        explain.gradient(functional, images, channel("conv1", 0) - l2())
    with pytest.raises(IncompatibleError, match="each of 2"):
        explain.gradient(functional, images, [0, 1, 2])


def test_a_channel_that_is_not_there_is_refused(functional, images):
    with pytest.raises(IncompatibleError, match="'conv1' has 4 units"):
        explain.gradient(functional, images, channel("conv1", 4))
    with pytest.raises(UnknownLayerError, match="conv1"):
        explain.gradient(functional, images, channel("conv9", 0))


@pytest.mark.parametrize("method", CAMS)
def test_the_layers_with_feature_maps_are_listed(method, functional, images):
    with pytest.raises(IncompatibleError, match="'logits' has no feature maps.*conv1.*relu"):
        get_method(method)(functional, images, layer="logits")
    with pytest.raises(UnknownLayerError, match="conv1"):
        get_method(method)(functional, images, layer="conv9")


@pytest.mark.parametrize("method", CAMS)
def test_a_network_without_feature_maps_has_no_class_activation_map(method, images):
    source = keras.Input((16, 16, 3))
    model = keras.Model(source, L.Dense(2)(L.Flatten()(source)), name="dense")
    with pytest.raises(IncompatibleError, match="no layer with feature maps"):
        get_method(method)(model, images)


@pytest.mark.parametrize("method", ["grad_cam", "grad_cam_plus_plus", "layer_cam"])
def test_a_layer_after_the_target_is_refused(method, functional, images):
    with pytest.raises(IncompatibleError, match="does not depend on layer 'relu'"):
        get_method(method)(functional, images, channel("conv1", 1), layer="relu")


def test_a_network_of_several_inputs_is_refused(images):
    one, two = keras.Input((16, 16, 3)), keras.Input((16, 16, 3))
    model = keras.Model([one, two], L.Dense(2)(L.Flatten()(L.Add()([one, two]))), name="pair")
    with pytest.raises(IncompatibleError, match="must take one image"):
        explain.gradient(model, images)


@pytest.mark.parametrize("method", list_methods())
def test_weights_that_are_not_numbers_are_named(method, images):
    model = build("functional")
    model.get_layer("conv1").kernel.assign(np.full((3, 3, 3, 4), np.nan))
    for target in (None, 1):
        with pytest.raises(ExplanationError, match="weights of NaN or infinity, in conv1/kernel"):
            get_method(method)(model, images, target)


def test_a_black_image_times_its_gradient_is_zero(functional, images):
    black = np.zeros_like(images)
    with pytest.raises(ExplanationError, match="image 1 of 2.*the image is black"):
        explain.gradient_x_input(functional, black, 1)
    with pytest.raises(ExplanationError, match="another baseline"):
        explain.integrated_gradients(functional, black, 1)
    assert explain.integrated_gradients(functional, black, 1, baseline="gray").any()


@pytest.mark.parametrize("method", list_methods())
def test_a_black_image_has_a_map_or_a_sentence(method, functional, images):
    try:
        maps = get_method(method)(functional, np.zeros_like(images), 1)
    except ExplanationError as error:
        assert str(error).endswith(".")
    else:
        assert all(one.any() for one in maps) and np.isfinite(maps).all()


@pytest.mark.parametrize("method", list_methods())
def test_saturated_softmax_does_not_hide_the_gradient(method, functional, images):
    model = build("softmax in the dense layer")
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 1e4, bias])  # probabilities of 0 and 1 exactly
    assert set(np.unique(model(images))) == {0.0, 1.0}
    few = {"samples": 6, "steps": 8, "masks": 24}
    chosen = get_method(method)
    options = {name: value for name, value in few.items() if name in chosen.options}
    maps = chosen(model, images, **options)
    assert np.isfinite(maps).all() and all(one.any() for one in maps)


@pytest.mark.parametrize("method", ["gradient", "smoothgrad", "vargrad", "integrated_gradients"])
def test_a_network_whose_units_are_all_off_says_so(method, images):
    model = build("functional")
    model.get_layer("normalization").gamma.assign(np.zeros(6))
    model.get_layer("normalization").beta.assign(np.full(6, -1.0))
    with pytest.raises(ExplanationError, match="zero everywhere"):
        get_method(method)(model, images, 1)


def test_options_that_a_method_does_not_have_are_refused(functional, images):
    with pytest.raises(UnknownNameError, match="samples"):
        explain.gradient(functional, images, samples=3)
    with pytest.raises(LookupError, match="grad_cam"):
        get_method("grad-cam")


@pytest.mark.parametrize(
    "method, options, words",
    [
        ("occlusion", {"patch": 0, "stride": 5}, "`patch` must be"),
        ("occlusion", {"patch": 4, "stride": 5}, "`stride` 1 to"),
        ("occlusion", {"baseline": "purple"}, "`baseline` must be"),
        ("integrated_gradients", {"baseline": np.zeros(5)}, "must fit images"),
        ("integrated_gradients", {"steps": 1}, "`steps` must be"),
        ("smoothgrad", {"samples": 0}, "`samples` must be"),
        ("vargrad", {"samples": 1}, "`samples` must be"),
        ("smoothgrad", {"noise": 0.0}, "`noise` must be"),
        ("rise", {"masks": 0}, "`masks` must be"),
        ("rise", {"visible": 1.0}, "`visible` between"),
        ("score_cam", {"channels": 0}, "`channels` must be"),
    ],
)
def test_numbers_out_of_range_are_refused(method, options, words, functional, images):
    with pytest.raises(IncompatibleError, match=words):
        get_method(method)(functional, images, 1, **options)
