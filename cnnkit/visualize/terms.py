"""What an image shall excite, and what it shall not be: terms, and their weighted sums.

    objective = channel("block3_conv1", 30) - 10 * total_variation(beta=2) - 10 * lp_norm(p=6)
    print(objective)  # +1·channel(block3_conv1, unit=30) -10·total_variation(beta=2) …

A term is data. Its value for each image of a batch is worked out in `scores`.

Reference:
    The algebra is that of lucid (Olah, Mordvintsev, Schubert 2017, "Feature Visualization").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from cnnkit.visualize.components import Component, Number, number_text

OUTPUT = ""  # stands for the network's answer, whatever its last layer is called
IMAGE_TERMS = ("lp_norm", "total_variation", "anisotropic_variation", "l2")
CENTRE = -1.0  # of a map, as a neuron's row or column


@dataclass(frozen=True)
class Term(Component):
    """One number for each image, the larger the more of it.

    Args:
        kind: of `scores`.
        numbers: see `Component`.
        options: see `Component`.
        layer: whose activations it reads; "": the network's answer. Terms of the image
            itself (`IMAGE_TERMS`) read none.
    """

    layer: str = OUTPUT

    def __hash__(self) -> int:
        """Equal terms print alike."""
        return hash(str(self))

    def __str__(self) -> str:
        """As one would write it: "channel(block3_conv1, unit=30)"."""
        told = [self.layer] if self.layer else []
        told += [f"{name}={number_text(value)}" for name, value in self.numbers.items()]
        return f"{self.kind}({', '.join(told)})"

    @property
    def of_image(self) -> bool:
        """Whether it looks at the image and not at activations."""
        return self.kind in IMAGE_TERMS

    def shape(self) -> str:
        """What of it shapes the compiled step."""
        return f"{self.layer}:{super().shape()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**super().to_dict(), "layer": self.layer}


@dataclass(frozen=True)
class Objective:
    """A weighted sum of terms. Larger is better; a term is subtracted to hold it down."""

    terms: tuple[tuple[float, Term], ...]

    def __add__(self, other: Objective) -> Objective:
        """Both together."""
        return Objective(self.terms + other.terms)

    def __mul__(self, factor: float) -> Objective:
        """Every term so many times."""
        return Objective(tuple((factor * weight, term) for weight, term in self.terms))

    __rmul__ = __mul__

    def __neg__(self) -> Objective:
        """The opposite."""
        return -1 * self

    def __sub__(self, other: Objective) -> Objective:
        """This without the other."""
        return self + (-other)

    def __str__(self) -> str:
        """All terms with their weights."""
        return " ".join(f"{weight:+g}·{term}" for weight, term in self.terms)

    @property
    def weights(self) -> np.ndarray:
        """Of the terms: float32 (terms,)."""
        return np.array([weight for weight, _ in self.terms], np.float32)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose activations are needed, each once; "" is the network's answer."""
        return tuple(dict.fromkeys(term.layer for _, term in self.terms if not term.of_image))

    def to_list(self) -> list[dict[str, Any]]:
        """Plain values for JSON."""
        return [{"weight": weight, **term.to_dict()} for weight, term in self.terms]

    @classmethod
    def from_list(cls, values: Sequence[Mapping[str, Any]]) -> Objective:
        """The inverse of `to_list`."""
        pairs = ((dict(entry), float(entry["weight"])) for entry in values)
        return cls(tuple((weight, Term.from_dict(_without_weight(e))) for e, weight in pairs))


def class_logit(unit: int | Sequence[int]) -> Objective:
    """The network's answer for a class before softmax.

    Args:
        unit: class; several: one for each image of the batch.
    """
    return _one("class_logit", unit=_units(unit))


def class_probability(unit: int | Sequence[int]) -> Objective:
    """The same after softmax, for comparison.

    It can also be raised by lowering the other classes, which leads the image astray.

    Args:
        unit: class; several: one for each image of the batch.

    Reference:
        Simonyan, Vedaldi, Zisserman 2013, section 2.
    """
    return _one("class_probability", unit=_units(unit))


