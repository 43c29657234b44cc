"""The gradient with respect to a layer's weights, element by element."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop import LayerTrace, weight_sum
from cnnkit.figures.numbers import format_number
from cnnkit.ui.backpropagation.cell import terms
from cnnkit.ui.backpropagation.cell_selection import Index, choose, chosen_index, show_map

PARAMETER = "weight"  # in the address: the chosen weight


def show_weight_gradient(step: LayerTrace) -> None:
    """The gradient ΔW of a convolution or a dense layer, and one element as a sum."""
    st.divider()
    st.subheader("Gradient with respect to the weights, ΔW", anchor=False)
    gradient = step.gradients["kernel"]
    index = chosen_index(gradient, parameter=PARAMETER)
    (_convolution if len(index) == 4 else _dense)(step, gradient, index)
    if "bias" in step.gradients:
        bias = step.gradients["bias"]
        st.caption(
            f"Δb, the gradient with respect to a bias, is the sum of all deltas of its map: from "
            f"{bias.min():.3g} to {bias.max():.3g}."
        )


def _convolution(step: LayerTrace, gradient: np.ndarray, index: Index) -> None:
    st.markdown(
        "A weight is used once for every output, each time with another pixel. Its gradient is the "
        "**inner product of the deltas with the input, shifted by the weight's position in the "
        "kernel**: the green window."
    )
    st.latex(r"\Delta w_{ab}^{(c,o)} = \sum_{i,j} x_{i+a,\,j+b}^{(c)} \; \delta_{ij}^{(o)}")
    row, column, channel, maps = index
    with st.container(horizontal=True, gap="medium"):
        channel = _axis_slider("Input map", gradient.shape[2], index, 2)
        maps = _axis_slider("Filter", gradient.shape[3], index, 3)
    result = weight_sum(step, (row, column, channel, maps))
    left, middle, right = st.columns(3, gap="medium")
    with left:
        show_map(
            step.input if result.ground is None else result.ground,
            f"Input, map {channel}, shifted by ({row}, {column})",
            map_number=channel,
            window=result.window,
            key=f"shifted_{step.name}",
        )
    with middle:
        show_map(step.delta, f"Deltas, map {maps}", map_number=maps, key=f"against_{step.name}")
    with right:
        show_map(
            gradient[..., channel, maps],
            "ΔW of this filter",
            place=(row, column),
            key=f"gradient_{step.name}",
            clicked=lambda cell: choose((*cell, channel, maps), PARAMETER),
        )
        st.caption("Click another weight: the window moves with it.")
    with st.container(border=True):
        st.markdown(
            f"Δw at ({row}, {column}): **{result.total:.6g}** = "
            f"{terms(result.left, result.right)} "
            f":gray[· {result.left.size} products, one for each output position]"
        )


def _dense(step: LayerTrace, gradient: np.ndarray, index: Index) -> None:
    st.markdown(
        "A weight connects one input to one unit. Its gradient is **the input times the delta of "
        "the unit**."
    )
    st.latex(r"\Delta w_{io} = x_i \, \delta_o")
    unit = _axis_slider("Unit", gradient.shape[1], index, 1)
    result = weight_sum(step, (index[0], unit))
    left, right = st.columns(2, gap="medium")
    with left:
        title = f"Input: {len(step.input)} numbers"
        show_map(step.input, title, place=index[:1], key=f"inputs_{step.name}")
    with right:
        show_map(
            gradient[:, unit],
            f"ΔW of unit {unit}: input × δ, δ = {format_number(float(step.delta[unit]))}",
            place=index[:1],
            called="weight from input",
            key=f"gradient_{step.name}",
            clicked=lambda cell: choose((*cell, unit), PARAMETER),
        )
    with st.container(border=True):
        st.markdown(
            f"Δw from input {index[0]} to unit {unit}: **{result.total:.6g}** = "
            f"{terms(result.left, result.right)}"
        )


def _axis_slider(label: str, count: int, index: Index, axis: int) -> int:
    """A slider over one axis of a kernel; moving it chooses another weight."""
    if count == 1:
        return 0
    key = f"weight_axis_{axis}"
    st.session_state[key] = index[axis]

    def move() -> None:
        choose((*index[:axis], int(st.session_state[key]), *index[axis + 1 :]), PARAMETER)

    return st.slider(label, 0, count - 1, key=key, on_change=move, width=280)
