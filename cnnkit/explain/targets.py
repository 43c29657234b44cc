"""What is explained: an objective of `cnnkit.visualize`, with a unit for each image."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnkit.errors import IncompatibleError
from cnnkit.visualize.components import OUTPUT, Objective, Term

TargetLike = int | Sequence[int] | np.ndarray | Objective | None


def contrast(one: int, other: int) -> Objective:
    """The logit of one class minus that of another: why this and not that.

    Args:
        one: class, 0 first.
        other: class that it is compared with.
    """
    from cnnkit.visualize.objectives import class_logit

    return class_logit(one) - class_logit(other)


@dataclass(frozen=True, eq=False)
class AttributionTarget:
    """An objective, and its numbers for each image.

    Args:
        objective: a weighted sum of terms of activations.
        units: of each term, int32 (images,); None: it has none.
    """

    objective: Objective
    units: tuple[np.ndarray | None, ...]

    @classmethod
    def of(cls, objective: Objective, images: int) -> AttributionTarget:
        """The target for some images.

        Raises:
            IncompatibleError: it has a term that is no function of activations, or units for
                another number of images.
        """
        units = []
        for _, term in objective.terms:
            if term.of_image or "guide" in term.options:
                raise IncompatibleError(
                    f"`target` must be made of classes, channels and neurons. Received: {term}."
                )
            units.append(_units(term, images))
        return cls(objective, tuple(units))

    def take(self, places: np.ndarray) -> AttributionTarget:
        """The target for a choice of the images, one place for each image that is asked about."""
        return AttributionTarget(
            self.objective, tuple(u if u is None else u[places] for u in self.units)
        )

    def repeat(self, times: int) -> AttributionTarget:
        """The target where each image is asked about several times in turn."""
        return self.take(np.repeat(np.arange(self.images), times))

    @property
    def images(self) -> int:
        """For how many images it is; 1 where it is the same for all."""
        return max([1, *(len(u) for u in self.units if u is not None)])

    @property
    def layers(self) -> tuple[str, ...]:
        """Whose activations it reads; "" stands for the logits."""
        return self.objective.layers

    @property
    def of_class(self) -> bool:
        """Whether it is one class."""
        return [term.kind for _, term in self.objective.terms] == ["class_logit"]

    def as_probability(self) -> AttributionTarget:
        """A class by its probability after softmax; any other target as it is."""
        if not self.of_class:
            return self
        ((weight, term),) = self.objective.terms
        term = dataclasses.replace(term, kind="class_probability")
        return AttributionTarget(Objective(((weight, term),)), self.units)

    def numbers(self) -> list[dict[str, np.ndarray]]:
        """The numbers of each term, as the compiled functions take them."""
        own = []
        for (_, term), units in zip(self.objective.terms, self.units, strict=True):
            values = {name: np.asarray(value, np.float32) for name, value in term.numbers.items()}
            own.append(values if units is None else values | {"unit": units.astype(np.float32)})
        return own

    def shape(self) -> str:
        """What must be compiled again when it changes."""
        return ";".join(f"{t.layer}:{t.kind}:{dict(t.options)}" for _, t in self.objective.terms)


def class_target(classes: int | Sequence[int] | np.ndarray, images: int) -> AttributionTarget:
    """The logit of a class, one for all images or one for each.

    Raises:
        IncompatibleError: they are no whole numbers, or as many as neither one nor the images.
    """
    units = np.asarray(classes)
    if units.dtype.kind not in "iu" or units.ndim > 1:
        raise IncompatibleError(
            f"`target` must be a class, one for each image, an objective or None. "
            f"Received: {classes!r}."
        )
    term = Term("class_logit", {"unit": tuple(map(float, np.atleast_1d(units)))}, {}, OUTPUT)
    return AttributionTarget.of(Objective(((1.0, term),)), images)


def _units(term: Term, images: int) -> np.ndarray | None:
    if "unit" not in term.numbers:
        return None
    units = np.atleast_1d(np.asarray(term.numbers["unit"], np.int32))
    if len(units) not in (1, images):
        raise IncompatibleError(
            f"`target` must be one for all images or one for each of {images}. "
            f"Received: {len(units)}."
        )
    return np.broadcast_to(units, (images,))
