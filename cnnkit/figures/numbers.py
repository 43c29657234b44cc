"""Heatmaps whose numbers can be read, with cells that can be clicked and windows over them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures import rasters
from cnnkit.figures.heatmaps import click_targets
from cnnkit.figures.style import GRAY, GREEN, INK, finished

READABLE = 12  # columns up to which the numbers are written into the cells
WIDE = 25  # columns of a long row of numbers that is folded
STRONGEST = 0.62  # opacity of the largest number: its text has the page's own color

Box = tuple[float, float, float, float]  # top, left, height, width, in cells


def number_map(
    values: np.ndarray,
    *,
    chosen: tuple[int, int] | None = None,
    window: Box | None = None,
    inner: Box | None = None,
    places: Sequence[str] | None = None,
    texts: np.ndarray | None = None,
    colors: np.ndarray | None = None,
    largest: float | None = None,
    clickable: bool = False,
    dark: bool = False,
    height: int | None = None,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> go.Figure:
    """Numbers as cells: orange below zero, blue above, written out where there is room.

    The `customdata` of a click is (row, column). The numbers are annotations, because Plotly
    fades the text of every marker that is not clicked.

    Args:
        values: (height, width); NaN cells stay empty. They are written without their common
            power of ten: `titled` says it.
        chosen: (row, column) of a cell to be framed.
        window: frame over some cells.
        inner: fainter frame, around what is no border.
        places: what each cell is called, row by row, to be read by hovering; None: row, column.
        texts: what is written into the cells instead of the numbers; (height, width).
        colors: numbers that the colors stand for instead; (height, width).
        largest: magnitude that gets the full color; None: of these numbers.
        clickable: whether cells can be clicked.
        dark: whether the page is, for the color of the text.
        height: pixels; None: as it fits.
        rows: names of the rows; None: none.
        columns: names of the columns; None: none.
    """
    if texts is None and values.shape[1] <= READABLE:
        texts = _texts(values / 10.0 ** common_power(values))
    cells = values if colors is None else colors
    figure = go.Figure(_cells(cells, _hover(values, places), largest))
    if texts is not None:
        figure.update_layout(annotations=_annotations(texts, INK[dark]))
    if clickable:
        finite = np.argwhere(np.isfinite(values))
        figure.add_trace(click_targets(finite[:, 0], finite[:, 1], finite))
    for box, look in (
        (inner, {"color": GRAY, "width": 1.5, "dash": "dot"}),
        (window, {"color": GREEN, "width": 3}),
        (chosen and (*chosen, 1, 1), {"color": GREEN, "width": 3}),
    ):
        if box:
            figure.add_shape(_frame(box, look))
    _axes(figure, values.shape, rows, columns)
    figure.update_layout(
        clickmode="event+select" if clickable else "event",
        dragmode=False,
        hovermode="closest",
    )
    finished(figure, height=height or _height(values.shape), legend=False)
    return figure.update_layout(margin={"l": 2, "r": 2, "t": 2, "b": 2})


def titled(title: str, values: np.ndarray) -> str:
    """A title with the power of ten that the written numbers leave out, as Markdown."""
    exponent = common_power(values)
    written_out = values.ndim == 2 and values.shape[1] <= READABLE and exponent
    return f"**{title}**" + (f" :gray[· in units of {_power(exponent)}]" if written_out else "")


def folded(values: np.ndarray) -> np.ndarray:
    """A row of numbers as lines of ten (or, if it is long, of 25), filled up with NaN."""
    columns = fold_columns(len(values))
    rows = -(-len(values) // columns)
    padded = np.full(rows * columns, np.nan)
    padded[: len(values)] = values
    return padded.reshape(rows, columns)


def fold_columns(count: int) -> int:
    """Numbers in a line of `folded`."""
    return min(count, 10 if count <= 100 else WIDE)


def common_power(values: np.ndarray) -> int:
    """The power of ten that is best left out of all numbers: 0 where they read well."""
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0))
    return 0 if not largest or 0.1 <= largest < 1000 else math.floor(math.log10(largest))


def format_number(value: float) -> str:
    """One number, short: "0.124", "-3.4e-05", "0"."""
    return "0" if value == 0 else f"{value:.3g}"


def _cells(values: np.ndarray, hover: np.ndarray, largest: float | None) -> go.Heatmap:
    most = largest or float(np.nanmax(np.abs(values), initial=0)) or 1.0
    return go.Heatmap(
        z=values,
        zmin=-most,
        zmax=most,
        colorscale=rasters.diverging_scale(STRONGEST, 0.06),
        showscale=False,
        xgap=1,
        ygap=1,
        hoverongaps=False,
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _annotations(texts: np.ndarray, color: str) -> list[dict]:
    columns, longest = texts.shape[1], max(map(len, re.split("<br>| ", " ".join(texts.flat))))
    # What a cell of a map about 280 pixels wide has room for.
    size = min(12, max(7.5, 280 / columns / max(longest, 3) / 0.56))
    return [
        {
            "x": column,
            "y": row,
            "text": str(text),
            "showarrow": False,
            "font": {"size": size, "color": color},
        }
        for (row, column), text in np.ndenumerate(texts)
        if text
    ]


def _hover(values: np.ndarray, places: Sequence[str] | None) -> np.ndarray:
    """What is said of each cell: its name and its number, as exactly as it is stored."""
    names = places or [f"row {i}, column {j}" for i, j in np.ndindex(values.shape)]
    flat = [f"{name}: <b>{value:.6g}</b>" for name, value in zip(names, values.flat, strict=True)]
    return np.array(flat, object).reshape(values.shape)


def _texts(values: np.ndarray) -> np.ndarray:
    largest = float(np.nanmax(np.abs(values), initial=0))
    decimals = 2 if largest < 10 else 1 if largest < 100 else 0
    narrow = values.shape[1] > 8  # ".38" has room where "0.38" has not

    def text(value: float) -> str:
        if math.isnan(value):
            return ""
        if value == 0:
            return "0"
        text = f"{value:.{decimals}f}"
        if not float(text):
            return "≈0"
        return re.sub(r"^(-?)0\.", r"\1.", text) if narrow else text

    return np.array([[text(float(value)) for value in line] for line in values])


def _frame(box: Box, line: dict) -> dict:
    top, left, height, width = box
    return {
        "type": "rect",
        "x0": left - 0.5,
        "x1": left + width - 0.5,
        "y0": top - 0.5,
        "y1": top + height - 0.5,
        "line": line,
        "fillcolor": "rgba(0,0,0,0)",
    }


def _axes(
    figure: go.Figure,
    shape: tuple[int, ...],
    rows: Sequence[str] | None,
    columns: Sequence[str] | None,
) -> None:
    height, width = shape
    look = {"showgrid": False, "fixedrange": True, "constrain": "domain"}
    figure.update_xaxes(range=[-0.6, width - 0.4], **look, **_ticks(columns))
    figure.update_yaxes(range=[height - 0.4, -0.6], **look, **_ticks(rows))
    if rows is None and columns is None:  # cells of images are square
        figure.update_xaxes(constraintoward="left")
        figure.update_yaxes(scaleanchor="x", constraintoward="top")


def _ticks(names: Sequence[str] | None) -> dict:
    if names is None:
        return {"visible": False}
    return {"tickvals": list(range(len(names))), "ticktext": list(names)}


def _height(shape: tuple[int, ...]) -> int:
    """Of square cells in a column of the page about 300 pixels wide, and never endless."""
    rows, columns = shape
    cell = min(300 / columns, 46)
    return round(min(420, max(34, cell * rows + 6)))


def _power(exponent: int) -> str:
    digits = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{digits}"
