"""The exported code, run by a fresh interpreter that has only Keras, gives the same model."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import numpy as np

from cnnkit.models import create_model, seeds
from cnnkit.models.builder import (
    LayerEntry,
    NetworkDefinition,
    get_template,
    keras_code,
    list_templates,
)

SKIPPING = NetworkDefinition(
    title="With a skip & all",
    layers=[
        LayerEntry("Rescaling"),
        LayerEntry("Conv2D", "a", {"filters": 4}),
        LayerEntry("SeparableConv2D", "b", {"filters": 4, "depth_multiplier": 2}),
        LayerEntry("DepthwiseConv2D", "c", {"use_bias": False, "activation": "gelu"}),
        LayerEntry("Add", "d", {"source": "a"}),
        LayerEntry("SpatialDropout2D", "e"),
        LayerEntry("Concatenate", "f", {"source": "b"}),
        LayerEntry("AveragePooling2D", "g", {"strides": 1, "padding": "same"}),
        LayerEntry("ZeroPadding2D"),
        LayerEntry("GlobalMaxPooling2D"),
        LayerEntry("Dense", "h", {"units": 5, "bias": 0.5, "activation": "leaky_relu"}),
    ],
)
EXPORTED = {name: get_template(name) for name in list_templates()} | {"skipping": SKIPPING}

RUN = """
import runpy, sys
import numpy as np
for path in sys.argv[1:]:
    model = runpy.run_path(path)["model"]
    image = np.full((1, *model.input_shape[1:]), 100, np.float32)
    config = np.array(repr([(type(x).__name__, x.name) for x in model.layers]))
    np.savez(path + ".npz", *model.get_weights(), logits=model(image), layers=config)
assert "cnnkit" not in sys.modules
"""


def test_exported_code_gives_the_same_layers_weights_and_logits(tmp_path):
    paths = {name: tmp_path / f"{name}.py" for name in EXPORTED}
    for name, path in paths.items():
        path.write_text(keras_code(EXPORTED[name], seeds(5)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, paths.values())],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name, path in paths.items():
        ours = create_model(EXPORTED[name].code, seed=5)
        theirs = np.load(f"{path}.npz")
        assert str(theirs["layers"]) == repr([(type(x).__name__, x.name) for x in ours.layers])
        for number, weights in enumerate(ours.get_weights()):
            np.testing.assert_array_equal(theirs[f"arr_{number}"], weights)
        image = np.full((1, *ours.input_shape[1:]), 100, np.float32)
        np.testing.assert_allclose(theirs["logits"], ours(image), rtol=1e-5, atol=1e-6)


def test_the_code_is_short_and_names_every_layer():
    code = keras_code(get_template("small_cnn"), seeds(0))
    ast.parse(code)
    assert code.startswith('"""Small CNN\n') and max(map(len, code.splitlines())) < 100
    assert "filters=16" in code and 'name="block1_conv1"' in code and "# 28×28×16" in code
