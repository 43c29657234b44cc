"""Figures that others published on a data set, to compare with: see `reference_figures.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ReferenceFigure:
    """A published result that nothing here repeats."""

    dataset: str  # registered name
    what: str  # was measured, in words
    accuracy: float  # on the test set, 0 to 1
    source: str  # authors and title


def reference_figures(dataset: str) -> list[ReferenceFigure]:
    """The figures on a data set, in the order of the table; none of most."""
    return [figure for figure in _FIGURES if figure.dataset == dataset]


_TABLE = tomllib.loads(Path(__file__).with_name("reference_figures.toml").read_text("utf-8"))
_FIGURES = tuple(ReferenceFigure(**values) for values in _TABLE["figure"])
