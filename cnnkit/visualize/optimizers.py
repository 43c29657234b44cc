"""How a gradient becomes a step. Everything climbs: a step is added.

What an optimiser remembers is handed in and out, so that any step can be gone back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cnnkit._lazy import tf
from cnnkit.visualize.components import Component

if TYPE_CHECKING:
    Tensor = Any

NORMALISED = ("none", "rms", "l2")
EPSILON = 1e-7  # Keras's


def rmsprop(
    learning_rate: float = 1.0, *, decay: float = 0.95, normalised: str = "rms"
) -> Component:
    """Gradient divided by the root of its running mean square; no bias correction.

    Args:
        learning_rate: per step; in the units of what is stored: gray levels for pixels.
        decay: of the running mean, per step.
        normalised: what each image's gradient is divided by before: "none", its root mean
            square ("rms") or its length ("l2").
    """
    return _optimizer("rmsprop", normalised, learning_rate=learning_rate, decay=decay)


def sgd(
    learning_rate: float = 1.0, *, momentum: float = 0.0, normalised: str = "none"
) -> Component:
    """The gradient itself, with momentum. Arguments as of `rmsprop`."""
    return _optimizer("sgd", normalised, learning_rate=learning_rate, momentum=momentum)


def adam(
    learning_rate: float = 0.05,
    *,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    normalised: str = "none",
) -> Component:
    """Adam, with bias correction. Arguments as of `rmsprop`.

    Reference:
        Kingma, Ba 2014.
    """
    return _optimizer("adam", normalised, learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2)


def slots(part: Component, stored: Tensor) -> tuple[Tensor, ...]:
    """What the optimiser remembers before the first step."""
    return tuple(tf.zeros_like(stored) for _ in range(_SLOTS[part.kind]))


def normalise(part: Component, gradient: Tensor) -> Tensor:
    """Each image's gradient, brought to one size."""
    axes = tuple(range(1, len(gradient.shape)))
    way = part.options["normalised"]
    if way == "none":
        return gradient
    mean = tf.reduce_mean if way == "rms" else tf.reduce_sum
    return gradient / (tf.sqrt(mean(gradient**2, axes, keepdims=True)) + EPSILON)


def step(
    part: Component,
    numbers: Mapping[str, Tensor],
    gradient: Tensor,
    remembered: tuple[Tensor, ...],
    number: Tensor,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """What to add, and what to remember.

    Args:
        part: `rmsprop`, `sgd` or `adam`.
        numbers: like the part's own, as tensors.
        gradient: (images, …), normalised.
        remembered: from `slots` or the step before.
        number: of the step, 1-based.
    """
    change, remembered = _STEPS[part.kind](numbers, gradient, remembered, number)
    return numbers["learning_rate"] * change, remembered


def _rmsprop(numbers, gradient, remembered, number):
    (square,) = remembered
    square = numbers["decay"] * square + (1 - numbers["decay"]) * gradient**2
    return gradient / tf.sqrt(square + EPSILON), (square,)


def _sgd(numbers, gradient, remembered, number):
    (velocity,) = remembered
    velocity = numbers["momentum"] * velocity + gradient
    return velocity, (velocity,)


def _adam(numbers, gradient, remembered, number):
    mean, square = remembered
    mean = numbers["beta_1"] * mean + (1 - numbers["beta_1"]) * gradient
    square = numbers["beta_2"] * square + (1 - numbers["beta_2"]) * gradient**2
    number = tf.cast(number, tf.float32)
    mean_hat = mean / (1 - numbers["beta_1"] ** number)
    square_hat = square / (1 - numbers["beta_2"] ** number)
    return mean_hat / (tf.sqrt(square_hat) + EPSILON), (mean, square)


def _optimizer(kind: str, normalised: str, **numbers: float) -> Component:
    if normalised not in NORMALISED:
        raise ValueError(
            f"`normalised` must be one of {', '.join(NORMALISED)}. Received: {normalised!r}."
        )
    return Component(kind, {k: float(v) for k, v in numbers.items()}, {"normalised": normalised})


_SLOTS = {"rmsprop": 1, "sgd": 1, "adam": 2}
_STEPS = {"rmsprop": _rmsprop, "sgd": _sgd, "adam": _adam}
