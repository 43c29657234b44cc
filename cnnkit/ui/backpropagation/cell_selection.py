"""Choice of one number of a layer: a click, the keys, or a link (`?at=3.4.0`)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from cnnkit.figures.numbers import Box, fold_columns, folded, number_map, titled
from cnnkit.ui.common import charts

Index = tuple[int, ...]


def chosen_index(values: np.ndarray, *, parameter: str = "at") -> Index:
    """The chosen index of an array, or that of its largest number where none is chosen.

    Args:
        values: (height, width, maps) or (numbers,).
        parameter: name in the address.
    """
    try:
        index = tuple(int(part) for part in st.query_params.get(parameter, "").split("."))
    except ValueError:
        index = ()
    fits = len(index) == values.ndim and all(
        0 <= i < side for i, side in zip(index, values.shape, strict=True)
    )
    if fits:
        return index
    st.query_params.pop(parameter, None)
    largest = np.unravel_index(np.abs(values).argmax(), values.shape)
    return tuple(int(i) for i in largest)


def place_in_words(index: Index) -> str:
    """The position of a number: "row 3, column 4 of map 0", or "number 12"."""
    if len(index) == 1:
        return f"number {index[0]}"
    return f"row {index[0]}, column {index[1]} of map {index[2]}"


def show_map_slider(values: np.ndarray, index: Index, label: str) -> None:
    """A slider for the map of the chosen number; nothing where there is only one.

    Args:
        values: (height, width, maps) or (numbers,).
        index: the chosen place.
        label: of the slider.
    """
    if values.ndim == 3 and values.shape[2] > 1:
        st.session_state["cell_map"] = index[2]
        st.slider(
            label,
            0,
            values.shape[2] - 1,
            key="cell_map",
            on_change=_choose_map,
            args=(index,),
            width=230,
        )


def show_arrows(values: np.ndarray, index: Index) -> None:
    """Buttons that move the chosen place; Shift and the arrow keys press them."""
    for name, icon, offset in (
        ("Left", ":material/chevron_left:", (0, -1)),
        ("Right", ":material/chevron_right:", (0, 1)),
        ("Up", ":material/expand_less:", (-1, 0)),
        ("Down", ":material/expand_more:", (1, 0)),
    ):
        target = _moved(values.shape, index, offset)
        st.button(
            icon,
            key=f"cell_{name.lower()}",
            shortcut=f"Shift+{name}",
            disabled=target is None,
            on_click=choose,
            args=(target or index,),
        )


def choose(index: Index, parameter: str = "at") -> None:
    """Write a place into the address."""
    st.query_params[parameter] = ".".join(map(str, index))


def show_map(
    values: np.ndarray,
    title: str,
    *,
    map_number: int = 0,
    place: Index | None = None,
    window: Box | None = None,
    inner: Box | None = None,
    called: str = "number",
    key: str,
    clicked: Callable[[Index], None] | None = None,
) -> None:
    """One map of an array, or its vector folded, with the chosen number framed.

    Args:
        values: (height, width, maps), (height, width) or (numbers,).
        title: above it.
        map_number: which map is drawn.
        place: index that is framed.
        window: frame over several cells.
        inner: fainter frame.
        called: what the numbers of a vector are, to be read by hovering.
        key: of the element.
        clicked: called with (row, column) or (number,) of a cell; None: no clicks.
    """
    flat = values.ndim == 1
    cells = folded(values) if flat else values[..., map_number] if values.ndim == 3 else values
    columns = cells.shape[1]
    chosen = None
    if place is not None:
        chosen = divmod(place[0], columns) if flat else (place[0], place[1])
    st.markdown(titled(title, cells))
    figure = number_map(
        np.asarray(cells, float),
        chosen=chosen,
        window=window,
        inner=inner,
        places=[f"{called} {n}" for n in range(cells.size)] if flat else None,
        clickable=clicked is not None,
        dark=charts.dark(),
        # One color scale for all maps of a layer, so that they can be compared.
        largest=float(np.abs(values).max(initial=0)) or None,
    )
    alt = (
        f"{title}: {cells.shape[0]}×{columns} numbers from {np.nanmin(cells):.3g} to "
        f"{np.nanmax(cells):.3g}"
    )
    if clicked is None:
        charts.chart(figure, alt=alt, key=key)
        return

    def choose_cell(point: dict) -> None:
        row, column = (int(i) for i in point["customdata"][:2])
        clicked((row * columns + column,) if flat else (row, column))

    charts.clickable(figure, alt=alt, key=key, clicked=choose_cell)


def _choose_map(index: Index) -> None:
    choose((*index[:2], int(st.session_state["cell_map"])))


def _moved(shape: tuple[int, ...], index: Index, offset: tuple[int, int]) -> Index | None:
    """The neighbor in a direction, or None at an edge."""
    if len(shape) == 1:
        target: Index = (index[0] + offset[0] * fold_columns(shape[0]) + offset[1],)
    else:
        target = (index[0] + offset[0], index[1] + offset[1], index[2])
    inside = all(0 <= i < side for i, side in zip(target, shape, strict=True))
    return target if inside else None
