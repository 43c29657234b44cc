"""The gradient on its way back through a chain of blocks."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.concepts.residual_learning import LOOKS, chain, gradients_through, wanted
from cnnkit.figures._style import BLUE, ORANGE
from cnnkit.figures.curves import lines
from cnnkit.ui.common.charts import chart
from cnnkit.ui.concepts._frame import one_thread

LONGEST = 50
SCALES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
KINDS = {"without skips": "plain", "with skips": "identity"}


def draw_chain(stack: np.ndarray, kept: float) -> None:
    """Send one image through both chains and its gradient back.

    Args:
        stack: (1, height, width, maps).
        kept: length of the weights of the block above, as a share of its start.
    """
    st.markdown("**And through many blocks, one behind the other?**")
    left, right = st.columns([2, 5], gap="large")
    with left:
        count = st.slider("Blocks", 1, LONGEST, 20, key="chain_blocks", bind="query-params")
        scale = st.select_slider(
            "Size of their weights, He's start = 1",
            list(SCALES),
            0.5,
            key="chain_scale",
            bind="query-params",
        )
        st.caption(
            f"L2 pushes this slider to the left: in the block with skip above {kept:.1%} of the "
            "start is left."
        )
    shares = {name: _shares(stack, kind, count, scale) for name, kind in KINDS.items()}
    with right:
        _curve(shares, count)
    plain, skip = (shares[name][-1] for name in KINDS)
    left_over = "nothing at all" if plain == 0 else f"{_small(plain)} of it"
    st.markdown(
        f"Of the gradient behind the last of {count} blocks, {left_over} reaches the input without "
        f"skips, and **{skip:.2g}** times it with skips. Computed by backpropagation through "
        f"{2 * count} convolutions with random weights, the same in both chains."
    )
    if skip > 100:
        st.caption(
            "With skips it grows: every block adds its own part to what passes by. That is "
            "why ResNets normalise each convolution (batch normalisation)."
        )


def _small(number: float) -> str:
    if number >= 1e-3:
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
            x_title="blocks on the way back",
            y_title="gradient left, behind the last block = 1",
            logarithmic=True,
            colours=dict(zip(KINDS, (ORANGE, BLUE), strict=True)),
            height=280,
        ),
        alt=f"What is left of the gradient after {count} blocks: "
        + ", ".join(f"{values[-1]:.2g} {name}" for name, values in shares.items()),
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _shares(stack: np.ndarray, kind: str, count: int, scale: float) -> np.ndarray:
    with one_thread():
        blocks = chain(kind, count, maps=len(LOOKS), scale=scale)
        return gradients_through(blocks, stack, wanted(stack, "sharper", len(LOOKS)))
