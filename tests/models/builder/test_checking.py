"""What does not fit is marked at its layer, with a reason and a remedy; costs need no Keras."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cnnkit.errors import IncompatibleError
from cnnkit.models.builder import (
    LayerEntry,
    NetworkDefinition,
    check_definition,
    costs_of,
    get_template,
)


def layers(*kinds, shape=(28, 28, 1), **more):
    entries = [LayerEntry(one) if isinstance(one, str) else LayerEntry(*one) for one in kinds]
    return NetworkDefinition(layers=entries, input_shape=shape, **more)


@pytest.mark.parametrize(
    ("definition", "entry", "reason", "remedy"),
    [
        (
            layers(("Conv2D", "", {"kernel_size": 5, "padding": "valid"}), shape=(4, 4, 1)),
            0,
            "5×5 on a 4×4 map with padding 'valid'",
            "choose padding 'same' or a smaller kernel",
        ),
        (
            layers("MaxPooling2D", ("MaxPooling2D", "", {"pool_size": 4}), shape=(4, 4, 1)),
            1,
            "4×4 on a 2×2 map",
            "smaller pooling window",
        ),
        (layers("Flatten", "Conv2D"), 1, "a vector of 784 numbers", "Flatten or global pooling"),
        (layers("Flatten", "SpatialDropout2D"), 1, "needs feature maps", "remove it"),
        (layers("Flatten", "ResidualBlock"), 1, "needs feature maps", "remove it"),
        (layers("Flatten", "InceptionBlock"), 1, "needs feature maps", "remove it"),
        (layers("Conv2D"), 1, "needs a vector, but gets maps of 28×28×32", "put Flatten"),
        (
            layers("Conv2D", "MaxPooling2D", ("Add", "", {"source": "block1_conv1"})),
            2,
            "maps of 28×28×32 cannot be added to maps of 14×14×32",
            "same shape",
        ),
        (
            layers("Conv2D", "MaxPooling2D", ("Concatenate", "", {"source": "block1_conv1"})),
            2,
            "cannot be concatenated",
            "pool one of them",
        ),
        (layers("Conv2D", "Add"), 1, "it has no source yet", "stands before it"),
        (
            layers("Conv2D", ("Add", "a", {"source": "nobody"})),
            1,
            "'nobody' is no layer of this network",
            "stands before it",
        ),
        (
            layers("Conv2D", ("Add", "a", {"source": "b"}), ("Add", "b", {"source": "a"})),
            1,
            "'b' does not stand before it",
            "stands before it",
        ),
        (layers(("Add", "a", {"source": "a"})), 0, "does not stand before it", "choose"),
        (layers(("Conv2D", "x"), ("Conv2D", "x"), "Flatten"), 0, "called 'x' too", "another name"),
        (layers(("Conv2D", "image"), "Flatten"), 0, "called 'image' too", "another name"),
        (
            layers(("ResidualBlock", "r"), ("Conv2D", "r_1_conv"), "Flatten"),
            0,
            "called 'r_1_conv' too",
            "another name",
        ),
        (
            layers("Conv2D", ("ResidualBlock", "", {"filters": 8, "shortcut": "identity"})),
            1,
            "32 become 8",
            "choose 32 filters or more",
        ),
    ],
)
def test_what_does_not_fit_is_marked_at_its_layer(definition, entry, reason, remedy):
    checked = check_definition(definition)
    problem = checked.problems[0]
    assert problem.entry == entry and checked.table is None
    assert reason in problem.reason and remedy in problem.remedy
    assert str(problem).count(".") >= 2
    with pytest.raises(IncompatibleError, match="cannot be built"):
        costs_of(definition)


def test_shapes_before_the_first_problem_are_known_and_those_behind_it_are_not():
    checked = check_definition(layers("Conv2D", "Flatten", "Conv2D", "Flatten"))
    assert [one.shape for one in checked.entries] == [(28, 28, 32), (25088,), None, None, None]


def test_every_layer_says_what_it_gives_and_costs():
    conv = check_definition(get_template("lenet_tutorial")).entries[1]
    assert conv.shape == (24, 24, 20) and conv.detail == "20 filters of 5×5"
    assert (conv.parameters, conv.macs) == (520, 24 * 24 * 25 * 20)
    assert conv.receptive_field == "5×5" and conv.activation_bytes == 4 * 24 * 24 * 20


def test_what_is_possible_and_hardly_meant_gets_advice():
    advice = check_definition(layers("Dense", "Flatten")).advice
    assert [one.entry for one in advice] == [0, 0]
    assert "put Rescaling first" in str(advice[0]).lower() or "Rescaling" in str(advice[0])
    assert "28×28 places" in advice[1].reason
    assert check_definition(get_template("small_cnn")).advice == ()


def test_networks_beyond_every_bound_say_which_layer_costs_most():
    dense = layers("Flatten", ("Dense", "", {"units": 8192}), shape=(224, 224, 3))
    assert "parameters" in check_definition(dense).problems[0].reason
    wide = layers(("Conv2D", "", {"filters": 2048}), "GlobalAveragePooling2D", shape=(512, 512, 3))
    problem = check_definition(wide).problems[0]
    assert problem.entry == 0 and "at most" in problem.reason


def test_checking_needs_no_keras():
    code = (
        "import sys; from cnnkit.models import model_info;"
        "from cnnkit.models.builder import check_definition, get_template, keras_code;"
        "from cnnkit.training import Recipe;"
        "code = get_template('resnet_digits').code; model_info(code);"
        "Recipe.from_json(Recipe(model=code).to_json());"
        "print(*sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=dict(os.environ), capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.split() == [], done.stderr
