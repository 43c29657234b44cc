"""One number of a layer and everything that made it: maps, products, and the sum in words."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop import Step, Sum, backward_sum, forward_sum
from cnnkit.figures.curve import CURVES, activation_curve
from cnnkit.ui.backpropagation import cell_selection, products
from cnnkit.ui.common import charts

POOLINGS = ("max pooling", "average pooling")


def show(step: Step, *, backward: bool) -> None:
    """Input side on the left, the operation in the middle, output side on the right.

    Args:
        step: of the layer.
        backward: whether a delta that is passed on is explained, or else an output.
    """
    target = step.passed if backward else step.output
    index = cell_selection.chosen_index(target)
    found = (backward_sum if backward else forward_sum)(step, index)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        cell_selection.map_slider(
            target, index, "Map that gets deltas" if backward else "Map that goes on"
        )
        source = _source_map(found, step, backward)
    left, middle, right = st.columns(3, gap="medium")
    result, origin = (left, right) if backward else (right, left)
    with result:
        _target(step, target, index, backward)
    with origin:
        _origin(step, found, source, backward)
    with middle:
        _operation(step, found, source, index, backward)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = f"Click a number that {'is passed on' if backward else 'goes out'}, or move it:"
        st.caption(words, width="content")
        cell_selection.arrows(target, index)
    with st.container(border=True):
        st.markdown(products.sentence(step, found, source, index, backward=backward))


def _source_map(found: Sum, step: Step, backward: bool) -> int:
    """Which map of the other side is drawn: the only one that counts, or one that is picked."""
    if found.map is not None:
        return found.map
    if found.place is not None:
        return found.place[-1] if len(found.place) == 3 else 0
    if found.left.ndim < 3 or found.left.shape[-1] == 1:
        return 0
    shares = found.products.sum(axis=(0, 1))
    key = f"source_{step.name}_{'back' if backward else 'forward'}"
    what = "delta map" if backward else "input map"
    maps = list(range(len(shares)))
    return st.select_slider(
        f"Its share of {what}",
        maps,
        value=int(np.abs(shares).argmax()),
        key=f"{key}_{int(np.abs(shares).argmax())}",
        format_func=lambda number: f"{number}: {shares[number]:+.3g}",
        help=f"Each of the {len(maps)} maps adds its share to the sum. One of them is drawn.",
        width=230,
    )


def _target(step: Step, target: np.ndarray, index: cell_selection.Index, backward: bool) -> None:
    """The array that holds the chosen number: click another."""
    what = "Passed on: δ of the input" if backward else "Goes out"
    map_number = index[2] if len(index) == 3 else 0
    cell_selection.draw_map(
        target,
        _titled(what, target, map_number),
        map_number=map_number,
        place=index,
        key=f"target_{step.name}_{'back' if backward else 'forward'}",
        click="at",
    )


def _origin(step: Step, found: Sum, source: int, backward: bool) -> None:
    """The array that the chosen number is made of, with what it sees framed."""
    key = f"origin_{step.name}_{'back' if backward else 'forward'}"
    if found.ground is None:
        whole = step.delta if backward else step.input
        what = "Arrives: δ of the output" if backward else "Comes in"
        place = found.place
        cell_selection.draw_map(
            whole, _titled(what, whole, source), map_number=source, place=place, key=key
        )
        return
    what = "Arrives: δ" if backward else "Comes in"
    bordered = backward and step.kind == "convolution"
    cell_selection.draw_map(
        found.ground,
        _titled(f"{what} with its border of zeros" if bordered else what, found.ground, source),
        map_number=source,
        window=found.window,
        inner=_inner(step, backward, found.ground),
        key=key,
    )


def _inner(step: Step, backward: bool, ground: np.ndarray) -> tuple[int, int, int, int] | None:
    """Where the real numbers begin and end within a border of zeros."""
    own = step.delta if backward else step.input
    if own.shape == ground.shape:
        return None
    grid = step.layer.grid(step.input.shape)
    if backward:
        (top, _), (left, _) = grid.border
        rows, columns = ((n - 1) * s + 1 for n, s in zip(grid.steps, grid.strides, strict=True))
        return top, left, rows, columns
    return *grid.before, *grid.sides


def _operation(
    step: Step, found: Sum, source: int, index: cell_selection.Index, backward: bool
) -> None:
    key = f"operation_{step.name}_{'back' if backward else 'forward'}"
    if step.kind in CURVES:
        x = float(step.input[index])
        slope = float(step.layer.slope()[0][index])
        charts.chart(
            activation_curve(step.kind, x, slope, backward=backward),
            alt=f"{step.kind} at {x:.3g}, slope {slope:.3g}",
            key=key,
        )
        st.caption(f"The slope at x = {x:.3g} is {slope:.3g}." if backward else f"At x = {x:.3g}.")
    elif found.left.size > 1 or step.kind in POOLINGS:
        products.draw(step, found, source, backward=backward, key=key)
    elif step.kind == "flatten":
        st.markdown(
            f"#### {'←' if backward else '→'}\nOnly its place changes: "
            f"{cell_selection.place_in_words(found.place or ())} "
            f"{'goes back to' if backward else 'becomes'} {cell_selection.place_in_words(index)}."
        )
    else:
        st.markdown(f"#### {'←' if backward else '→'}\nOne number in, one number out.")


def _titled(what: str, values: np.ndarray, map_number: int) -> str:
    if values.ndim == 1:
        return f"{what}: {len(values)} numbers"
    height, width, maps = values.shape
    which = f", map {map_number} of {maps}" if maps > 1 else ""
    return f"{what}, {height}×{width}{which}"
