"""`Component`: one named piece of a plan, with the numbers that may be turned while it runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

Number = float | tuple[float, ...]  # several: one for each image, or a vector


@dataclass(frozen=True)
class Component:
    """A kind, by name, and what it is told.

    Data only: what a kind does is written beside the others of its sort (`scores`,
    `transforms`, `updates`, …). So a plan can be listed, printed, stored and compared.

    Args:
        kind: such as "total_variation".
        numbers: by name. They are given to the compiled step as tensors, so that turning
            one compiles nothing anew.
        options: by name. They shape the step itself; another value is another step.
    """

    kind: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        """Equal parts print alike."""
        return hash(str(self))

    def __str__(self) -> str:
        """As one would write it: "total_variation(beta=2)"."""
        told = [f"{k}={number_text(v)}" for k, v in self.numbers.items()]
        told += [f"{k}={v}" for k, v in self.options.items()]
        return f"{self.kind}({', '.join(told)})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; infinity becomes the word "inf"."""
        return {
            "kind": self.kind,
            "numbers": {name: _plain(value) for name, value in self.numbers.items()},
            "options": dict(self.options),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        numbers = {name: _number(value) for name, value in values.get("numbers", {}).items()}
        rest = {k: v for k, v in values.items() if k not in ("kind", "numbers", "options")}
        return cls(values["kind"], numbers, dict(values.get("options", {})), **rest)

    def shape(self) -> str:
        """What of it shapes the compiled step: all but its numbers."""
        sizes = {k: len(v) if isinstance(v, tuple) else 0 for k, v in self.numbers.items()}
        return json.dumps([self.kind, sizes, dict(self.options)], sort_keys=True)


def number_text(value: Number) -> str:
    """Short: "2", "0.05", "∞", "65, 18, 130", "512 numbers"."""
    if isinstance(value, tuple):
        if len(value) > 16:
            return f"{len(value)} numbers"
        return ", ".join(map(number_text, value))
    return "∞" if math.isinf(value) else f"{value:g}"


def _plain(value: Number) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return "inf" if math.isinf(value) else value


def _number(value: Any) -> Number:
    if isinstance(value, list | tuple):
        return tuple(float(entry) for entry in value)
    return float(value)
