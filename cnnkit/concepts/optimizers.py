"""Optimizers: gradient descent, momentum and Adam, on a loss surface of two weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Point = tuple[float, float]


class Optimizer(Protocol):
    """Turns the gradients of one array into the changes to add to it."""

    def step(self, gradient: np.ndarray) -> np.ndarray:
        """The next change, of the gradient's shape."""
        ...


class GradientDescent:
    """W ← W - rate · ΔW."""

    def __init__(self, learning_rate: float):
        """Keep the learning rate."""
        self.learning_rate = learning_rate

    def step(self, gradient: np.ndarray) -> np.ndarray:
        """The next change."""
        return -self.learning_rate * gradient


class Momentum:
    """V ← momentum · V - rate · ΔW, W ← W + V (Polyak, 1964).

    Args:
        learning_rate: of each step.
        momentum: share of the last step that is repeated, 0 to below 1.
    """

    def __init__(self, learning_rate: float, momentum: float = 0.9):
        """Begin with velocity 0."""
        self.learning_rate, self.momentum = learning_rate, momentum
        self.velocity: np.ndarray | float = 0.0

    def step(self, gradient: np.ndarray) -> np.ndarray:
        """The next change."""
        self.velocity = self.momentum * self.velocity - self.learning_rate * gradient
        return self.velocity


class Adam:
    """Kingma & Ba, 2014, with its published β₁ = .9, β₂ = .999, ε = 1e-8."""

    def __init__(self, learning_rate: float):
        """Begin with both moments 0."""
        self.learning_rate = learning_rate
        self.mean: np.ndarray | float = 0.0
        self.square: np.ndarray | float = 0.0
        self.steps = 0

    def step(self, gradient: np.ndarray) -> np.ndarray:
        """The next change."""
        self.steps += 1
        self.mean = 0.9 * self.mean + 0.1 * gradient
        self.square = 0.999 * self.square + 0.001 * gradient**2
        # Both began at 0 and are too small at first: the bias correction.
        mean = self.mean / (1 - 0.9**self.steps)
        square = self.square / (1 - 0.999**self.steps)
        return -self.learning_rate * mean / (np.sqrt(square) + 1e-8)


# Name → optimizer, from learning rate and momentum.
OPTIMIZERS: dict[str, Callable[[float, float], Optimizer]] = {
    "gradient descent": lambda learning_rate, _: GradientDescent(learning_rate),
    "momentum": Momentum,
    "Adam": lambda learning_rate, _: Adam(learning_rate),
}


@dataclass(frozen=True)
class LossSurface:
    """A loss of two weights.

    Args:
        name: identifier.
        title: shown to people.
        loss: (x, y) to the loss, for numbers or arrays.
        gradient: (x, y) to (d loss / d x, d loss / d y).
        minima: where the loss is least.
        start: a good place to begin.
        bounds: (least x, largest x, least y, largest y) worth drawing.
    """

    name: str
    title: str
    loss: Callable
    gradient: Callable[[float, float], Point]
    minima: tuple[Point, ...]
    start: Point
    bounds: tuple[float, float, float, float]


def minimize(
    surface: LossSurface,
    optimizer: str,
    *,
    start: Point,
    steps: int,
    learning_rate: float,
    momentum: float = 0.9,
) -> np.ndarray:
    """The path of an optimizer.

    Args:
        surface: the loss.
        optimizer: name in `OPTIMIZERS`.
        start: first point.
        steps: to do.
        learning_rate: of each step.
        momentum: of "momentum", 0 to below 1.

    Returns:
        float64 (points, 2), the start first; shorter than `steps` + 1 where the path
        diverged.

    Raises:
        ValueError: no optimizer has this name.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(
            f"`optimizer` must be one of {tuple(OPTIMIZERS)}. Received: {optimizer!r}."
        )
    chosen = OPTIMIZERS[optimizer](learning_rate, momentum)
    path = [np.array(start, np.float64)]
    for _ in range(steps):
        point = path[-1] + chosen.step(np.array(surface.gradient(*path[-1])))
        if not np.isfinite(point).all() or np.abs(point).max() > DIVERGED:
            break
        path.append(point)
    return np.array(path)


DIVERGED = 1e3  # a path beyond this coordinate has diverged


def _two_basins(x, y):
    return 0.5 * (x**2 - 1) ** 2 + 0.5 * y**2 + 0.18 * x


SURFACES = {
    surface.name: surface
    for surface in (
        LossSurface(
            "valley",
            "A long narrow valley",
            lambda x, y: 0.05 * x**2 + 1.25 * y**2,
            lambda x, y: (0.1 * x, 2.5 * y),
            ((0.0, 0.0),),
            (-4.0, 1.2),
            (-5.0, 2.0, -1.8, 1.8),
        ),
        LossSurface(
            "banana",
            "A bent valley (Rosenbrock)",
            lambda x, y: 0.25 * (1 - x) ** 2 + 2.5 * (y - x**2) ** 2,
            lambda x, y: (-0.5 * (1 - x) - 10 * x * (y - x**2), 5 * (y - x**2)),
            ((1.0, 1.0),),
            (-1.2, 1.6),
            (-2.0, 2.0, -1.0, 3.0),
        ),
        LossSurface(
            "basins",
            "Two minima, one deeper",
            _two_basins,
            lambda x, y: (2 * x * (x**2 - 1) + 0.18, y),
            ((-1.0424, 0.0),),
            (1.6, 1.1),
            (-2.0, 2.0, -1.5, 1.5),
        ),
    )
}
