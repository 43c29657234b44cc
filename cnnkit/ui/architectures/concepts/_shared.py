"""What the experiments share: who asked, large numbers, and the second count."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

from cnnkit.concepts.bottleneck import Cost
from cnnkit.ui.common.tasks import background, when_ready

NOTES = "a learner's notes on Coursera's Convolutional Neural Networks, week 2"


def short(number: float) -> str:
    """A count in few characters: "812", "15.9 k", "120 M", "1.64 G"."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        # From 999.5 on, three digits would read "1e+03".
        if number >= 0.9995 * size:
            return f"{number / size:.{_decimals(number / size)}f} {unit}"
    return f"{number:g}"


def second_count(
    key: Hashable, count: Callable[[], Any], formula: dict[str, Cost], costs: Callable[[Any], Any]
) -> None:
    """Show what is counted in real layers beside the formula, and whether they agree.

    Args:
        key: of the question.
        count: builds the layers and counts them; it takes seconds when Keras is new.
        formula: what was worked out, by the name of the case.
        costs: takes what `count` gives and returns its costs, in the order of `formula`.
    """

    def show(found: Any) -> None:
        counted = list(costs(found))
        words = "; ".join(
            f"{name}: {cost.macs:,} MACs, {cost.parameters:,} parameters"
            for name, cost in zip(formula, counted, strict=True)
        )
        if counted == list(formula.values()):
            st.success(
                f"Counted in real Keras layers, one by one: {words}. The formula agrees.",
                icon=":material/check:",
            )
        else:
            st.error(f"Counted in real Keras layers: {words}. The formula does not agree.")

    when_ready(
        background().ask(key, count),
        show,
        waiting="Building the same in Keras to count it a second time …",
    )


def _decimals(number: float) -> int:
    return 2 if number < 9.995 else 1 if number < 99.95 else 0
