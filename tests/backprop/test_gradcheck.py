"""The gradient check where TensorFlow's own float32 convolutions cannot be trusted."""

import os
import subprocess
import sys

# Of one channel, with strides: on a machine with AVX-512, oneDNN's kernels give other numbers
# for the first, and have written outside of their memory for filters of 1×1.
CHECK = """
import numpy as np
from cnnkit.backprop import Convolution
from networks import assert_right, network_of

for size, strides, shape in [((2, 4), (1, 3), (6, 6, 1)), ((3, 3), (1, 2), (6, 4, 1))] + [
    ((1, 1), strides, (side, 9 - side, 1))
    for strides in ((2, 2), (3, 3), (1, 2), (3, 1))
    for side in (3, 4, 5, 6)
]:
    kernel = np.random.default_rng(0).normal(0, 0.5, (*size, 1, 2))
    for seed in range(3):
        convolution = Convolution("conv", kernel, strides=strides, padding="valid")
        network = network_of(convolution, shape=shape, dtype="float32", seed=seed)
        assert_right(network, shape, seed, probes=0)
"""


def test_strided_convolutions_of_one_channel_are_checked_with_onednn_on(root):
    path = os.pathsep.join(map(str, (root, root / "tests" / "backprop")))
    environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": "1", "PYTHONPATH": path}
    # A process of its own: the kernels at fault end it with a signal.
    done = subprocess.run(
        [sys.executable, "-c", CHECK], cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