def class_margin(unit: int | Sequence[int]) -> Objective:
    """By how much a class's logit leads: over the soft maximum of all others, log Σ exp.

    It is the logarithm of the odds, log p / (1 - p). Where a network knows look-alikes (cats,
    sledge dogs), the logit alone raises them as well, and another of them wins.

    Args:
        unit: class; several: one for each image of the batch.
    """
    return _one("class_margin", unit=_units(unit))


def channel(layer: str, unit: int | Sequence[int]) -> Objective:
    """The mean of one filter's map; of a layer of plain units, that unit.

    Args:
        layer: its name; "outer/inner" inside a nested network.
        unit: filter; several: one for each image of the batch.
    """
    return _one("channel", layer, unit=_units(unit))


def neuron(
    layer: str, unit: int | Sequence[int], row: int | None = None, column: int | None = None
) -> Objective:
    """One place of one filter's map.

    Args:
        layer: with maps.
        unit: filter; several: one for each image of the batch.
        row: from above, 0 first; None: the middle (of an even number, the one after it).
        column: from the left, likewise.
    """
    place = {
        "row": CENTRE if row is None else float(row),
        "column": CENTRE if column is None else float(column),
    }
    return _one("neuron", layer, unit=_units(unit), **place)


def direction(layer: str, vector: Sequence[float]) -> Objective:
    """How far activations point along a vector: the mean over places of their dot product.

    Args:
        layer: its name.
        vector: one number for each of its filters; its length is made 1.
    """
    return _one("direction", layer, vector=tuple(float(entry) for entry in vector))


def layer_energy(layer: str, border: int = 0) -> Objective:
    """The mean square of all activations of a layer: what DeepDream raises.

    Args:
        layer: its name.
        border: places on each side that count as 0: what padding does there is no dream.

    Reference:
        Mordvintsev, Olah, Tyka 2015, "Inceptionism".
    """
    return Objective(((1.0, Term("layer_energy", {}, {"border": border}, layer)),))


def guide(layer: str, style: str) -> Objective:
    """Activations like those of another image: for each place its best match's dot product.

    Args:
        layer: with maps.
        style: name of the guiding image among those given to `maximize`.

    Reference:
        Mordvintsev, Olah, Tyka 2015, "DeepDream", section "Controlling dreams".
    """
    return Objective(((1.0, Term("guide", {}, {"guide": style}, layer)),))


def diversity(layer: str) -> Objective:
    """How much the images of a batch differ from each other in a layer; 0 when all are alike.

    One minus the mean cosine between an image's Gram matrix and the others'.

    Args:
        layer: with maps.
    """
    return _one("diversity", layer)


def lp_norm(p: float = 6.0) -> Objective:
    """(Σ |x|^p)^(1/p) over the image's values, divided by their count. p may be infinite.

    Reference:
        Simonyan, Vedaldi, Zisserman 2013 (p = 2); Mahendran, Vedaldi 2014 (p = 6).
    """
    return _one("lp_norm", p=float(p))


def total_variation(beta: float = 2.0) -> Objective:
    """Σ ((down − here)² + (right − here)²)^(β/2), divided by the count of values.

    As published, the sum leaves out the last row and column as "here", so that the pixel in the
    lower right corner is in no difference and stays free.

    Reference:
        Mahendran, Vedaldi 2014, "Understanding Deep Image Representations by Inverting Them".
    """
    return _one("total_variation", beta=float(beta))


def anisotropic_variation() -> Objective:
    """Σ |down − here| + |right − here|, divided by the count of values."""
    return _one("anisotropic_variation")


def l2(centre: float | Sequence[float] = 0.0) -> Objective:
    """The mean of (x − centre)².

    Args:
        centre: 0 to 255; several: one for each colour.
    """
    several = not isinstance(centre, int | float)
    return _one("l2", centre=tuple(map(float, centre)) if several else float(centre))


def _one(kind: str, layer: str = OUTPUT, **numbers: Number) -> Objective:
    return Objective(((1.0, Term(kind, numbers, {}, layer)),))


def _units(unit: int | Sequence[int]) -> tuple[float, ...]:
    # NumPy's integers are not `int`.
    several = [unit] if isinstance(unit, Integral) else unit
    return tuple(float(n) for n in several)  # pyright: ignore[reportGeneralTypeIssues]


def _without_weight(entry: dict[str, Any]) -> dict[str, Any]:
    del entry["weight"]
    return entry
