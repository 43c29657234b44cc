"""Dense layers: every unit sees every number."""

from __future__ import annotations

import numpy as np

from cnnkit.backprop.layer import Layer


class Dense(Layer):
    """Each unit is a weighted sum of all inputs, and a bias.

        y[o] = b[o] + Σ_i x[i] · W[i, o]

    Backward, the deltas go the same ways with the same weights, the other way round; the
    gradient of a weight is what came in at one end times the delta at the other:

        passed[i] = Σ_o δ[o] · W[i, o]        ΔW[i, o] = x[i] · δ[o]        Δb[o] = δ[o]

    With several images, ΔW and Δb are summed over them.

    Args:
        name: of the layer.
        kernel: (inputs, units).
        bias: (units,), or None.

    Reference:
        Rumelhart, Hinton, Williams: Learning representations by back-propagating errors,
        1986.
    """

    kind = "dense"

    def __init__(self, name: str, kernel: np.ndarray, bias: np.ndarray | None = None):
        """Keep the weights."""
        super().__init__(name)
        self.parameters = {"kernel": kernel} | ({} if bias is None else {"bias": bias})

    def check(self, shape: tuple[int, ...]) -> None:
        """A row of as many numbers as the kernel has rows."""
        inputs = len(self.parameters["kernel"])
        if shape != (inputs,):
            raise self.refusal(f"a row of {inputs:,} numbers", "×".join(map(str, shape)))

    def answer(self, x: np.ndarray, training: bool) -> np.ndarray:
        """One matrix product."""
        y = x @ self.parameters["kernel"]
        return y + self.parameters["bias"] if "bias" in self.parameters else y

    def slopes(self, delta: np.ndarray) -> dict[str, np.ndarray]:
        """Inputs, turned on their side, times deltas."""
        found = {"kernel": self.input.T @ delta}
        return found | ({"bias": delta.sum(axis=0)} if "bias" in self.parameters else {})

    def pass_back(self, delta: np.ndarray) -> np.ndarray:
        """Deltas times the weights, turned on their side."""
        return delta @ self.parameters["kernel"].T
