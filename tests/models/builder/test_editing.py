"""Changes of a definition: names by place are given anew, and skip connections follow."""

from __future__ import annotations

import pytest

from cnnkit.errors import InvalidDefinitionError
from cnnkit.models.builder import (
    LayerEntry,
    NetworkDefinition,
    add_layer,
    check_definition,
    copy_layer,
    get_template,
    layer_differences,
    move_layer,
    remove_layer,
    rename_layer,
    set_value,
)

START = NetworkDefinition(
    layers=[
        LayerEntry("Conv2D"),
        LayerEntry("Conv2D"),
        LayerEntry("Add", "sum", {"source": "block1_conv1"}),
        LayerEntry("Flatten"),
    ]
)


def names(definition):
    return [entry.name for entry in definition.layers]


def test_a_layer_put_in_front_moves_the_names_behind_it_and_the_skip_connection_follows():
    now = add_layer(START, 0, "Conv2D")
    assert names(now) == ["block1_conv1", "block1_conv2", "block1_conv3", "sum", "flatten"]
    assert now.layers[3].values["source"] == "block1_conv2"
    assert check_definition(now).problems == ()


def test_a_removed_source_leaves_the_skip_connection_without_one():
    now = remove_layer(START, 0)
    assert now.layers[1].values["source"] == ""
    assert "no source" in check_definition(now).problems[0].reason


def test_a_moved_and_a_renamed_source_are_followed():
    assert move_layer(START, 0, 1).layers[2].values["source"] == "block1_conv2"
    renamed = rename_layer(START, 0, "first")
    assert renamed.layers[2].values["source"] == "first"
    assert names(rename_layer(renamed, 0, ""))[0] == "block1_conv1"
    assert names(move_layer(renamed, 0, 99)) == ["block1_conv1", "sum", "flatten", "first"]


def test_a_new_skip_connection_has_a_source_that_fits():
    now = add_layer(NetworkDefinition(layers=START.layers[:2]), 2, "Add")
    assert now.layers[2].values["source"] == "block1_conv1"
    pooled = add_layer(START, 2, "MaxPooling2D")
    assert add_layer(pooled, 3, "Add").layers[3].values["source"] == ""
    assert add_layer(START, 0, "Add").layers[0].values["source"] == ""
    wider = set_value(START, 1, "filters", 5)
    assert add_layer(wider, 2, "Add").layers[2].values["source"] == ""
    assert add_layer(wider, 2, "Concatenate").layers[2].values["source"] == "block1_conv1"


def test_values_are_set_and_refused():
    assert set_value(START, 0, "filters", 7).layers[0].values["filters"] == 7
    assert set_value(START, 4, "use_bias", False).logits.values["use_bias"] is False
    with pytest.raises(InvalidDefinitionError, match="1 to 2048"):
        set_value(START, 0, "filters", 0)
    with pytest.raises(InvalidDefinitionError, match="letters"):
        rename_layer(START, 0, "<i>")


def test_a_copy_stands_behind_its_layer():
    now = copy_layer(set_value(START, 1, "filters", 5), 1)
    assert [entry.values.get("filters") for entry in now.layers[:3]] == [32, 5, 5]


def test_differences_stand_side_by_side():
    first = get_template("small_cnn")
    second = set_value(add_layer(first, 2, "BatchNormalization"), 1, "filters", 24)
    rows = layer_differences(first, second)
    assert [(row.first, row.second) for row in rows if not row.same] == [
        (
            "Convolution, filters 16, kernel size 3",
            "Convolution, filters 24, kernel size 3",
        ),
        ("", "Batch normalization"),
    ]
    assert all(row.same for row in layer_differences(first, first))
