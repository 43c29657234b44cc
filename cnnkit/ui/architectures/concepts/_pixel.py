"""One number followed through the block, and the gradient on its way back."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.concepts.residual import Block, Pass, Trace, traced
from cnnkit.concepts.residual_learning import LOOKS, SIDE, gradients_through, input_gradient
from cnnkit.figures import rasters
from cnnkit.ui.common.charts import image, montage

SCALE = 14  # pixels on the screen for one of a map
START = {"map": 1, "row": 7, "column": 5}


def draw_pixel(ways: tuple[Pass, Pass], shortcut: str) -> None:
    """Trace one pixel of one map through both blocks.

    Args:
        ways: through the block without and with its skip, of one image.
        shortcut: of the second block.
    """
    st.markdown("**One pixel, followed through the block**")
    left, right = st.columns([2, 5], gap="large")
    with left:
        ends = {"map": len(LOOKS), "row": SIDE, "column": SIDE}
        number, row, column = (
            st.slider(
                name.capitalize(), 1, end, START[name], key=f"residual_{name}", bind="query-params"
            )
            - 1
            for name, end in ends.items()
        )
    with right:
        maps = ways[0].input[0, ..., number]
        with st.container(horizontal=True, gap="medium"):
            for title, values in (
                ("input", maps),
                ("without skip", ways[0].output[0, ..., number]),
                ("with skip", ways[1].output[0, ..., number]),
            ):
                _boxed(values, row, column, title, float(maps.max()) or 1.0)
        plain, skip = (traced(way, row, column, number) for way in ways)
        around = "a" if shortcut == "identity" else "W_s a"
        st.latex(
            r"\begin{aligned}"
            r"\textbf{without}\quad &"
            rf"a = {plain.a:.2f},\; F(a) = {plain.branch:.2f} \\"
            rf"&\mathrm{{ReLU}}({plain.total:.2f}) = {plain.output:.2f} \\[4pt]"
            r"\textbf{with skip}\quad &"
            rf"a = {skip.a:.2f},\; F(a) = {skip.branch:.2f} \\"
            rf"&{around} + F(a) = {skip.shortcut:.2f} + {_signed(skip.branch)} "
            rf"{_equals(skip)} {skip.total:.2f} "
            rf"\\ &\mathrm{{ReLU}}({skip.total:.2f}) = {skip.output:.2f}"
            r"\end{aligned}"
        )


def draw_gradient(blocks: tuple[Block, Block], stack: np.ndarray, target: np.ndarray) -> None:
    """Show what the loss sends back through both blocks.

    Args:
        blocks: without and with the skip.
        stack: (1, height, width, maps).
        target: what the blocks should give.
    """
    st.markdown("**The gradient that reaches the block's input** :gray[for all that lies below]")
    slopes = [input_gradient(block, stack, target) for block in blocks]
    shares = [float(gradients_through([block], stack, target)[-1]) for block in blocks]
    left, right = st.columns([2, 5], gap="large")
    with left:
        for share, title in zip(shares, ("Without skip", "With skip"), strict=True):
            st.metric(title, f"{share:.1%}", help="of the gradient that came to its output")
    with right:
        # One montage, so that both blocks share one scale.
        montage(
            _visible(np.concatenate([slope[0].transpose(2, 0, 1) for slope in slopes])),
            columns=stack.shape[-1],
            scale=6,
            colours="diverging",
            width=360,
            alt=f"The gradient at each input map, {shares[0]:.1%} of it without the skip above, "
            f"{shares[1]:.1%} with the skip below",
        )
        st.caption(
            "The gradient at each input map, for this digit: without skip above, with skip below. "
            "Blue: the loss would fall with less there; orange: with more."
        )


def _boxed(values: np.ndarray, row: int, column: int, title: str, brightest: float) -> None:
    gray = np.rint(255 * np.clip(values / brightest, 0, 1)).astype(np.uint8)
    box = (column * SCALE, row * SCALE, (column + 1) * SCALE, (row + 1) * SCALE)
    with st.container(width=SIDE * SCALE):
        image(
            rasters.boxed(rasters.enlarged(gray, SCALE), box, width=3),
            alt=f"{title}: one map, {values[row, column]:.2f} at the marked pixel",
            caption=title,
            width=SIDE * SCALE,
        )


def _visible(values: np.ndarray) -> np.ndarray:
    """Numbers too small for any colour as zeros, or their sign would still tint the page."""
    return np.where(np.abs(values) < 1e-3 * np.abs(values).max(), 0, values)


def _equals(found: Trace) -> str:
    """Whether the rounded numbers add up."""
    rounded = round(found.shortcut, 2) + round(found.branch, 2)
    return "=" if abs(rounded - round(found.total, 2)) < 0.001 else r"\approx"


def _signed(number: float) -> str:
    return f"({number:.2f})" if number < 0 else f"{number:.2f}"
