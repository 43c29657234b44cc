"""The same checks for every registered network: adding one adds its tests."""

import numpy as np
import pytest

from cnnkit.errors import IncompatibleError, InvalidRecipeError, UnknownModelError
from cnnkit.models import create_model, list_models, model_info

MODELS = list_models("digits")


@pytest.mark.parametrize("name", MODELS)
def test_every_network_keeps_the_contract(name):
    spec, model = model_info(name), create_model(name)
    assert model.count_params() == spec.parameters
    assert model.input_shape == (None, *spec.input_shape)
    assert model.output_shape == (None, spec.classes)
    names = [layer.name for layer in model.layers]
    assert names[:2] == ["image", "rescaling"] and names[-1] == "logits"
    assert model.layers[-1].activation.__name__ == "linear"
    assert not any(hasattr(layer, "layers") for layer in model.layers), "the graph must be flat"


@pytest.mark.parametrize("name", MODELS)
def test_equal_seeds_give_equal_networks(name):
    first, again, other = (create_model(name, seed=s).get_weights() for s in (3, 3, 4))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    if name != "softmax_regression":
        assert any((a != b).any() for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_every_option_value_builds(name):
    for option in model_info(name).options:
        for value in option.choices or option.range:
            model = create_model(name, **{option.name: value})
            assert model.get_layer("logits").output.shape[-1] == model_info(name).classes


@pytest.mark.parametrize("name", MODELS)
def test_every_network_takes_other_images_and_classes(name):
    model = create_model(name, input_shape=(32, 32, 3), classes=4)
    logits = model(np.zeros((2, 32, 32, 3), np.uint8))
    assert logits.shape == (2, 4)


def test_an_unknown_model_lists_known_models():
    with pytest.raises(UnknownModelError, match="lenet_tutorial"):
        create_model("lenet6")


def test_an_unknown_option_lists_known_options():
    with pytest.raises(InvalidRecipeError, match="activation, activation_position, dropout"):
        create_model("lenet_tutorial", activaton="relu")


def test_an_option_out_of_range_says_the_range():
    with pytest.raises(InvalidRecipeError, match="from 0 to 0.9. Received: 1"):
        create_model("deep_mnist", dropout=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("classes", value) for value in (0, -3, 2.5, "10", True)),
        *(("input_shape", value) for value in ("28", (28, 28), (28, 0, 1), (28, 28, 1.5), 28)),
        *(("seed", value) for value in (-1, "a", None)),
    ],
)
def test_sizes_and_seeds_that_are_none_are_named(name, value):
    with pytest.raises(InvalidRecipeError, match=rf"{name}.* must be .*Received: "):
        create_model("toy_cnn", **{name: value})


@pytest.mark.parametrize("name", [None, 3, ""])
def test_what_is_no_name_is_an_unknown_model(name):
    with pytest.raises(UnknownModelError, match="Known models"):
        create_model(name)


def test_images_that_are_too_small_say_both_sizes():
    with pytest.raises(IncompatibleError, match=r"\(4, 4, 1\).*\(28, 28, 1\)"):
        create_model("lenet_tutorial", input_shape=(4, 4, 1))
