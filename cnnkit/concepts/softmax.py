"""Softmax and cross-entropy, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cnnkit.predict.answers import softmax


@dataclass(frozen=True, eq=False)
class Softmax:
    """Everything between the logits of one image and its loss.

    Args:
        logits: float64 (classes,).
        powers: exp of the logits.
        probabilities: powers divided by their sum.
        loss: cross-entropy, -ln of the true class's probability, in nats.
        gradient: d loss / d logits, which is probabilities - one-hot.
    """

    logits: np.ndarray
    powers: np.ndarray
    probabilities: np.ndarray
    loss: float
    gradient: np.ndarray


def explain(logits: ArrayLike, true: int) -> Softmax:
    """Go from logits to loss and gradient.

    Args:
        logits: (classes,), any real numbers.
        true: index of the true class.
    """
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 1 or not 0 <= true < len(logits):
        raise ValueError(f"`true` must index {logits.shape} logits. Received: {true!r}.")
    probabilities = softmax(logits)
    # From the logits, not from the probability, which may round to 0.
    largest = logits.max()
    loss = float(largest + np.log(np.exp(logits - largest).sum()) - logits[true])
    gradient = probabilities - np.eye(len(logits))[true]
    powers = np.exp(np.minimum(logits, 700.0))  # the largest that a float64 can hold
    return Softmax(logits, powers, probabilities, loss, gradient)
