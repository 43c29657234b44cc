"""`cnnkit build`, and definitions where the command line takes a network."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from cnnkit.__main__ import main
from cnnkit.models.builder import NetworkDefinition, get_template, set_value


def call(*arguments: str):
    return CliRunner().invoke(main, arguments)


def test_a_template_becomes_a_file_and_the_file_is_checked_and_exported(tmp_path):
    file, code = tmp_path / "mine.json", tmp_path / "mine.py"
    made = call("build", "small_cnn", "-o", str(file))
    assert made.exit_code == 0 and "105,866 parameters" in made.output
    assert NetworkDefinition.from_json(file.read_text("utf-8")) == get_template("small_cnn")
    assert call("build", str(file), "-o", str(code)).exit_code == 0
    assert code.read_text("utf-8").startswith('"""Small CNN')
    costs = json.loads(call("anatomy", str(file), "--size", "32x32", "--json").output)
    assert costs["input_shape"] == [32, 32, 1] and costs["layers"][2]["name"] == "block1_conv1"


def test_what_does_not_fit_is_said_and_is_an_error(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(set_value(get_template("lenet_tutorial"), 4, "kernel_size", 13).to_json())
    refused = call("build", str(file))
    assert (
        refused.exit_code == 1 and "Does not fit: block2_conv1: 13×13 on a 12×12" in refused.output
    )
    assert "choose padding 'same'" in call("anatomy", str(file)).output.lower()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "nonsense"], "small_cnn"),
        (["build", "missing.json"], "cannot be read"),
        (["train", "missing.json"], "cannot be read"),
        (["anatomy", "missing.json"], "cannot be read"),
        (["build", "small_cnn", "-o", "mine.txt"], ".json or .py"),
    ],
)
def test_a_mistake_gets_one_sentence(arguments, words):
    result = call(*arguments)
    assert result.exit_code == 1 and words in result.output
    assert "Traceback" not in result.output
