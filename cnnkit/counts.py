"""What the networks with names cost, as `python -m benchmarks.anatomy` counted it.

Counting takes seconds a network and always gives the same, so the figures ship as
`cnnkit/published/measured/costs.json`; a test counts some of them again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "published" / "measured" / "costs.json"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Totals of a network for one image of its own size."""

    input_shape: tuple[int, ...]  # (height, width, channels)
    parameters: int
    macs: int
    activation_bytes: int  # of all layers
    peak_activation_bytes: int  # at once, at inference
    depth: int  # layers with weights on the longest way through
    receptive_field: tuple[int, ...] | None  # of the answer, pixels along each axis
    not_counted: tuple[str, ...]  # layers whose multiply-accumulates are not known


@cache
def counts() -> dict[str, Counts]:
    """Every network of `cnnkit.models.list_architectures()`, by name."""
    known = json.loads(FILE.read_text(encoding="utf-8"), object_hook=_with_tuples)
    return {name: Counts(**values) for name, values in known.items()}


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no tuples."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
