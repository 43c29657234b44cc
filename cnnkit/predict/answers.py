"""From logits to the best answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Answer:
    """One class that a network considers."""

    index: int  # of the logit
    name: str
    probability: float  # 0 to 1, of all classes


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities from logits along the last axis, in float64 and without overflow."""
    # Taking away the largest changes nothing in the quotient and keeps exp below 1.
    shifted = np.float64(logits) - np.max(logits, axis=-1, keepdims=True)
    powers = np.exp(shifted)
    return powers / powers.sum(axis=-1, keepdims=True)


def top_k(logits: np.ndarray, class_names: Sequence[str], k: int = 5) -> list[Answer]:
    """The best answers to one image, the best first.

    Args:
        logits: (classes,).
        class_names: (classes,).
        k: how many; fewer where there are fewer classes.
    """
    probabilities = softmax(logits)
    best = np.argsort(-probabilities, kind="stable")[:k]
    return [Answer(i, class_names[i], float(probabilities[i])) for i in map(int, best)]
