"""One number of a layer and the products that it is the sum of."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop import LayerTrace, WeightedSum, backward_sum, forward_sum
from cnnkit.figures.functions import CURVES, activation_curve
from cnnkit.figures.numbers import folded, format_number, number_map, titled
from cnnkit.ui.backpropagation import cell_selection
from cnnkit.ui.backpropagation.cell_selection import Index, place_in_words
from cnnkit.ui.common import charts

POOLINGS = ("max pooling", "average pooling")


def show_cell(step: LayerTrace, *, backward: bool) -> None:
    """Input side on the left, the operation in the middle, output side on the right.

    Args:
        step: of the layer.
        backward: whether an element of the input gradient is shown, or else of the output.
    """
    target = step.input_delta if backward else step.output
    index = cell_selection.chosen_index(target)
    weighted = (backward_sum if backward else forward_sum)(step, index)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        cell_selection.show_map_slider(target, index, "Input map" if backward else "Output map")
        source = _source_map(weighted, step, backward)
    left, middle, right = st.columns(3, gap="medium")
    result, origin = (left, right) if backward else (right, left)
    with result:
        _target(step, target, index, backward)
    with origin:
        _origin(step, weighted, source, backward)
    with middle:
        _operation(step, weighted, source, index, backward)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = f"Click {'a gradient' if backward else 'an output'}, or move the selection:"
        st.caption(words, width="content")
        cell_selection.show_arrows(target, index)
    with st.container(border=True):
        st.markdown(sentence(step, weighted, source, index, backward=backward))


def _source_map(weighted: WeightedSum, step: LayerTrace, backward: bool) -> int:
    """Which map of the factors is drawn: the only one, or the chosen one."""
    if weighted.map is not None:
        return weighted.map
    if weighted.place is not None:
        return weighted.place[-1] if len(weighted.place) == 3 else 0
    if weighted.left.ndim < 3 or weighted.left.shape[-1] == 1:
        return 0
    shares = weighted.products.sum(axis=(0, 1))
    key = f"source_{step.name}_{'back' if backward else 'forward'}"
    what = "delta map" if backward else "input map"
    maps = list(range(len(shares)))
    return st.select_slider(
        f"Contribution of {what}",
        maps,
        value=int(np.abs(shares).argmax()),
        key=f"{key}_{int(np.abs(shares).argmax())}",
        format_func=lambda number: f"{number}: {shares[number]:+.3g}",
        help=f"The sum has a part from each of the {len(maps)} maps. One of them is drawn.",
        width=230,
    )


def _target(step: LayerTrace, target: np.ndarray, index: Index, backward: bool) -> None:
    """The array that holds the chosen number; a click chooses another."""
    what = "Gradient with respect to the input, δ" if backward else "Output"
    cell_selection.show_map(
        target,
        _titled(what, target, index[2] if len(index) == 3 else 0),
        map_number=index[2] if len(index) == 3 else 0,
        place=index,
        key=f"target_{step.name}_{'back' if backward else 'forward'}",
        clicked=lambda cell: cell_selection.choose((*cell, *index[2:])),
    )


def _origin(step: LayerTrace, weighted: WeightedSum, source: int, backward: bool) -> None:
    """The array that the chosen number is computed from, with its receptive field framed."""
    what = "Gradient with respect to the output, δ" if backward else "Input"
    if backward and step.kind == "convolution":
        what += ", zero padded"
    ground = weighted.ground
    if ground is None:
        ground = step.delta if backward else step.input
    cell_selection.show_map(
        ground,
        _titled(what, ground, source),
        map_number=source,
        place=weighted.place,
        window=weighted.window,
        inner=None if weighted.ground is None else _inner(step, backward, ground),
        key=f"origin_{step.name}_{'back' if backward else 'forward'}",
    )


def _inner(
    step: LayerTrace, backward: bool, ground: np.ndarray
) -> tuple[int, int, int, int] | None:
    """Box of the numbers within their zero padding."""
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
    step: LayerTrace, weighted: WeightedSum, source: int, index: Index, backward: bool
) -> None:
    key = f"operation_{step.name}_{'back' if backward else 'forward'}"
    if step.kind in CURVES:
        x = float(step.input[index])
        slope = float(step.layer.derivative()[0][index])
        charts.chart(
            activation_curve(step.kind, x, slope, backward=backward),
            alt=f"Curve of {step.kind}, marked at x = {x:.3g}, where its derivative is {slope:.3g}",
            key=key,
        )
        st.caption(
            f"The derivative at x = {x:.3g} is {slope:.3g}." if backward else f"At x = {x:.3g}."
        )
    elif weighted.left.size > 1 or step.kind in POOLINGS:
        show_products(step, weighted, source, backward=backward, key=key)
    elif step.kind == "flatten":
        st.markdown(
            f"#### {'←' if backward else '→'}\nOnly the position changes: "
            f"{place_in_words(weighted.place or ())} "
            f"{'is the gradient of' if backward else 'becomes'} "
            f"{place_in_words(index)}."
        )
    else:
        st.markdown(f"#### {'←' if backward else '→'}\nElementwise: one number in, one number out.")


def _titled(what: str, values: np.ndarray, map_number: int) -> str:
    if values.ndim == 1:
        return f"{what}: {len(values)} numbers"
    height, width, maps = values.shape
    which = f", map {map_number} of {maps}" if maps > 1 else ""
    return f"{what}, {height}×{width}{which}"


BOTH = 6  # columns up to which both factors are written into a cell
WRITTEN = 9  # products written out; of more, the largest
LARGEST = 6  # of them


def show_products(
    step: LayerTrace, weighted: WeightedSum, source: int, *, backward: bool, key: str
) -> None:
    """Every product as a cell with both factors.

    Args:
        step: of the layer.
        weighted: the sum.
        source: map whose products are drawn, where there are several.
        backward: direction.
        key: of the element.
    """
    left, right = (_of_map(side, source) for side in (weighted.left, weighted.right))
    if not left.size:
        st.info("No field contains this pixel: its gradient is 0.")
        return
    if left.ndim == 1:
        left, right = folded(left), folded(right)
    values = left * right
    texts = _cell_texts(step, left, right, backward) if values.shape[1] <= BOTH else None
    title = _title(step, backward)
    st.markdown(titled(title, values) if texts is None else f"**{title}**")
    charts.chart(
        number_map(
            values.astype(float),
            texts=texts,
            places=[
                f"{format_number(a)} × {format_number(b)}"
                for a, b in zip(left.flat, right.flat, strict=True)
            ],
            height=10 + 62 * values.shape[0] if texts is not None else None,
            dark=charts.dark(),
            rows=[""] * values.shape[0] if texts is not None else None,
            columns=[""] * values.shape[1] if texts is not None else None,
        ),
        alt=f"{title}: {values.size} products with the sum {np.nansum(values):.4g}",
        key=key,
    )


def sentence(
    step: LayerTrace, weighted: WeightedSum, source: int, index: Index, *, backward: bool
) -> str:
    """The chosen number as a sum of products, in Markdown that wraps on narrow screens."""
    name = "δ" if backward else "y"
    head = f"{name} at {place_in_words(index)}: **{weighted.total:.6g}** = "
    if weighted.curve:
        return f"{name} at {place_in_words(index)}: **{weighted.total:.6g}** = ${weighted.curve}$"
    if step.kind == "max pooling" and not backward:
        numbers = ", ".join(format_number(v) for v in _of_map(weighted.left, source).flat)
        return f"{head}the largest of {numbers}."
    if not weighted.left.size:
        return f"{head}no field contains this pixel."
    return head + _written_out(weighted, source)


def _written_out(weighted: WeightedSum, source: int) -> str:
    parts = [] if weighted.bias is None else [f"{format_number(weighted.bias)} :gray[(bias)]"]
    if weighted.left.ndim == 3 and weighted.left.shape[-1] > 1:
        shares = weighted.products.sum(axis=(0, 1))
        own = terms(_of_map(weighted.left, source), _of_map(weighted.right, source))
        others = weighted.products.sum() - shares[source]
        parts.append(f"[map {source}: {own}]")
        parts.append(f"{format_number(others)} :gray[(the other {len(shares) - 1} maps)]")
    else:
        parts.append(terms(_of_map(weighted.left, 0), _of_map(weighted.right, 0)))
    return " + ".join(parts)


def terms(left: np.ndarray, right: np.ndarray) -> str:
    """Products written out with plus signs, all of them or the largest."""
    pairs = list(zip(left.flat, right.flat, strict=True))
    if len(pairs) <= WRITTEN:
        return " + ".join(f"{_factor(a)} × {_factor(b)}" for a, b in pairs)
    pairs.sort(key=lambda pair: -abs(pair[0] * pair[1]))
    shown = " + ".join(f"{_factor(a)} × {_factor(b)}" for a, b in pairs[:LARGEST])
    rest = sum(float(a * b) for a, b in pairs[LARGEST:])
    return f"{shown} + {_factor(rest)} :gray[({len(pairs) - LARGEST} smaller products)]"


def _factor(value: float) -> str:
    return f"({format_number(value)})" if value < 0 else format_number(value)


def _of_map(side: np.ndarray, source: int) -> np.ndarray:
    return side[..., source] if side.ndim == 3 else side


def _cell_texts(
    step: LayerTrace, left: np.ndarray, right: np.ndarray, backward: bool
) -> np.ndarray:
    def text(a: float, b: float) -> str:
        if np.isnan(a):
            return ""
        if step.kind == "max pooling" and not backward:
            return f"<b>{format_number(a)}</b><br>largest" if b else format_number(a)
        if step.kind == "max pooling":
            return f"{format_number(a)}<br>{'<b>the largest</b>' if b else 'not the largest: 0'}"
        return f"{format_number(a)}<br>× {format_number(b)}<br><b>= {format_number(a * b)}</b>"

    pairs = zip(left.flat, right.flat, strict=True)
    return np.array([text(a, b) for a, b in pairs], object).reshape(left.shape)


def _title(step: LayerTrace, backward: bool) -> str:
    if step.kind == "max pooling":
        return "δ of the fields with this pixel" if backward else "Field"
    if step.kind == "average pooling":
        return "δ × 1/n" if backward else "Input × 1/n"
    if backward:
        return "δ × flipped weight" if step.kind == "convolution" else "δ × weight"
    return "Input × weight"
