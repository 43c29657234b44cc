"""Several devices and mixed precision, tried out on processors."""

import os
import subprocess
import sys

import numpy as np
import pytest

from cnnkit.training import FeatureCache, Head, Phase, fit
from cnnkit.training._compile import computing_in, policy, strategy
from tests.training.fine_tuning_parts import base, dataset, recipe

MIRRORED = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from cnnkit.training._compile import strategy
from cnnkit.training import FeatureCache, Head, Phase, fit
from fine_tuning_parts import base, dataset, recipe
assert strategy().num_replicas_in_sync == 2
head = Head(dropout=float(sys.argv[3]))
wanted = recipe(phases=(Phase(epochs=2, learning_rate=0.02),), head=head)
store = FeatureCache(Path(sys.argv[2]) / "features", 2**27)
result = fit(
    wanted, dataset=dataset(), base=base, cache=store, checkpoint=Path(sys.argv[2]) / "c.npz"
)
print("losses", *(row["loss"] for row in result.history))
result.model.save(Path(sys.argv[2]) / "model.keras")
"""


def test_one_device_needs_no_copies():
    assert strategy() is None


def test_two_devices_learn_what_one_learns(tmp_path, root):
    done = subprocess.run(
        [sys.executable, "-c", MIRRORED, str(root / "tests" / "training"), str(tmp_path), "0"],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("losses"))
    wanted = recipe(phases=(Phase(epochs=2, learning_rate=0.02),), head=Head(dropout=0))
    store = FeatureCache(tmp_path / "own", 2**27)
    alone = fit(wanted, dataset=dataset(), base=base, cache=store)
    expected = [row["loss"] for row in alone.history]
    assert [float(word) for word in line.split()[1:]] == pytest.approx(expected, rel=1e-2)
    assert (tmp_path / "model.keras").exists() and (tmp_path / "c.npz").exists()


def test_mixed_precision_learns_and_gives_a_network_in_float32(tmp_path):
    wanted = recipe(
        precision="mixed_bfloat16", run="", model="photo_cnn", weights="random", size=32
    )
    wanted = wanted.replace(phases=(Phase(epochs=1),))
    store = FeatureCache(tmp_path, 2**27)
    model = fit(wanted, dataset=dataset(), cache=store).model
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    assert np.isfinite(model(np.zeros((1, 32, 32, 3)))).all()


def test_a_policy_ends_with_its_block():
    import keras

    with computing_in("mixed_bfloat16"):
        assert keras.layers.Dense(2).compute_dtype == "bfloat16"
    assert keras.layers.Dense(2).compute_dtype == "float32" and policy("auto") == "float32"
