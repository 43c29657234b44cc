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
    engines: dict[tuple[int, int], CompiledStep] = {}
    for octave, size in enumerate(sizes, start=1):
        if octave > 1:
            lost = resized(original, size) - resized(before, size)
            current, before = resized(current, size) + lost, resized(original, size)
        optimize = _lbfgs if plan.optimizer == LBFGS else _ascend
        steps = optimize(model, current, plan, engines, guides)
        for number, (current, value, values) in enumerate(
            steps, start=(octave - 1) * plan.steps + 1
        ):
            yield DreamStep(
                octave, len(sizes), number, plan.steps * len(sizes), value, values, current
            )
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
    height, width = size
    way = Image.Resampling.BILINEAR
    colors = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(image[..., c])).resize((width, height), way)
        )
        for c in range(image.shape[-1])
    ]
    return np.stack(colors, axis=-1).astype(np.float32)


def tiles(size: tuple[int, int], side: int) -> list[tuple[slice, slice]]:
    """Windows of one size that cover an image; the last of a row overlaps the one before."""
    return [
        (slice(top, top + min(side, size[0])), slice(left, left + min(side, size[1])))
        for top in _starts(size[0], side)
        for left in _starts(size[1], side)
    ]


Ascent = Iterator[tuple[np.ndarray, float, dict[str, float]]]


def _ascend(model: Any, image: np.ndarray, plan: Dream, engines: dict, guides: dict) -> Ascent:
    draw, rate = np.random.default_rng(plan.seed), plan.learning_rate
    for _ in range(plan.steps):
        reach = round(plan.jitter)
        shift = draw.integers(-reach, reach + 1, 2) if reach else (0, 0)
        if plan.tile and max(image.shape[:2]) > plan.tile:
            # The grid's seams lie elsewhere at each step.
            shift = draw.integers(0, plan.tile, 2)
        moved = np.roll(image, shift, (0, 1))
        value, slope, values = _tiled_slope(model, moved, plan, engines, guides)
        slope /= max(float(np.abs(slope).mean()), 1e-6 / 127.5)
        for _ in range(HALVINGS):
            stepped = moved + rate * slope
            if np.isfinite(stepped).all():
                break
            rate /= 2
        else:
            raise DivergedError(_diverged(values))
        image = np.roll(stepped, tuple(-s for s in shift), (0, 1))
        yield image, value, values


def _tiled_slope(model: Any, image: np.ndarray, plan: Dream, engines: dict, guides: dict):
    windows = tiles(image.shape[:2], plan.tile or max(image.shape[:2]))
    slope, totals, parts = np.zeros_like(image), [], []
    for rows, columns in windows:
        part = image[None, rows, columns]
        engine, whole = _engine(model, part.shape[1:3], plan, engines, guides)
        total, gradient, values = engine.slope(part, whole)
        slope[rows, columns] = gradient[0]
        totals.append(total)
        parts.append(values[:, 0])
    names = [str(term) for _, term in plan.objective().terms]
    means = np.mean(parts, axis=0)
    return float(np.mean(totals)), slope, dict(zip(names, map(float, means), strict=True))


def _lbfgs(model: Any, image: np.ndarray, plan: Dream, engines: dict, guides: dict) -> Ascent:
    from scipy.optimize import minimize

    draw = np.random.default_rng(plan.seed)
    engine, whole = _engine(model, image.shape[:2], plan, engines, guides)
    names = [str(term) for _, term in plan.objective().terms]

    def descent(flat: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope, _ = engine.slope(flat.reshape(1, *image.shape), whole)
        return -total, -slope.ravel().astype(np.float64)

    for _ in range(plan.steps):
        noise = plan.jitter * 2 * (draw.random(image.shape) - 0.5)
        start = (image + noise).astype(np.float64).ravel()
        found = minimize(
            descent, start, jac=True, method="L-BFGS-B", options={"maxfun": plan.evaluations}
        )
        image = (found.x.reshape(image.shape) - noise).astype(np.float32)
        total, _, values = engine.slope(image[None], whole)
        terms = dict(zip(names, map(float, values[:, 0]), strict=True))
        if not np.isfinite(image).all():
            raise DivergedError(_diverged(terms))
        yield image, total, terms


def _engine(
    model: Any, size: tuple[int, ...], plan: Dream, engines: dict, guides: dict
) -> tuple[CompiledStep, Plan]:
    height, width = size
    whole = Plan(
        objective=plan.objective(),
        size=(height, width),
        parametrization=pixels(),
        optimizer=sgd(),
        seed=plan.seed,
    )
    if (height, width) not in engines:
        engines[height, width] = CompiledStep(model, whole, guides)
    return engines[height, width], whole


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    return sorted({*range(0, length - side, side), length - side})


def _diverged(values: Mapping[str, float]) -> str:
    text = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
    return f"The dream left the finite numbers ({text}): lower the weights or the learning rate."
