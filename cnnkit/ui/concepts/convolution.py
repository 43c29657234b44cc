"""Kernel size, stride, padding, dilation and transposition on a small image."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.concepts.convolution import KERNELS, SlidingKernel, slide
from cnnkit.figures.numbers import number_map
from cnnkit.ui.common import charts, inputs, page
from cnnkit.ui.common.messages import question, source

PADDINGS = {"valid": "valid: none", "same": "same: zeros around the image"}
KINDS = {"plain": "Convolution", "transposed": "Transposed convolution"}


def show_convolution() -> None:
    """Controls, the grid with the kernel over it, and the output."""
    question(
        "How large is the output of a convolution?",
        "Stanford CS231n: Convolutional Networks",
        "The kernel takes as many steps as fit. With stride *s* there are about *s* times fewer "
        "along each axis; padding “same” adds the zeros that keep the size at stride 1; dilation "
        "spreads the kernel without more weights. A transposed convolution goes the other way: the "
        "stride makes the output larger.",
    )
    left, right = st.columns([2, 5], gap="large")
    with left:
        kind = inputs.choice("Kind", list(KINDS), parameter="kind", title=KINDS.__getitem__)
        name = inputs.choice("Kernel", list(KERNELS), parameter="kernel")
        side, size, stride, dilation = (
            st.slider(label, low, high, usual, key=f"convolution_{key}", bind="query-params")
            for label, key, low, high, usual in (
                ("Size of the image", "side", 3, 9, 6),
                ("Size of the kernel", "size", 1, 5, 3),
                ("Stride", "stride", 1, 3, 1),
                ("Dilation", "dilation", 1, 3, 1),
            )
        )
        padding = inputs.choice(
            "Padding", list(PADDINGS), parameter="padding", title=PADDINGS.__getitem__
        )
    sliding = slide(
        _image(side),
        KERNELS[name](size),
        stride=stride,
        padding=padding,
        dilation=dilation,
        transposed=kind == "transposed",
    )
    with right:
        _show(sliding, side, mirrored=kind == "transposed")
        st.markdown(_formula(kind, side, size, stride, dilation, padding, len(sliding.output)))
        page.link("pages/inside.py", "One output pixel of a trained network")
    source("Dumoulin, Visin 2016: A guide to convolution arithmetic for deep learning.")


def _image(side: int) -> np.ndarray:
    """Small whole numbers: a bright bar that leans over a dark ground."""
    rows, columns = np.indices((side, side))
    return np.clip(9 - 3 * np.abs(columns - (side - 1) / 2 - (rows - side / 2) / 4), 0, 9).round()


def _zeros(sliding: SlidingKernel, side: int) -> str:
    """Where in the grid zeros were added to the image."""
    around = len(sliding.grid) > (side - 1) * sliding.apart + 1
    places = ["around it"] * around + ["between its pixels"] * (sliding.apart > 1)
    frame = "dotted frame; " if around else ""
    return f" :gray[· {frame}{' and '.join(places)} zeros]" if places else ""


def _show(sliding: SlidingKernel, side: int, *, mirrored: bool) -> None:
    rows, columns = sliding.output.shape
    _stay_inside(rows)
    with st.container(horizontal=True):
        row = int(inputs.number("Output row", 0, rows - 1, parameter="row", default=0))
        column = int(inputs.number("Output column", 0, columns - 1, parameter="column", default=0))
    met_rows, met_columns = sliding.cells(row, column)
    span = int(met_rows[-1] - met_rows[0] + 1)
    met = np.zeros(sliding.grid.shape, bool)
    met[np.ix_(met_rows, met_columns)] = True
    at, length = sliding.image_at, (side - 1) * sliding.apart + 1
    patch = sliding.grid[np.ix_(met_rows, met_columns)]
    first, second, third = st.columns([5, 3, 4])
    with first:
        st.markdown(f"**Image**{_zeros(sliding, side)}")
        charts.chart(
            number_map(
                sliding.grid,
                texts=_texts(sliding.grid),
                colors=np.where(met, 1.0, 0.1),
                window=(int(met_rows[0]), int(met_columns[0]), span, span),
                inner=(at, at, length, length),
                dark=charts.dark(),
            ),
            alt=f"The grid; the kernel meets rows {met_rows} and columns {met_columns}",
            key="convolution_grid",
        )
    with second:
        st.markdown("**Kernel**" + (" :gray[· mirrored]" if mirrored else ""))
        charts.chart(
            number_map(sliding.kernel, dark=charts.dark()),
            alt=f"The kernel: {np.array2string(sliding.kernel, precision=2)}",
            key="convolution_kernel",
        )
    with third:
        st.markdown("**Output** :gray[· click a value]")
        charts.clickable(
            number_map(
                sliding.output,
                texts=_texts(sliding.output),
                chosen=(row, column),
                clickable=True,
                dark=charts.dark(),
            ),
            alt=f"The output, {rows}×{columns}; row {row}, column {column} is chosen",
            key="convolution_output",
            clicked=_take_place,
        )
    terms = [
        f"{x:g} · {_weight(w)}" for x, w in zip(patch.flat, sliding.kernel.flat, strict=True) if x
    ]
    total = f"{sliding.output[row, column]:.3g}"
    st.markdown(f"Row {row}, column {column}: {' + '.join(terms) or '0'} = **{total}**")


def _weight(value: float) -> str:
    return f"{value:.2g}" if value >= 0 else f"({value:.2g})"


def _stay_inside(outputs: int) -> None:
    """Of a smaller output, take the last row and column in place of those that are gone."""
    for parameter in ("row", "column"):
        text = st.query_params.get(parameter, "")
        if text.isdecimal() and int(text) >= outputs:
            st.query_params[parameter] = str(outputs - 1)


def _take_place(point: dict) -> None:
    row, column = point["customdata"][:2]
    st.query_params.update(row=str(row), column=str(column))


def _texts(values: np.ndarray) -> np.ndarray:
    return np.array([[f"{value:.3g}" for value in line] for line in values])


def _formula(
    kind: str, side: int, size: int, stride: int, dilation: int, padding: str, outputs: int
) -> str:
    span = (size - 1) * dilation + 1
    if kind == "transposed":
        words = f"{side}·{stride}"
        words += f" + max({span} - {stride}, 0)" if padding == "valid" else ""
    elif padding == "same":
        words = f"⌈{side} / {stride}⌉"
    else:
        words = f"⌊({side} - {span}) / {stride}⌋ + 1"
    return f"Size of the output: {words} = **{outputs}**, with a kernel that spans {span} pixels."
