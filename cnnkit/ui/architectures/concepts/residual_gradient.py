"""One pixel and the gradient through a residual block, and the gradient through a chain of them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop.training import one_thread
from cnnkit.concepts.residual import (
    MAP_SCALES,
    SIDE,
    BlockActivations,
    ResidualBlock,
    chain,
    gradient_norms,
    input_gradient,
    target_maps,
)
from cnnkit.figures import rasters
from cnnkit.figures.curves import lines
from cnnkit.figures.style import BLUE, ORANGE
from cnnkit.ui.common.charts import chart, image, montage

SCALE = 14  # pixels on the screen for one of a map
LONGEST = 50
SCALES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
KINDS = {"plain blocks": "plain", "residual blocks": "identity"}
START = {"map": 1, "row": 7, "column": 5}


def show_pixel(passes: tuple[BlockActivations, BlockActivations], shortcut: str) -> None:
    """Trace one pixel of one map through both blocks.

    Args:
        passes: through the plain and the residual block, of one image.
        shortcut: of the residual block.
    """
    st.markdown("**One pixel through both blocks**")
    left, right = st.columns([2, 5], gap="large")
    with left:
        ends = {"map": len(MAP_SCALES), "row": SIDE, "column": SIDE}
        number, row, column = (
            st.slider(
                name.capitalize(), 1, end, START[name], key=f"residual_{name}", bind="query-params"
            )
            - 1
            for name, end in ends.items()
        )
    with right:
        maps = passes[0].input[0, ..., number]
        with st.container(horizontal=True, gap="medium"):
            for title, values in (
                ("input", maps),
                ("plain block", passes[0].output[0, ..., number]),
                ("residual block", passes[1].output[0, ..., number]),
            ):
                _boxed(values, row, column, title, float(maps.max()) or 1.0)
        place = (0, row, column, number)
        plain, residual = (
            [float(array[place]) for array in (one.input, one.branch, one.shortcut, one.output)]
            for one in passes
        )
        st.latex(_pixel_formula(plain, residual, "a" if shortcut == "identity" else "W_s a"))


def _pixel_formula(plain: list[float], residual: list[float], around: str) -> str:
    """Both blocks at one pixel, as LaTeX.

    Args:
        plain: a, F(a), the shortcut and the output of the plain block.
        residual: the same of the residual block.
        around: what the shortcut gives, in LaTeX.
    """
    a, branch, shortcut, output = residual
    total = shortcut + branch
    exact = abs(round(shortcut, 2) + round(branch, 2) - round(total, 2)) < 0.001
    return (
        r"\begin{aligned}"
        rf"\textbf{{plain}}\quad & a = {plain[0]:.2f},\; F(a) = {plain[1]:.2f} \\"
        rf"&\mathrm{{ReLU}}({plain[1]:.2f}) = {plain[3]:.2f} \\[4pt]"
        rf"\textbf{{residual}}\quad & a = {a:.2f},\; F(a) = {branch:.2f} \\"
        rf"&{around} + F(a) = {shortcut:.2f} + "
        + (f"({branch:.2f})" if branch < 0 else f"{branch:.2f}")
        + rf" {'=' if exact else chr(92) + 'approx'} {total:.2f} "
        rf"\\ &\mathrm{{ReLU}}({total:.2f}) = {output:.2f}"
        r"\end{aligned}"
    )


def show_input_gradient(
    blocks: tuple[ResidualBlock, ResidualBlock], stack: np.ndarray, target: np.ndarray
) -> None:
    """Show the gradient of the loss with respect to the input of both blocks.

    Args:
        blocks: plain and residual.
        stack: (1, height, width, maps).
        target: maps that the blocks should give.
    """
    st.markdown("**Gradient with respect to the block's input**")
    slopes = [input_gradient(block, stack, target) for block in blocks]
    shares = [float(gradient_norms([block], stack, target)[-1]) for block in blocks]
    left, right = st.columns([2, 5], gap="large")
    with left:
        for share, title in zip(shares, ("Plain block", "Residual block"), strict=True):
            st.metric(
                title, f"{share:.1%}", help="Gradient norm at the input, relative to the output's."
            )
    with right:
        # One montage, so that both blocks share one scale.
        montage(
            _visible(np.concatenate([slope[0].transpose(2, 0, 1) for slope in slopes])),
            columns=stack.shape[-1],
            scale=6,
            colors="diverging",
            width=360,
            alt="Gradient with respect to each input map; its norm relative to the output's is "
            f"{shares[0]:.1%} for the plain block (above), {shares[1]:.1%} for the residual block",
        )
        st.caption(
            "Gradient with respect to each input map, for this digit: plain block above, residual "
            "block below. Blue: the loss rises with this number; orange: it falls."
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
    """Numbers too small for any color as zeros, or their sign would still tint the page."""
    return np.where(np.abs(values) < 1e-3 * np.abs(values).max(), 0, values)


def show_chain(stack: np.ndarray, norm: float) -> None:
    """The gradient through a chain of plain and one of residual blocks.

    Args:
        stack: (1, height, width, maps).
        norm: of the weights of the residual block above, relative to its initial norm.
    """
    st.markdown("**Gradient through a chain of blocks**")
    left, right = st.columns([2, 5], gap="large")
    with left:
        count = st.slider("Blocks", 1, LONGEST, 20, key="chain_blocks", bind="query-params")
        scale = st.select_slider(
            "Scale of the weights",
            list(SCALES),
            0.5,
            key="chain_scale",
            bind="query-params",
            help="1 is He's initialization.",
        )
        st.caption(
            f"Weight decay moves this slider to the left: in the residual block above, {norm:.1%} "
            "of the initial norm is left."
        )
    shares = {name: _shares(stack, kind, count, scale) for name, kind in KINDS.items()}
    with right:
        _curve(shares, count)
    plain, skip = (shares[name][-1] for name in KINDS)
    st.markdown(
        f"The gradient norm at the input of {count} blocks, relative to that at the output, is "
        f"{_small(plain)} for plain and **{skip:.2g}** for residual blocks. Computed by "
        f"backpropagation through {2 * count} convolutions with random weights, the same in both "
        "chains."
    )
    if skip > 100:
        st.caption(
            "In the residual chain it grows: every block adds its part to the gradient of the "
            "shortcut. This is one reason why ResNets have batch normalization after each "
            "convolution."
        )


def _small(number: float) -> str:
    if number >= 1e-3 or number == 0:
        return f"**{number:.2g}**"
    digits, power = f"{number:.0e}".split("e")
    return rf"${digits} \cdot 10^{{{int(power)}}}$"


def _curve(shares: dict[str, np.ndarray], count: int) -> None:
    blocks = list(range(count + 1))
    # A logarithmic axis has no place for zero.
    series = {
        name: (blocks, [float(value) if value > 0 else None for value in values])
        for name, values in shares.items()
    }
    chart(
        lines(
            series,
            x_title="blocks, from the output back",
            y_title="relative gradient norm",
            logarithmic=True,
            colors=dict(zip(KINDS, (ORANGE, BLUE), strict=True)),
            height=280,
        ),
        alt=f"Relative gradient norm after {count} blocks: "
        + ", ".join(f"{values[-1]:.2g} for {name}" for name, values in shares.items()),
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _shares(stack: np.ndarray, kind: str, count: int, scale: float) -> np.ndarray:
    with one_thread():
        blocks = chain(kind, count, maps=len(MAP_SCALES), scale=scale)
        return gradient_norms(blocks, stack, target_maps(stack, "sharper", len(MAP_SCALES)))
