"""The products behind one number: as cells, and as a sum that is written out."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.backprop import Step, Sum
from cnnkit.figures.numbers import folded, number_map, titled, written
from cnnkit.ui.backpropagation.cell_selection import Index, place_in_words
from cnnkit.ui.common import charts

BOTH = 6  # columns up to which both factors are written into a cell
WRITTEN = 9  # products written out; of more, the largest
LARGEST = 6  # of them


def draw(step: Step, found: Sum, source: int, *, backward: bool, key: str) -> None:
    """Every product as a cell: both factors and what they make.

    Args:
        step: of the layer.
        found: the sum.
        source: map whose products are drawn, where there are several.
        backward: direction.
        key: of the element.
    """
    left, right = (_of_map(side, source) for side in (found.left, found.right))
    if not left.size:
        st.info("No field sees this pixel: nothing comes back to it.")
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
                f"{written(a)} × {written(b)}" for a, b in zip(left.flat, right.flat, strict=True)
            ],
            height=10 + 62 * values.shape[0] if texts is not None else None,
            dark=charts.dark(),
            rows=[""] * values.shape[0] if texts is not None else None,
            columns=[""] * values.shape[1] if texts is not None else None,
        ),
        alt=f"{title}: {np.nansum(values):.4g} in all",
        key=key,
    )


def sentence(step: Step, found: Sum, source: int, index: Index, *, backward: bool) -> str:
    """The chosen number as the sum it is, in Markdown that wraps on narrow screens."""
    name = "δ" if backward else "y"
    head = f"{name} at {place_in_words(index)}: **{found.total:.6g}** = "
    if found.curve:
        return f"{name} at {place_in_words(index)}: **{found.total:.6g}** = ${found.curve}$"
    if step.kind == "max pooling" and not backward:
        numbers = ", ".join(written(v) for v in _of_map(found.left, source).flat)
        return f"{head}the largest of {numbers}."
    if not found.left.size:
        return f"{head}nothing arrives."
    return head + _written_out(found, source)


def _written_out(found: Sum, source: int) -> str:
    parts = [] if found.bias is None else [f"{written(found.bias)} :gray[(bias)]"]
    if found.left.ndim == 3 and found.left.shape[-1] > 1:
        shares = found.products.sum(axis=(0, 1))
        own = terms(_of_map(found.left, source), _of_map(found.right, source))
        others = found.products.sum() - shares[source]
        parts.append(f"[map {source}: {own}]")
        parts.append(f"{written(others)} :gray[(the other {len(shares) - 1} maps)]")
    else:
        parts.append(terms(_of_map(found.left, 0), _of_map(found.right, 0)))
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
    return f"({written(value)})" if value < 0 else written(value)


def _of_map(side: np.ndarray, source: int) -> np.ndarray:
    return side[..., source] if side.ndim == 3 else side


def _cell_texts(step: Step, left: np.ndarray, right: np.ndarray, backward: bool) -> np.ndarray:
    def text(a: float, b: float) -> str:
        if np.isnan(a):
            return ""
        if step.kind == "max pooling" and not backward:
            return f"<b>{written(a)}</b><br>largest" if b else written(a)
        if step.kind == "max pooling":
            return f"{written(a)}<br>{'<b>chosen here</b>' if b else 'chosen elsewhere: 0'}"
        return f"{written(a)}<br>× {written(b)}<br><b>= {written(a * b)}</b>"

    pairs = zip(left.flat, right.flat, strict=True)
    return np.array([text(a, b) for a, b in pairs], object).reshape(left.shape)


def _title(step: Step, backward: bool) -> str:
    if step.kind == "max pooling":
        return "δ of the fields that see it" if backward else "The field it sees"
    if step.kind == "average pooling":
        return "δ × share" if backward else "Number × share"
    if backward:
        return "δ × flipped weight" if step.kind == "convolution" else "δ × weight"
    return "Input × weight"
