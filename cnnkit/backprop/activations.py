"""Activations: the same curve for every number, and its slope on the way back."""

from __future__ import annotations

import numpy as np

from cnnkit.backprop.layer import Layer


class _Activation(Layer):
    """y = f(x) for each number alone; backward, passed = δ · f'(x)."""

    def slope(self) -> np.ndarray:
        """f'(x) at the last input, of its shape."""
        raise NotImplementedError

    def pass_back(self, delta: np.ndarray) -> np.ndarray:
        """Each delta times the slope at its own place."""
        return delta * self.slope()


class ReLU(_Activation):
    """y = max(x, 0); f'(x) is 1 where x > 0, else 0: a switch that lets deltas through or not."""

    kind = "ReLU"

    def answer(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Zero instead of what is negative."""
        return np.maximum(x, 0)

    def slope(self) -> np.ndarray:
        """1 or 0; at 0 itself 0, as in TensorFlow."""
        return (self.output > 0).astype(self.output.dtype)


class Tanh(_Activation):
    """y = tanh x; f'(x) = 1 - y²: a number near ±1 hardly learns."""

    kind = "tanh"

    def answer(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Between -1 and 1."""
        return np.tanh(x)

    def slope(self) -> np.ndarray:
        """1 - y²."""
        return 1 - self.output**2


class Sigmoid(_Activation):
    """y = 1 / (1 + e^-x); f'(x) = y (1 - y), at most a quarter."""

    kind = "sigmoid"

    def answer(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Between 0 and 1; written with tanh, whose exponential never overflows."""
        half = x.dtype.type(0.5)
        return half + half * np.tanh(half * x)

    def slope(self) -> np.ndarray:
        """The slope is y (1 - y)."""
        return self.output * (1 - self.output)
