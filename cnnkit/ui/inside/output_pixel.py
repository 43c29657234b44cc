"""The convolution of one output pixel, with its numbers written out."""

from __future__ import annotations

import csv
import io

import numpy as np
import streamlit as st

from cnnkit.anatomy.convolution import (
    NOTHING,
    ConvolutionSum,
    convolution_at,
    is_convolution,
)
from cnnkit.figures.numbers import number_map, titled
from cnnkit.ui.common import charts, inputs, page
from cnnkit.ui.inside.activations import Activations
from cnnkit.ui.inside.one_map import ChosenMap
from cnnkit.visualize.layer_activations import ActivationReader

MOST_BARS = 12  # input maps whose part of the sum is drawn
CLICKABLE = 400  # values of an output map whose cells can be clicked


def show_output_pixel(
    chosen: ChosenMap, reader: ActivationReader, activations: Activations
) -> None:
    """Row and column of an output, and the sum that it is.

    Args:
        chosen: a map; the convolution behind it is written out.
        reader: of the network.
        activations: of all its layers.
    """
    name = reader.convolution(chosen.layer)
    layer = None if name is None else reader.layer(name)
    if name is None or not is_convolution(layer):
        st.info("Choose the map of a convolution above: its sum is written out here.")
        return
    output = activations[name][..., chosen.number]
    row, column = _place_picker(name, output)
    value = convolution_at(
        layer, activations[reader.source(name)], unit=chosen.number, row=row, column=column
    )
    names = _names_of_maps(value, reader.colors_read_by(name))
    number = _input_map_picker(value, names)
    _show_products(value, number)
    _show_sum(value, names, float(output[row, column]))
    st.download_button(
        "All products (CSV)",
        lambda: products_csv(value),
        f"{name.replace('/', '_')}_{chosen.number}_{row}_{column}.csv",
        icon=":material/download:",
        on_click="ignore",
    )
    page.link("pages/concepts.py", "Try stride, padding and dilation", concept="convolution")


def products_csv(value: ConvolutionSum) -> str:
    """One line for each product: place in the kernel, input map, input, weight, product."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("kernel_row", "kernel_column", "map", "input", "weight", "product"))
    for (i, j, k), product in np.ndenumerate(value.products):
        cells = value.maps[k], value.patch[i, j, k], value.kernel[i, j, k], product
        writer.writerow((i, j, *cells))
    return text.getvalue()


def _place_picker(name: str, output: np.ndarray) -> tuple[int, int]:
    """Row and column, `?row=` and `?column=`; else of the largest value. Small maps take clicks."""
    top, left = (int(i) for i in np.unravel_index(int(output.argmax()), output.shape))
    height, width = output.shape
    with st.container(horizontal=True, vertical_alignment="bottom"):
        row = int(inputs.number("Row", 0, height - 1, parameter="row", default=top))
        column = int(inputs.number("Column", 0, width - 1, parameter="column", default=left))
        st.caption(f"of the {height}×{width} values of **{name}**; at first its largest.")
    if output.size <= CLICKABLE:
        charts.clickable(
            number_map(output, chosen=(row, column), clickable=True, dark=charts.dark()),
            alt=f"Output map of {name}; row {row}, column {column} is chosen",
            key="output_map",
            clicked=_take_place,
        )
    return row, column


def _take_place(point: dict) -> None:
    row, column = point["customdata"][:2]
    st.query_params.update(row=str(row), column=str(column))


def _names_of_maps(value: ConvolutionSum, colors: tuple[int, ...] | None) -> list[str]:
    if colors and len(colors) == len(value.maps):
        return [("red", "green", "blue")[color] for color in colors]
    return [f"map {number}" for number in value.maps]


def _input_map_picker(value: ConvolutionSum, names: list[str]) -> int:
    """Place of an input map among those of the filter; at first the one that adds most."""
    if len(value.maps) == 1:
        return 0
    most = int(np.abs(value.by_map).argmax())
    chosen = inputs.choice(
        "Input map whose products are shown",
        names,
        parameter="input",
        title=lambda name: f"{name}, adds {value.by_map[names.index(name)]:+.3g}",
        default=names[most],
        width=280,
    )
    return names.index(chosen)


def _show_products(value: ConvolutionSum, number: int) -> None:
    patch, kernel = value.patch[..., number].astype(float), value.kernel[..., number].astype(float)
    outside = np.outer(np.array(value.rows) == NOTHING, np.ones(len(value.columns), bool))
    outside |= np.outer(np.ones(len(value.rows), bool), np.array(value.columns) == NOTHING)
    places = [_place(row, column) for row in value.rows for column in value.columns]
    columns = st.columns(3)
    for place, title, numbers in zip(
        columns,
        ("Inputs", "× weights of the kernel", "= products"),
        (patch, kernel, patch * kernel),
        strict=True,
    ):
        with place:
            st.markdown(titled(title, numbers))
            charts.chart(
                number_map(
                    numbers,
                    places=places if title == "Inputs" else None,
                    dark=charts.dark(),
                ),
                alt=f"{title}: {', '.join(f'{n:.3g}' for n in numbers.ravel()[:25])}",
                key=f"products_{title}",
            )
    words = f"The products of this input map add up to **{value.by_map[number]:.4g}**."
    if outside.any():
        words += f" {outside.sum()} of the {outside.size} inputs are zeros that are no pixels."
    st.markdown(words)


def _show_sum(value: ConvolutionSum, names: list[str], own: float) -> None:
    from cnnkit.figures.bars import signed_bars

    if len(value.maps) > 1:
        order = np.argsort(-np.abs(value.by_map), kind="stable")[:MOST_BARS]
        parts = value.by_map[order]
        bars = [names[i] for i in order]
        rest = len(value.maps) - len(order)
        if rest:
            parts = np.append(parts, value.by_map.sum() - parts.sum())
            bars.append(f"{rest} others")
        charts.chart(
            signed_bars(parts, bars, form=".3g", height=200),
            alt=f"What each input map adds: {bars[0]} {parts[0]:.3g} is the largest part",
            key="sum_by_map",
        )
    products = "products" if len(value.maps) == 1 else f"products of {len(value.maps)} input maps"
    after = "" if value.activation == "linear" else f" → {value.activation} → {value.total:.5g}"
    st.markdown(
        f"**{value.products.size} {products}** {value.weighted_sum - value.bias:+.5g}, bias "
        f"{value.bias:+.5g}: sum **{value.weighted_sum:.5g}**{after}. The layer itself gives "
        f"**{own:.5g}**."
    )


def _place(row: int, column: int) -> str:
    return "padding" if NOTHING in (row, column) else f"row {row}, column {column}"
