"""Ways downhill: gradient descent, momentum and Adam on a landscape of two weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float]


@dataclass(frozen=True)
class Landscape:
    """A loss of two weights.

    Args:
        name: identifier.
        title: shown to people.
        height: (x, y) to the loss, for numbers or arrays.
        slope: (x, y) to (d loss / d x, d loss / d y).
        lowest: where the loss is least.
        start: a good place to begin.
        reach: (least x, largest x, least y, largest y) worth drawing.
    """

    name: str
    title: str
    height: Callable
    slope: Callable[[float, float], Point]
    lowest: tuple[Point, ...]
    start: Point
    reach: tuple[float, float, float, float]


def descend(
    landscape: Landscape,
    method: str,
    *,
    start: Point,
    steps: int,
    learning_rate: float,
    momentum: float = 0.9,
) -> np.ndarray:
    """The path of a method.

    Args:
        landscape: to go down.
        method: "gradient descent", "momentum" (Polyak, 1964) or "Adam" (Kingma & Ba, 2014,
            with its published β₁ = .9, β₂ = .999).
        start: first point.
        steps: to do.
        learning_rate: of each step.
        momentum: how much of the last step is done again, 0 to below 1.

    Returns:
        float64 (points, 2), the start first; shorter than `steps` + 1 where the path left
        everything behind (diverged).
    """
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {tuple(METHODS)}. Received: {method!r}.")
    stepper = METHODS[method](learning_rate, momentum)
    where = np.array(start, np.float64)
    path = [where.copy()]
    for number in range(1, steps + 1):
        where = where + stepper(np.array(landscape.slope(*where)), number)
        if not np.isfinite(where).all() or np.abs(where).max() > FAR:
            break
        path.append(where.copy())
    return np.array(path)


def _gradient_descent(learning_rate: float, momentum: float) -> Callable:
    return lambda slope, number: -learning_rate * slope


def _momentum(learning_rate: float, momentum: float) -> Callable:
    speed = np.zeros(2)

    def step(slope: np.ndarray, number: int) -> np.ndarray:
        speed[:] = momentum * speed - learning_rate * slope
        return speed.copy()

    return step


def _adam(learning_rate: float, momentum: float) -> Callable:
    mean, square = np.zeros(2), np.zeros(2)

    def step(slope: np.ndarray, number: int) -> np.ndarray:
        mean[:] = 0.9 * mean + 0.1 * slope
        square[:] = 0.999 * square + 0.001 * slope**2
        # Both began at zero and are too small at first; this makes up for it.
        fair_mean = mean / (1 - 0.9**number)
        fair_square = square / (1 - 0.999**number)
        return -learning_rate * fair_mean / (np.sqrt(fair_square) + 1e-8)

    return step


METHODS: dict[str, Callable[[float, float], Callable]] = {
    "gradient descent": _gradient_descent,
    "momentum": _momentum,
    "Adam": _adam,
}

FAR = 1e3  # beyond this a path is lost


def _two_basins(x, y):
    return 0.5 * (x**2 - 1) ** 2 + 0.5 * y**2 + 0.18 * x


LANDSCAPES = {
    landscape.name: landscape
    for landscape in (
        Landscape(
            "valley",
            "A long narrow valley",
            lambda x, y: 0.05 * x**2 + 1.25 * y**2,
            lambda x, y: (0.1 * x, 2.5 * y),
            ((0.0, 0.0),),
            (-4.0, 1.2),
            (-5.0, 2.0, -1.8, 1.8),
        ),
        Landscape(
            "banana",
            "A bent valley (Rosenbrock)",
            lambda x, y: 0.25 * (1 - x) ** 2 + 2.5 * (y - x**2) ** 2,
            lambda x, y: (-0.5 * (1 - x) - 10 * x * (y - x**2), 5 * (y - x**2)),
            ((1.0, 1.0),),
            (-1.2, 1.6),
            (-2.0, 2.0, -1.0, 3.0),
        ),
        Landscape(
            "basins",
            "Two basins, one deeper",
            _two_basins,
            lambda x, y: (2 * x * (x**2 - 1) + 0.18, y),
            ((-1.0424, 0.0),),
            (1.6, 1.1),
            (-2.0, 2.0, -1.5, 1.5),
        ),
    )
}
