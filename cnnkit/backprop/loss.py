"""Softmax and cross-entropy: where the error begins."""

from __future__ import annotations

import numpy as np

from cnnkit.backprop.layer import NONE_YET
from cnnkit.errors import IncompatibleError


class SoftmaxCrossEntropy:
    """Probabilities from logits, and how surprised they are by the truth.

        p[k] = e^{z[k]} / Σ_j e^{z[j]}        loss = -ln p[true class]

    Backward, both together give the simplest of all deltas: what was said, less what is
    true.

        δ[k] = p[k] - (1 if k is the true class, else 0)

    Over several images the loss is their mean, and each delta is divided by their number.

    Reference:
        Bishop: Pattern Recognition and Machine Learning, 2006, sections 4.3.4 and 5.3.
    """

    kind = "softmax and cross-entropy"

    def __init__(self):
        """Before the first image."""
        self.probabilities = NONE_YET  # (images, classes)
        self.labels = NONE_YET  # int (images,)
        self.losses = NONE_YET  # nats, (images,)

    def forward(self, logits: np.ndarray, labels: np.ndarray) -> float:
        """Mean loss of some images, in nats.

        Args:
            logits: (images, classes).
            labels: int (images,), 0 to classes - 1.

        Raises:
            IncompatibleError: labels are not as many as images, or name no class.
        """
        labels = np.asarray(labels)
        _check(logits, labels)
        shifted = logits - logits.max(axis=1, keepdims=True)  # no exponential overflows
        sums = np.exp(shifted).sum(axis=1, keepdims=True)
        self.probabilities, self.labels = np.exp(shifted) / sums, labels
        true = np.take_along_axis(shifted, labels[:, np.newaxis], axis=1)
        self.losses = (np.log(sums) - true)[:, 0]
        return float(self.losses.mean())

    def backward(self) -> np.ndarray:
        """∂(mean loss)/∂logits, (images, classes)."""
        if self.probabilities is NONE_YET:
            raise IncompatibleError("The loss expects a forward pass first.")
        delta = self.probabilities.copy()
        delta[np.arange(len(delta)), self.labels] -= 1
        return delta / len(delta)


def _check(logits: np.ndarray, labels: np.ndarray) -> None:
    if logits.ndim != 2 or not len(logits):
        shape = "×".join(map(str, logits.shape))
        raise IncompatibleError(f"The loss expects logits of images×classes. Received: {shape}.")
    if labels.shape != logits.shape[:1]:
        raise IncompatibleError(
            f"The loss expects one label for each of {len(logits)} images. "
            f"Received: {'×'.join(map(str, labels.shape)) or 'a single number'}."
        )
    if labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise IncompatibleError(
            f"The loss expects labels of 0 to {logits.shape[1] - 1}. "
            f"Received: {labels.min()} to {labels.max()}."
        )
