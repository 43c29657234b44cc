"""What became of the block without its skip and with it, in words."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.concepts.residual import Pass
from cnnkit.concepts.residual_learning import Learning


def draw_verdict(
    ways: tuple[Pass, Pass], learnt: tuple[Learning, Learning], shortcut: str, step: int
) -> None:
    """Say which of the two blocks still gives something, and what.

    Args:
        ways: through the block without and with its skip.
        learnt: what became of both.
        shortcut: of the second block.
        step: of the learning at which they are shown.
    """
    first, second = st.columns(2)
    plain, skip = ways
    with first:
        if plain.output.max() < 1e-6:
            st.error(
                "**Without skip: dead.** Every number of the output is zero"
                + (", exactly." if plain.output.max() == 0 else " or below 0.000001."),
                icon=":material/heart_broken:",
            )
        else:
            st.info(
                f"**Without skip** the weights have length "
                f"{learnt[0].norms[step]:.2f}. Nothing else carries the image.",
                icon=":material/conversion_path:",
            )
    with second:
        _skip_verdict(skip, learnt[1], shortcut, step)


def _skip_verdict(way: Pass, learnt: Learning, shortcut: str, step: int) -> None:
    alone = np.maximum(way.shortcut, 0)
    gap = float(np.abs(way.output - alone).max())
    name = "the input" if shortcut == "identity" else "what the 1×1 gives"
    matrix = learnt.blocks[step].matrix
    kept = float(np.linalg.norm(matrix) / np.linalg.norm(learnt.blocks[0].matrix))
    if shortcut == "trained" and way.output.max() < 0.1:
        words = (
            f"**With skip: dying too.** L2 pulls on the 1×1 as well, and {kept:.1%} of its length "
            "is left. An identity has no weights that could die."
        )
        st.error(words, icon=":material/heart_broken:")
        return
    if gap == 0:
        words = f"**With skip: output = {name}, exactly.** Nothing was lost."
    elif gap < 1e-3:
        words = f"**With skip: output = {name}**, apart from {gap:.1g} at most. Nothing was lost."
    else:
        words = (
            f"**With skip** the output is {name} changed by up to {gap:.2f}; the weights have "
            f"length {learnt.norms[step]:.2f}."
        )
    if shortcut == "trained":
        words += f" The 1×1 has {kept:.0%} of the length it began with."
    st.success(words, icon=":material/alt_route:")
