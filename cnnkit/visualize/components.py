"""What a plan is composed of: components, and the objective as a weighted sum of terms.

    objective = channel("block3_conv1", 30) - 10 * total_variation(beta=2) - 10 * lp_norm(p=6)
    print(objective)  # +1·channel(block3_conv1, unit=30) -10·total_variation(beta=2) …

All of it is data. What a kind computes is registered, see `registry`.

Reference:
    The algebra is that of lucid (Olah, Mordvintsev, Schubert 2017, "Feature Visualization").
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

Number = float | tuple[float, ...]  # several: one for each image, or a vector
OUTPUT = ""  # the network's logits, whatever its last layer is called
# Names that stored plans may still have.
RENAMED = {"width": "sigma", "centre": "center", "normalised": "normalized"}


@dataclass(frozen=True)
class Component:
    """A registered kind with its numbers and options.

    Args:
        kind: such as "total_variation".
        numbers: by name; tensors of the compiled step, so that changing one compiles nothing.
        options: by name; they shape the compiled step: another value compiles another.
    """

    kind: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        """Equal components print alike."""
        return hash(str(self))

    def __str__(self) -> str:
        """As in code: "total_variation(beta=2)"."""
        words = [f"{k}={number_text(v)}" for k, v in self.numbers.items()]
        words += [f"{k}={v}" for k, v in self.options.items()]
        return f"{self.kind}({', '.join(words)})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; infinity becomes the string "inf"."""
        return {
            "kind": self.kind,
            "numbers": {name: _plain(value) for name, value in self.numbers.items()},
            "options": dict(self.options),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`. Reads the names of older versions too."""
        numbers, options = (
            {current_name(name): value for name, value in values.get(part, {}).items()}
            for part in ("numbers", "options")
        )
        layer = {"layer": values["layer"]} if "layer" in values else {}
        return cls(values["kind"], as_numbers(numbers), options, **layer)

    def shape(self) -> str:
        """What must be compiled again when it changes: all but the values of its numbers."""
        sizes = {k: len(v) if isinstance(v, tuple) else 0 for k, v in self.numbers.items()}
        return json.dumps([self.kind, sizes, dict(self.options)], sort_keys=True)


@dataclass(frozen=True)
class Term(Component):
    """One term of an objective: a value for each image of a batch.

    Args:
        kind: a registered objective or regularizer.
        numbers: see `Component`.
        options: see `Component`.
        layer: whose activations it reads; "": the logits. Regularizers read none.
    """

    layer: str = OUTPUT

    __hash__ = Component.__hash__

    def __str__(self) -> str:
        """As in code: "channel(block3_conv1, unit=30)"."""
        words = [self.layer] if self.layer else []
        words += [f"{name}={number_text(value)}" for name, value in self.numbers.items()]
        return f"{self.kind}({', '.join(words)})"

    @property
    def of_image(self) -> bool:
        """Whether it is a regularizer: a function of the image, not of activations."""
        from cnnkit.visualize.registry import REGULARIZER, definition

        return definition(self.kind).role == REGULARIZER

    def shape(self) -> str:
        """What must be compiled again when it changes."""
        return f"{self.layer}:{super().shape()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**super().to_dict(), "layer": self.layer}


@dataclass(frozen=True)
class Objective:
    """A weighted sum of terms, to be maximized. Regularizers have negative weights."""

    terms: tuple[tuple[float, Term], ...]

    def __add__(self, other: Objective) -> Objective:
        """The terms of both."""
        return Objective(self.terms + other.terms)

    def __mul__(self, factor: float) -> Objective:
        """Every weight multiplied by a factor."""
        return Objective(tuple((factor * weight, term) for weight, term in self.terms))

    __rmul__ = __mul__

    def __neg__(self) -> Objective:
        """Every weight with the other sign."""
        return -1 * self

    def __sub__(self, other: Objective) -> Objective:
        """The terms of both, the other's with the other sign."""
        return self + (-other)

    def __str__(self) -> str:
        """All terms with their weights."""
        return " ".join(f"{weight:+g}·{term}" for weight, term in self.terms)

    @property
    def weights(self) -> np.ndarray:
        """Weights of the terms: float32 (terms,)."""
        return np.array([weight for weight, _ in self.terms], np.float32)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose activations are read, each once; "" stands for the logits."""
        return tuple(dict.fromkeys(term.layer for _, term in self.terms if not term.of_image))

    def to_list(self) -> list[dict[str, Any]]:
        """Plain values for JSON."""
        return [{"weight": weight, **term.to_dict()} for weight, term in self.terms]

    @classmethod
    def from_list(cls, values: Sequence[Mapping[str, Any]]) -> Objective:
        """The inverse of `to_list`."""
        return cls(tuple((float(entry["weight"]), Term.from_dict(entry)) for entry in values))


def current_name(name: str) -> str:
    """The name that a number or option of a stored plan has now."""
    return RENAMED.get(name, name)


def number_text(value: Number) -> str:
    """Short: "2", "0.05", "∞", "65, 18, 130", "512 numbers"."""
    if isinstance(value, tuple):
        if len(value) > 16:
            return f"{len(value)} numbers"
        return ", ".join(map(number_text, value))
    return "∞" if math.isinf(value) else f"{value:g}"


def as_numbers(values: Mapping[str, Any]) -> dict[str, Number]:
    """Numbers by name from JSON: lists become tuples."""
    return {name: _number(value) for name, value in values.items()}


def _plain(value: Number) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return "inf" if math.isinf(value) else value


def _number(value: Any) -> Number:
    if isinstance(value, list | tuple):
        return tuple(float(entry) for entry in value)
    return float(value)
