"""`cnnkit gradcheck` on the command line."""

import json

import pytest
from click.testing import CliRunner

from cnnkit.__main__ import main
from cnnkit.settings import get_settings
from tests.records import new_store


@pytest.fixture(autouse=True)
def store(own_home):
    """A record that nobody has to wait for."""
    return new_store(get_settings())


def call(*arguments):
    return CliRunner().invoke(main, ["gradcheck", *arguments])


def test_a_new_network_is_checked_three_times():
    result = call("--model", "toy_cnn", "--probes", "2", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["network"] == "toy_cnn" and found["dtype"] == "float64" and found["equal"]
    assert 0 < found["worst"] < 1e-7 and found["worst_difference"] < 1e-5
    arrays = {(check["layer"], check["array"]) for check in found["checks"]}
    assert {("block1_conv1", "kernel"), ("logits", "bias"), ("flatten", "input")} <= arrays


def test_the_trained_network_that_ships_in_float32():
    result = call("starter", "--dtype", "float32", "--probes", "0", "--images", "1")
    assert result.exit_code == 0, result.output
    assert "Equal: lenet_tutorial in float32, 1 images" in result.output
    assert "central differences" not in result.output


def test_mistakes_are_one_sentence():
    result = call("--model", "compact_cnn")
    assert result.exit_code == 1 and "'block1_conv1_bn' must be of a kind" in result.output
    assert "Traceback" not in result.output
    assert call("starter", "--model", "toy_cnn").exit_code == 2
    assert "Unknown model 'nix'" in call("--model", "nix").output
