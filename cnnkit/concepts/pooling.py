"""Does it matter whether bias and activation come before or after pooling?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Filters of 5×5 whose effect one can see. Each sums to about zero.
_AXIS = np.arange(-2.0, 3.0)
_Y, _X = np.meshgrid(_AXIS, _AXIS, indexing="ij")
_BELL = np.exp(-(_X**2 + _Y**2) / 3)
FILTERS = {
    "vertical edges": _X * _BELL / 2,
    "horizontal edges": _Y * _BELL / 2,
    "rising strokes": (np.exp(-((_X + _Y) ** 2) / 2) - 0.43) / 4,
    "falling strokes": (np.exp(-((_X - _Y) ** 2) / 2) - 0.43) / 4,
    "spots": (_BELL - _BELL.mean()) / 1.5,
}

ACTIVATIONS = {
    "tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "absolute value": np.abs,
    "square": np.square,
}
MONOTONIC = ("tanh", "ReLU", "sigmoid")  # larger in never gives smaller out

POOLINGS = {"maximum": np.max, "average": np.mean}


@dataclass(frozen=True, eq=False)
class Orders:
    """Both orders of the same layer.

    Args:
        convolved: (24, 24), the filter's answer.
        pooled_first: (12, 12), activation(pool(convolved) + bias), as in the Theano
            tutorial.
        activated_first: (12, 12), pool(activation(convolved + bias)), as in many papers.
        activations: how often the activation was computed in each order.
    """

    convolved: np.ndarray
    pooled_first: np.ndarray
    activated_first: np.ndarray
    activations: tuple[int, int]

    @property
    def difference(self) -> float:
        """The largest one between the two results."""
        return float(np.abs(self.pooled_first - self.activated_first).max())


def both_orders(
    image: np.ndarray, *, kernel: str, activation: str, pooling: str, bias: float
) -> Orders:
    """Filter an image and finish the layer in both orders.

    Args:
        image: (28, 28), 0 to 255.
        kernel: name in `FILTERS`.
        activation: name in `ACTIVATIONS`.
        pooling: name in `POOLINGS`.
        bias: added to every pixel, before the activation.
    """
    act, pool = ACTIVATIONS[activation], POOLINGS[pooling]
    convolved = convolve(np.asarray(image, np.float64) / 255, FILTERS[kernel])
    pooled = pool_2x2(convolved, pool)
    return Orders(
        convolved,
        act(pooled + bias),
        pool_2x2(act(convolved + bias), pool),
        (pooled.size, convolved.size),
    )


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The filter laid over every place where it fits ("valid"), as networks do it."""
    windows = sliding_window_view(image, kernel.shape)
    return np.einsum("rcij,ij->rc", windows, kernel)


def pool_2x2(image: np.ndarray, pool=np.max) -> np.ndarray:
    """One number for each square of four pixels; height and width must be even."""
    height, width = image.shape
    return pool(image.reshape(height // 2, 2, width // 2, 2), axis=(1, 3))
