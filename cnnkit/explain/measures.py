"""Measures of explanations are generators of progress, as the methods are.

@measure
def deletion(model, images, maps, target=None, ...): ...

deletion(model, images, maps)        # runs to its end
deletion.steps(model, images, maps)  # yields (done, in all), returns the same
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

import numpy as np

from cnnkit.errors import IncompatibleError, UnknownNameError

if TYPE_CHECKING:
    from cnnkit.explain.registry import Method, Steps
    from cnnkit.explain.scores import ScoreModel
    from cnnkit.explain.targets import AttributionTarget

P = ParamSpec("P")
R = TypeVar("R")
Progress = Generator[tuple[int, int], None, R]


class Measure(Generic[P, R]):
    """A measure of explanations: call it for its result, or take its `steps`.

    Args:
        compute: the generator.
    """

    def __init__(self, compute: Callable[P, Progress[R]]):
        """Take over its name and docstring."""
        self.steps = compute
        functools.update_wrapper(self, compute)

    def __call__(self, *arguments: P.args, **options: P.kwargs) -> R:
        """Run the generator to its end."""
        steps = self.steps(*arguments, **options)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value


measure = Measure  # the decorator


def part(place: int, parts: int, steps: Progress[R]) -> Progress[R]:
    """The progress of one of several equal parts, counted in that of the whole."""
    while True:
        try:
            done, total = next(steps)
        except StopIteration as end:
            return end.value
        yield place * total + done, parts * total


def as_method(method: Method | str) -> Method:
    """A method, or the one of this name."""
    from cnnkit.explain.registry import get_method

    return get_method(method) if isinstance(method, str) else method


def check_maps(maps: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Maps of these images: float32 (images, height, width).

    Raises:
        IncompatibleError: they have another size, or values that are not finite.
    """
    maps = np.asarray(maps, np.float32)
    if maps.shape != images.shape[:3]:
        raise IncompatibleError(
            f"`maps` must be {images.shape[:3]}, one for each image. Received: {maps.shape}."
        )
    if not np.isfinite(maps).all():
        raise IncompatibleError("`maps` must be finite. Received NaN or infinity.")
    return maps


def unchecked_maps(
    method: Method,
    scores: ScoreModel,
    images: np.ndarray,
    target: AttributionTarget,
    options: Mapping[str, Any],
) -> Steps:
    """The maps of a method, zero everywhere where it finds nothing or leaves the finite numbers.

    Raises:
        UnknownNameError: the method has no such option.
    """
    unknown = [name for name in options if name not in method.options]
    if unknown:
        raise UnknownNameError(unknown[0], method.options)
    maps = yield from method.compute(scores, images, target, **options)
    maps = np.asarray(maps, np.float32)
    finite = np.isfinite(maps).all((1, 2), keepdims=True)
    return np.where(finite, maps, np.float32(0))
