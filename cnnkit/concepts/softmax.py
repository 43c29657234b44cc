"""Softmax and cross-entropy, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cnnkit.backprop import SoftmaxCrossEntropy


@dataclass(frozen=True, eq=False)
class SoftmaxSteps:
    """Everything between the logits of one image and its loss.

    Args:
        logits: float64 (classes,).
        exponentials: exp of the logits.
        probabilities: exponentials divided by their sum.
        loss: cross-entropy, -ln of the true class's probability, in nats.
        gradient: d loss / d logits, which is probabilities - one-hot.
    """

    logits: np.ndarray
    exponentials: np.ndarray
    probabilities: np.ndarray
    loss: float
    gradient: np.ndarray


def softmax_steps(logits: ArrayLike, true: int) -> SoftmaxSteps:
    """Go from logits to loss and gradient.

    Args:
        logits: (classes,), any real numbers.
        true: index of the true class.

    Raises:
        ValueError: `true` is no index of the logits.
    """
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 1 or not 0 <= true < len(logits):
        raise ValueError(f"`true` must index {logits.shape} logits. Received: {true!r}.")
    layer = SoftmaxCrossEntropy()
    loss = layer.forward(logits[np.newaxis], np.array([true]))
    exponentials = np.exp(np.minimum(logits, 700.0))  # the largest that a float64 can hold
    return SoftmaxSteps(logits, exponentials, layer.probabilities[0], loss, layer.backward()[0])
