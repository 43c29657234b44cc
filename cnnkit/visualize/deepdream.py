"""DeepDream: gradient ascent on an image for the energy of layers, octave by octave.

    for step in dream(model, image, Dream(layers={"inception_4c": 1.0})):
        print(step.octave, step.number, step.value)

Reference:
    Mordvintsev, Olah, Tyka 2015, "Inceptionism: Going Deeper into Neural Networks".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from cnnkit.errors import DivergedError
from cnnkit.visualize.deepdream_presets import ASCENT, LBFGS, Dream
from cnnkit.visualize.optimizers import sgd
from cnnkit.visualize.parametrizations import pixels
from cnnkit.visualize.plan import Plan
from cnnkit.visualize.step import CompiledStep

SMALLEST_OCTAVE = 32  # pixels a side
HALVINGS = 20  # of a step before it is given up


@dataclass(frozen=True)
class DreamStep:
    """What one step of a dream reached."""

    octave: int  # 1-based, the smallest first
    octaves: int
    number: int  # steps done in all, 1-based
    steps: int  # in all
    value: float  # of the objective
    terms: Mapping[str, float]  # term → value, without its weight
    image: np.ndarray = field(repr=False)  # float32 (height, width, channels) of this octave


def dream(
    model: Any, image: np.ndarray, plan: Dream, *, guided_by: np.ndarray | None = None
) -> Iterator[DreamStep]:
    """Dream on an image, octave by octave.

    What an octave's smaller size had lost of the image is put back when it grows.

    Args:
        model: Keras network that takes (batch, height, width, channels), 0 to 255; at any
            size up to the plan's layers.
        image: (height, width, channels), 0 to 255.
        plan: how.
        guided_by: (height, width, channels), 0 to 255, where the plan is guided.

    Raises:
        UnknownLayerError: lists the layers there are.
        IncompatibleError: the network cannot take such an image, or a guide is missing.
        DivergedError: no finite step could be made.
    """
    if plan.optimizer not in (ASCENT, LBFGS):
        raise ValueError(f"`optimizer` must be 'ascent' or 'lbfgs'. Received: {plan.optimizer!r}.")
    guides = {} if guided_by is None else {"guide": np.asarray(guided_by, np.float32)[None]}
    original = np.asarray(image, np.float32)
    height, width = original.shape[:2]
    sizes = octave_sizes((height, width), plan)
    current = before = resized(original, sizes[0])
    gradient = _DreamGradient(model, plan, guides)
    optimize = _lbfgs if plan.optimizer == LBFGS else _ascend
    steps = plan.steps * len(sizes)
    for octave, size in enumerate(sizes, start=1):
        if octave > 1:
            lost = resized(original, size) - resized(before, size)
            current, before = resized(current, size) + lost, resized(original, size)
        reached, first = optimize(gradient, current), (octave - 1) * plan.steps + 1
        for number, (current, value, terms) in enumerate(reached, first):
            yield DreamStep(octave, len(sizes), number, steps, value, terms, current)
            if plan.most is not None and value > plan.most:
                break


def octave_sizes(size: tuple[int, int], plan: Dream) -> list[tuple[int, int]]:
    """(height, width) of each octave, the smallest first; those too small are left out."""
    shares = [plan.octave_scale**-n for n in reversed(range(max(1, plan.octaves)))]
    sizes = [(round(size[0] * share), round(size[1] * share)) for share in shares]
    return [one for one in sizes[:-1] if min(one) >= SMALLEST_OCTAVE] + [size]


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A float32 image at another (height, width), each color by bilinear interpolation."""
    if image.shape[:2] == tuple(size):
        return image
    colors = [Image.fromarray(np.ascontiguousarray(image[..., c])) for c in range(image.shape[-1])]
    scaled = [color.resize((size[1], size[0]), Image.Resampling.BILINEAR) for color in colors]
    return np.stack([*map(np.asarray, scaled)], axis=-1).astype(np.float32)


