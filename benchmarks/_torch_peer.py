"""Networks of ours in PyTorch, run by the Python of an environment that has it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks._torch_env import MISSING, torch_python

LOOPS = Path(__file__).with_name("_torch_loops.py")
AGREEMENT = 1e-3  # largest difference of logits, as a share of the largest logit


def weights(model: keras.Model) -> dict[str, np.ndarray]:
    """Kernels and biases by "layer/kernel", and the mean that is subtracted from the pixels.

    Where ours takes the colors in the other order (BGR), the mean and the first kernel are
    turned round instead.
    """
    arrays = {"mean": np.zeros(3, np.float32)}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            arrays[f"{layer.name}/kernel"] = np.asarray(layer.kernel)
            arrays[f"{layer.name}/bias"] = np.asarray(layer.bias)
        elif isinstance(layer, keras.layers.Rescaling) and np.ndim(layer.offset):
            arrays["mean"] = -np.asarray(layer.offset, np.float32)
    if any(type(operation).__name__ == "Flip" for operation in model.operations):
        first = next(name for name in arrays if name.endswith("/kernel"))
        arrays["mean"], arrays[first] = arrays["mean"][::-1], arrays[first][:, :, ::-1]
    return arrays


class TorchLoop:
    """A loop of `_torch_loops.py` in a process of its own, which has found its fastest way.

    Args:
        task: see `_torch_loops.py`; "network" and "loop" at least.
        model: of ours, whose weights it gets.
        arrays: what it works on; "images": float32 or uint8 (images, height, width, channels).
        one_thread: time the processor in one thread.

    Raises:
        RuntimeError: there is no PyTorch, or its network gives other logits than ours.
    """

    def __init__(
        self,
        task: Mapping[str, Any],
        model: keras.Model,
        arrays: Mapping[str, np.ndarray],
        one_thread: bool = False,
    ):
        """Start it, and wait until it has measured every way."""
        python = torch_python()
        if python is None:
            raise RuntimeError(MISSING)
        # float32 as here: the first image's logits say whether the networks are the same.
        expected = np.asarray(model(arrays["images"][:1].astype("float32")))[0]
        with tempfile.TemporaryDirectory() as folder:
            described, stored = Path(folder) / "task.json", Path(folder) / "weights.npz"
            described.write_text(json.dumps(dict(task)), "utf-8")
            np.savez(stored, **weights(model), **arrays)
            self._process = subprocess.Popen(
                [python, str(LOOPS), str(described), str(stored), *one_thread * ["--one-thread"]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.found = self._answer()
        difference = np.abs(np.asarray(self.found["logits"]) - expected).max()
        if difference > AGREEMENT * np.abs(expected).max():
            self.close()
            raise RuntimeError(
                f"PyTorch's {task['network']} gives logits that differ by {difference:.3g} from "
                f"ours, of {np.abs(expected).max():.3g} at most: the networks are not the same."
            )

    def seconds(self, steps: int) -> float:
        """What so many steps or epochs took, timed there."""
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        return self._answer()["seconds"]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def __enter__(self) -> TorchLoop:
        """Nothing is left to do."""
        return self

    def __exit__(self, *error) -> None:
        """End the process."""
        self.close()

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError(f"{LOOPS.name} ended; what it says stands above.")
        return json.loads(line)
