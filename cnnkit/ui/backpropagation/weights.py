"""The gradient with respect to a layer's weights, element by element."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop import LayerTrace, weight_sum
from cnnkit.figures.numbers import folded, format_number, number_map, titled
from cnnkit.ui.backpropagation import cell_selection
from cnnkit.ui.backpropagation.cell import terms
from cnnkit.ui.common import charts

PARAMETER = "weight"  # in the address: the chosen weight


def show_weight_gradient(step: LayerTrace) -> None:
    """The gradient ΔW of a convolution or a dense layer, and one element as a sum."""
    st.divider()
    st.subheader("Gradient with respect to the weights, ΔW", anchor=False)
    gradient = step.gradients["kernel"]
    index = cell_selection.chosen_index(gradient, parameter=PARAMETER)
    if len(index) == 4:
        _convolution(step, gradient, index)
    else:
        _dense(step, gradient, index)
    if "bias" in step.gradients:
        bias = step.gradients["bias"]
        st.caption(
            f"Δb, the gradient with respect to a bias, is the sum of all deltas of its map: from "
            f"{bias.min():.3g} to {bias.max():.3g}."
        )


def _convolution(step: LayerTrace, gradient: np.ndarray, index: cell_selection.Index) -> None:
    st.markdown(
        "A weight is used once for every output, each time with another pixel. Its gradient is the "
        "**inner product of the deltas with the input, shifted by the weight's position in the "
        "kernel**: the green window."
    )
    st.latex(r"\Delta w_{ab}^{(c,o)} = \sum_{i,j} x_{i+a,\,j+b}^{(c)} \; \delta_{ij}^{(o)}")
    row, column, channel, maps = index
    with st.container(horizontal=True, gap="medium"):
        channel = _map_slider("Input map", gradient.shape[2], index, 2)
        maps = _map_slider("Filter", gradient.shape[3], index, 3)
    index = (row, column, channel, maps)
    found = weight_sum(step, index)
    left, middle, right = st.columns(3, gap="medium")
    with left:
        cell_selection.show_map(
            step.input if found.ground is None else found.ground,
            f"Input, map {channel}, shifted by ({row}, {column})",
            map_number=channel,
            window=found.window,
            key=f"shifted_{step.name}",
        )
    with middle:
        cell_selection.show_map(
            step.delta, f"Deltas, map {maps}", map_number=maps, key=f"against_{step.name}"
        )
    with right:
        _kernel(step, gradient[..., channel, maps], index)
    total = int(np.prod(found.left.shape))
    with st.container(border=True):
        st.markdown(
            f"Δw at ({row}, {column}): **{found.total:.6g}** = {terms(found.left, found.right)} "
            f":gray[· {total} products, one for each output position]"
        )


def _kernel(step: LayerTrace, gradient: np.ndarray, index: cell_selection.Index) -> None:
    """One filter's gradient for one input map; a click chooses another weight."""
    st.markdown(titled("ΔW of this filter", gradient))
    figure = number_map(
        gradient.astype(float),
        chosen=(index[0], index[1]),
        clickable=True,
        dark=charts.dark(),
    )
    charts.clickable(
        figure,
        alt=f"Gradient with respect to {gradient.shape[0]}×{gradient.shape[1]} weights of a kernel",
        key=f"gradient_{step.name}",
        clicked=lambda point: cell_selection.choose(
            (int(point["customdata"][0]), int(point["customdata"][1]), *index[2:]), PARAMETER
        ),
    )
    st.caption("Click another weight: the window moves with it.")


def _dense(step: LayerTrace, gradient: np.ndarray, index: cell_selection.Index) -> None:
    st.markdown(
        "A weight connects one input to one unit. Its gradient is **the input times the delta of "
        "the unit**."
    )
    st.latex(r"\Delta w_{io} = x_i \, \delta_o")
    unit = _map_slider("Unit", gradient.shape[1], index, 1)
    found = weight_sum(step, (index[0], unit))
    left, right = st.columns(2, gap="medium")
    with left:
        cell_selection.show_map(
            step.input, f"Input: {len(step.input)} numbers", place=index[:1],
            key=f"inputs_{step.name}",
        )  # fmt: skip
    with right:
        column = gradient[:, unit]
        delta = format_number(float(step.delta[unit]))
        st.markdown(titled(f"ΔW of unit {unit}: input × δ, δ = {delta}", folded(column)))
        figure = number_map(
            folded(column),
            chosen=divmod(index[0], folded(column).shape[1]),
            clickable=True,
            dark=charts.dark(),
            places=[f"weight from input {n}" for n in range(folded(column).size)],
        )
        width = folded(column).shape[1]
        charts.clickable(
            figure,
            alt=f"Gradient with respect to the {len(column)} weights of unit {unit}",
            key=f"gradient_{step.name}",
            clicked=lambda point: cell_selection.choose(
                (int(point["customdata"][0]) * width + int(point["customdata"][1]), unit),
                PARAMETER,
            ),
        )
    with st.container(border=True):
        st.markdown(
            f"Δw from input {index[0]} to unit {unit}: **{found.total:.6g}** = "
            f"{terms(found.left, found.right)}"
        )


def _map_slider(label: str, count: int, index: cell_selection.Index, axis: int) -> int:
    """A slider over one axis of a kernel; moving it chooses another weight."""
    if count == 1:
        return 0
    key = f"weight_axis_{axis}"
    st.session_state[key] = index[axis]

    def move() -> None:
        moved = (*index[:axis], int(st.session_state[key]), *index[axis + 1 :])
        cell_selection.choose(moved, PARAMETER)

    return st.slider(label, 0, count - 1, key=key, on_change=move, width=280)
