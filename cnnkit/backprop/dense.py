"""Dense layers and activations."""

from __future__ import annotations

import numpy as np

from cnnkit.backprop.layer import Layer


class Dense(Layer):
    """Each unit is a weighted sum of all inputs, and a bias.

        y[o] = b[o] + Σ_i x[i] · W[i, o]

    Backward, the deltas are multiplied by the transposed weights; the gradient of a weight
    is its input times the delta of its unit:

        input_delta[i] = Σ_o δ[o] · W[i, o]        ΔW[i, o] = x[i] · δ[o]        Δb[o] = δ[o]

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
        """A vector of as many numbers as the kernel has rows."""
        inputs = len(self.parameters["kernel"])
        if shape != (inputs,):
            raise self.incompatible(f"a vector of {inputs:,} numbers", "×".join(map(str, shape)))

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """One matrix product."""
        y = x @ self.parameters["kernel"]
        return y + self.parameters["bias"] if "bias" in self.parameters else y

    def parameter_gradients(self, delta: np.ndarray) -> dict[str, np.ndarray]:
        """Transposed inputs times deltas."""
        gradients = {"kernel": self.input.T @ delta}
        return gradients | ({"bias": delta.sum(axis=0)} if "bias" in self.parameters else {})

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Deltas times the transposed weights."""
        return delta @ self.parameters["kernel"].T


class _Activation(Layer):
    """y = f(x) elementwise; backward, input_delta = δ · f'(x)."""

    def derivative(self) -> np.ndarray:
        """f'(x) at the last input, of its shape."""
        raise NotImplementedError

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Each delta times the derivative at its element."""
        return delta * self.derivative()


class ReLU(_Activation):
    """y = max(x, 0); f'(x) is 1 where x > 0, else 0."""

    kind = "ReLU"

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Zero where x is negative."""
        return np.maximum(x, 0)

    def derivative(self) -> np.ndarray:
        """1 or 0; at 0 itself 0, as in TensorFlow."""
        return (self.output > 0).astype(self.output.dtype)


class Tanh(_Activation):
    """y = tanh x; f'(x) = 1 - y²: near ±1 the unit is saturated."""

    kind = "tanh"

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Between -1 and 1."""
        return np.tanh(x)

    def derivative(self) -> np.ndarray:
        """1 - y²."""
        return 1 - self.output**2


class Sigmoid(_Activation):
    """y = 1 / (1 + e^-x); f'(x) = y (1 - y), at most a quarter."""

    kind = "sigmoid"

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Between 0 and 1; written with tanh, whose exponential never overflows."""
        half = x.dtype.type(0.5)
        return half + half * np.tanh(half * x)

    def derivative(self) -> np.ndarray:
        """The derivative is y (1 - y)."""
        return self.output * (1 - self.output)
