"""Definitions as JSON and in addresses; hostile ones get a sentence."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib

import pytest
from hypothesis import given, settings

from benchmarks._definitions import definitions
from cnnkit.errors import InvalidDefinitionError
from cnnkit.models.builder import (
    KINDS,
    LayerEntry,
    NetworkDefinition,
    get_template,
    list_templates,
)

HEAD = {"version": 1, "title": "Mine", "input_shape": [28, 28, 1], "classes": 10}


def with_layer(**layer):
    return {**HEAD, "layers": [{"kind": "Conv2D", **layer}]}


@settings(max_examples=40, deadline=None)
@given(definitions())
def test_a_definition_survives_json_and_an_address(definition):
    assert NetworkDefinition.from_json(definition.to_json()) == definition
    assert NetworkDefinition.from_code(definition.code) == definition


@pytest.mark.parametrize("name", list_templates())
def test_a_template_is_short_enough_for_an_address(name):
    definition = get_template(name)
    assert NetworkDefinition.from_code(definition.code) == definition
    assert len(definition.code) < 800


def test_json_is_readable_and_leaves_defaults_out():
    text = get_template("small_cnn").to_json()
    assert '  {"kind": "Conv2D", "name": "block1_conv1", "filters": 16},\n' in text
    assert json.loads(text)["version"] == 1


def test_layers_without_names_are_called_as_those_of_keras_applications():
    kinds = ("Rescaling", "Conv2D", "BatchNormalization", "Activation", "Conv2D", "MaxPooling2D")
    kinds += ("SeparableConv2D", "ResidualBlock", "InceptionBlock", "Flatten", "Dense", "Dropout")
    names = [entry.name for entry in NetworkDefinition(layers=list(map(LayerEntry, kinds))).layers]
    assert names == [
        *("rescaling", "block1_conv1", "block1_conv1_bn", "block1_conv1_relu", "block1_conv2"),
        *("block1_pool", "block2_sepconv1", "block3", "inception_1", "flatten", "fc1"),
        "fc1_dropout",
    ]


def test_every_field_refuses_what_is_outside_of_its_range():
    for kind in KINDS.values():
        for field in kind.fields:
            for value in (float("nan"), float("inf"), -(10**9), 10**400, [], {}, object()):
                with pytest.raises(InvalidDefinitionError, match=f"^{field.name} of {kind.name}"):
                    LayerEntry(kind.name, "", {field.name: value})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (None, "JSON object"),
        ([], "JSON object"),
        ({}, "version"),
        ({**HEAD, "version": 2, "layers": []}, "version of a network definition must be 1"),
        ({**HEAD, "version": True, "layers": []}, "version"),
        (HEAD, "layers must be a list"),
        ({**HEAD, "layers": "Conv2D"}, "layers must be a list"),
        ({**HEAD, "layers": [{"kind": "Flatten"}] * 1_000_000}, "at most 100.*1,000,000"),
        ({**HEAD, "layers": [None]}, "Layer 1 must be a JSON object"),
        ({**HEAD, "layers": [{"kind": "Lambda"}]}, "Layer 1: Unknown kind of layer 'Lambda'"),
        ({**HEAD, "layers": [{"kind": ["Conv2D"]}]}, "Unknown kind of layer"),
        ({**HEAD, "layers": [{"kind": "Logits"}]}, "by themselves"),
        (with_layer(filters=-5), r"Layer 1: filters of Conv2D.*1 to 2048. Received: -5"),
        (with_layer(filters=3.0), "whole number"),
        (with_layer(filters=True), "whole number"),
        (with_layer(filters="32"), "whole number"),
        (with_layer(kernel_size=10**9), "1 to 31"),
        (with_layer(kernel_size=[3, 3]), "whole number"),
        (with_layer(activation="exec"), "one of linear, relu"),
        (with_layer(units=3), "no field 'units'"),
        (with_layer(name="<script>alert(1)</script>"), "letters, digits, points and underscores"),
        (with_layer(name="a/b"), "letters, digits"),
        (with_layer(name="x" * 64), "at most 63"),
        (with_layer(name=3), "the name of a layer"),
        ({**HEAD, "title": "<b>Mine</b>", "layers": []}, "The name of a network"),
        ({**HEAD, "title": "[a](javascript:x)", "layers": []}, "The name of a network"),
        ({**HEAD, "title": 3, "layers": []}, "The name of a network"),
        ({**HEAD, "input_shape": [28, 28], "layers": []}, "input_shape must be"),
        ({**HEAD, "input_shape": [28, 28, -1], "layers": []}, "input_shape must be"),
        ({**HEAD, "input_shape": [10**6, 10**6, 3], "layers": []}, "input_shape must be"),
        ({**HEAD, "classes": 0, "layers": []}, "classes must be"),
        ({**HEAD, "classes": 1e9, "layers": []}, "classes must be"),
        ({**HEAD, "layers": [], "logits": 3}, "logits must be"),
        ({**HEAD, "layers": [], "logits": {"units": 3}}, "no field 'units'"),
        ({**HEAD, "layers": [], "color": "red"}, "no field 'color'"),
    ],
)
def test_a_hostile_definition_gets_one_sentence(values, words):
    with pytest.raises(InvalidDefinitionError, match=words) as caught:
        NetworkDefinition.from_dict(values)
    assert len(str(caught.value)) < 700 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"a":' * 50_000,
        "9" * 5_000,
        '{"version": NaN}',
        '{"version": 1, "layers": [{"kind": "Dropout", "rate": Infinity}]}',
        "x" * 300_000,
    ],
)
def test_text_that_is_no_definition_gets_one_sentence(text):
    with pytest.raises(InvalidDefinitionError) as caught:
        NetworkDefinition.from_json(text)
    assert len(str(caught.value)) < 300


def _code(data: bytes) -> str:
    return "v1-" + base64.urlsafe_b64encode(zlib.compress(data)).decode().rstrip("=")


@pytest.mark.parametrize(
    "code",
    [
        "",
        "v1-",
        "v1-AAAA",
        "v2-" + get_template("small_cnn").code[3:],
        get_template("small_cnn").code[:-9],
        get_template("small_cnn").code * 50,
        _code(b"[" * 10_000_000),  # small in the address, large in memory
        _code(b"\xff\xfe"),
        _code(b"{}"),
    ],
)
def test_an_address_that_is_no_definition_gets_one_sentence(code):
    with pytest.raises(InvalidDefinitionError):
        NetworkDefinition.from_code(code)


def test_a_network_too_long_for_an_address_says_so():
    layers = [
        LayerEntry("Activation", f"a{hashlib.sha256(bytes([n])).hexdigest()[:60]}")
        for n in range(100)
    ]
    with pytest.raises(InvalidDefinitionError, match="shorter names"):
        _ = NetworkDefinition(layers=layers).code