def tiles(size: tuple[int, int], side: int) -> list[tuple[slice, slice]]:
    """Windows of one size that cover an image; the last of a row overlaps the one before."""
    return [
        (slice(top, top + min(side, size[0])), slice(left, left + min(side, size[1])))
        for top in _starts(size[0], side)
        for left in _starts(size[1], side)
    ]


Ascent = Iterator[tuple[np.ndarray, float, dict[str, float]]]


@dataclass
class _DreamGradient:
    """The objective and its gradient by an image of any size; each size is compiled once."""

    model: Any
    plan: Dream
    guides: Mapping[str, np.ndarray]
    _compiled: dict[tuple[int, int], tuple[CompiledStep, Plan]] = field(default_factory=dict)

    def __call__(
        self, image: np.ndarray, tile: int = 0
    ) -> tuple[float, np.ndarray, dict[str, float]]:
        """The value, its gradient and the value of each term, of tiles their means.

        Args:
            image: float (height, width, channels).
            tile: pixels a side; 0: the whole image at once.
        """
        gradient, totals, values = np.zeros_like(image), [], []
        for rows, columns in tiles(image.shape[:2], tile or max(image.shape[:2])):
            part = image[None, rows, columns]
            step, plan = self._step(part.shape[1:3])
            total, slope, term_values = step.slope(part, plan)
            gradient[rows, columns] = slope[0]
            totals.append(total)
            values.append(term_values[:, 0])
        names = [str(term) for _, term in self.plan.objective().terms]
        terms = dict(zip(names, map(float, np.mean(values, axis=0)), strict=True))
        return float(np.mean(totals)), gradient, terms

    def _step(self, size: tuple[int, int]) -> tuple[CompiledStep, Plan]:
        if size not in self._compiled:
            plan = Plan(
                objective=self.plan.objective(),
                size=size,
                parametrization=pixels(),
                optimizer=sgd(),
                seed=self.plan.seed,
            )
            self._compiled[size] = CompiledStep(self.model, plan, self.guides), plan
        return self._compiled[size]


def _ascend(gradient: _DreamGradient, image: np.ndarray) -> Ascent:
    plan = gradient.plan
    draw, rate = np.random.default_rng(plan.seed), plan.learning_rate
    for _ in range(plan.steps):
        reach = round(plan.jitter)
        shift = draw.integers(-reach, reach + 1, 2) if reach else (0, 0)
        if plan.tile and max(image.shape[:2]) > plan.tile:
            # The grid's seams lie elsewhere at each step.
            shift = draw.integers(0, plan.tile, 2)
        moved = np.roll(image, shift, (0, 1))
        value, slope, terms = gradient(moved, plan.tile)
        slope /= max(float(np.abs(slope).mean()), 1e-6 / 127.5)
        for _ in range(HALVINGS):
            stepped = moved + rate * slope
            if np.isfinite(stepped).all():
                break
            rate /= 2
        else:
            raise DivergedError(_diverged(terms))
        image = np.roll(stepped, tuple(-s for s in shift), (0, 1))
        yield image, value, terms


def _lbfgs(gradient: _DreamGradient, image: np.ndarray) -> Ascent:
    from scipy.optimize import minimize

    plan = gradient.plan
    draw, options = np.random.default_rng(plan.seed), {"maxfun": plan.evaluations}

    def descent(flat: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope, _ = gradient(flat.reshape(image.shape))
        return -total, -slope.ravel().astype(np.float64)

    for _ in range(plan.steps):
        noise = plan.jitter * 2 * (draw.random(image.shape) - 0.5)
        start = (image + noise).astype(np.float64).ravel()
        result = minimize(descent, start, jac=True, method="L-BFGS-B", options=options)
        image = (result.x.reshape(image.shape) - noise).astype(np.float32)
        total, _, terms = gradient(image)
        if not np.isfinite(image).all():
            raise DivergedError(_diverged(terms))
        yield image, total, terms


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    return sorted({*range(0, length - side, side), length - side})


def _diverged(values: Mapping[str, float]) -> str:
    text = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
    return f"The dream left the finite numbers ({text}): lower the weights or the learning rate."
