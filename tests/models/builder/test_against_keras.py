"""Random definitions: what is computed without Keras is what Keras builds, and nothing else."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks._definitions import definitions, disagreement
from cnnkit.backprop import NumpyModel
from cnnkit.errors import IncompatibleError
from cnnkit.models import create_model, model_info
from cnnkit.models.builder import (
    REGISTERED,
    LayerEntry,
    NetworkDefinition,
    check_definition,
    get_template,
    list_templates,
)

EXAMPLES = 60  # `python -m benchmarks builder` tries thousands


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(definitions())
def test_what_the_check_says_is_what_keras_does(definition):
    assert disagreement(definition) == ""


@pytest.mark.parametrize("name", list_templates())
def test_a_template_is_possible_and_costs_what_the_built_network_costs(name):
    definition = get_template(name)
    assert check_definition(definition).problems == ()
    assert disagreement(definition) == ""


@pytest.mark.parametrize("name", REGISTERED)
def test_a_template_rebuilds_the_registered_network_layer_by_layer(name):
    shape = model_info(name).input_shape
    for input_shape in {shape, (28, 28, 1)}:
        registered = create_model(name, input_shape=input_shape, seed=3)
        definition = get_template(name, input_shape, model_info(name).classes)
        rebuilt = create_model(definition.code, seed=3)
        assert [layer.name for layer in rebuilt.layers] == [
            layer.name for layer in registered.layers
        ]
        for ours, theirs in zip(rebuilt.layers, registered.layers, strict=True):
            assert type(ours) is type(theirs)
            assert ours.get_config() == theirs.get_config() or ours.name in WRITTEN_OTHERWISE
        pairs = zip(rebuilt.get_weights(), registered.get_weights(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs), "equal seeds, equal weights"
        images = np.random.default_rng(0).integers(0, 256, (4, *input_shape)).astype(np.float32)
        np.testing.assert_array_equal(rebuilt(images), registered(images))


# The same initializers under other names: "zeros" and `Zeros()`.
WRITTEN_OTHERWISE = {"logits"}


def test_a_built_network_keeps_the_input_contract():
    model = create_model(get_template("small_cnn").code)
    names = [layer.name for layer in model.layers]
    assert names[:2] == ["image", "rescaling"] and names[-1] == "logits"
    assert model.layers[-1].activation is keras.activations.linear
    assert not any(hasattr(layer, "layers") for layer in model.layers)


def test_equal_seeds_give_equal_networks_and_others_do_not():
    code = get_template("small_inception").code
    first, again, other = (create_model(code, seed=s).get_weights() for s in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_sequential_network_has_a_numpy_model_and_another_says_which_layer_has_none():
    model = create_model(get_template("small_cnn").code)
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1)).astype(np.float32)
    np.testing.assert_allclose(
        NumpyModel.from_keras(model).logits(images), model(images), rtol=1e-4, atol=1e-5
    )
    with pytest.raises(IncompatibleError, match="block2_add.*sequential"):
        NumpyModel.from_keras(create_model(residual().code))


def residual() -> NetworkDefinition:
    layers = [
        LayerEntry("Rescaling"),
        LayerEntry("Conv2D"),
        LayerEntry("ResidualBlock"),
        LayerEntry("Flatten"),
    ]
    return NetworkDefinition(layers=layers)
