"""Does it matter whether bias and activation come before or after pooling?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cnnkit.backprop import AveragePooling, Convolution, MaxPooling, ReLU, Sigmoid, Tanh

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

# A layer of its own for each call: layers keep what passed through them.
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": lambda x: Tanh("tanh").forward(x),
    "ReLU": lambda x: ReLU("relu").forward(x),
    "sigmoid": lambda x: Sigmoid("sigmoid").forward(x),
    "absolute value": np.abs,
    "square": np.square,
}
MONOTONIC = ("tanh", "ReLU", "sigmoid")  # a larger input never gives a smaller output

POOLINGS = {"maximum": MaxPooling, "average": AveragePooling}


@dataclass(frozen=True, eq=False)
class PoolingOrders:
    """Both orders of the same layer.

    Args:
        convolved: (24, 24), the output of the convolution.
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
        """Largest difference between the two results."""
        return float(np.abs(self.pooled_first - self.activated_first).max())


def both_orders(
    image: np.ndarray, *, kernel: str, activation: str, pooling: str, bias: float
) -> PoolingOrders:
    """Convolve an image and finish the layer in both orders.

    Args:
        image: (28, 28), 0 to 255.
        kernel: name in `FILTERS`.
        activation: name in `ACTIVATIONS`.
        pooling: name in `POOLINGS`.
        bias: added to every pixel, before the activation.
    """
    activate, pool = ACTIVATIONS[activation], POOLINGS[pooling]
    convolution = Convolution("filter", FILTERS[kernel][:, :, np.newaxis, np.newaxis])
    convolved = convolution.forward(
        np.asarray(image, np.float64)[np.newaxis, ..., np.newaxis] / 255
    )
    pooled = pool("pool", 2).forward(convolved)
    activated = pool("pool", 2).forward(activate(convolved + bias))
    return PoolingOrders(
        convolved[0, ..., 0],
        activate(pooled + bias)[0, ..., 0],
        activated[0, ..., 0],
        (pooled.size, convolved.size),
    )
