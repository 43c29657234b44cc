"""Putting figures and images on a page: quiet, named, and some of them clickable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from cnnkit.figures import rasters

if TYPE_CHECKING:
    from plotly.basedatatypes import BaseFigure
    from plotly.graph_objects import Figure

# The bar of tools over a chart distracts; zooming stays possible by dragging.
QUIET = {"displayModeBar": False, "displaylogo": False, "responsive": True}


def chart(figure: Figure, *, alt: str, key: str | None = None) -> None:
    """Draw a figure in the page's colors.

    Args:
        figure: from `cnnkit.figures`.
        alt: what it shows, in one sentence, for those who cannot see it.
        key: of the element; needed where two figures could be equal.
    """
    st.plotly_chart(_readable(figure), config=QUIET, alt=alt, key=key)


def growing_lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float | None]]],
    *,
    alt: str,
    key: str,
    **how: Any,
) -> None:
    """Draw lines that are drawn again each second, with more points: Plotly checks them once.

    Args:
        series: name to (x, y).
        alt: what they show, in one sentence.
        key: of the element.
        **how: see `cnnkit.figures.curves.lines`.
    """
    from cnnkit.figures.curves import empty_lines
    from cnnkit.ui.common.plain_figure import PlainFigure

    values = _readable(empty_lines(tuple(series), **how)).to_dict()
    points = [{"x": list(x), "y": list(y)} for x, y in series.values()]
    lines = [line | grown for line, grown in zip(values["data"], points, strict=True)]
    st.plotly_chart(PlainFigure(values | {"data": lines}), config=QUIET, alt=alt, key=key)


def clicked_point(figure: Figure, *, alt: str, key: str) -> dict | None:
    """Draw a figure whose points can be clicked.

    Returns:
        The clicked point (`x`, `y`, `customdata`, `curve_number`, `point_index`), or None.
    """
    event = st.plotly_chart(
        _readable(figure),
        config=QUIET,
        alt=alt,
        key=key,
        on_select="rerun",
        selection_mode="points",
    )
    points = event["selection"]["points"] if event else []
    return points[0] if points else None


def clickable(figure: Figure, *, alt: str, key: str, clicked: Callable[[dict], object]) -> None:
    """Draw a figure, and call back once for each click on a point of it.

    Unlike `clicked_point` it says nothing of a click that was answered already, so what was
    clicked may be moved by other means afterwards.

    Args:
        figure: from `cnnkit.figures`.
        alt: what it shows, in one sentence.
        key: of the element.
        clicked: called with the point, before the page runs anew.
    """

    def answer() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            clicked(points[0])

    st.plotly_chart(
        _readable(figure), config=QUIET, alt=alt, key=key, on_select=answer, selection_mode="points"
    )


def selected_points(figure: Figure, *, alt: str, key: str, file: str) -> list[dict]:
    """Draw a figure of which a group of points can be selected, with a lasso, a box or clicks.

    Args:
        figure: from `cnnkit.figures`.
        alt: what it shows, in one sentence.
        key: of the element.
        file: name of the PNG that the chart's own bar of tools saves, without its ending.

    Returns:
        The selected points, each with its `customdata`.
    """
    config = {
        "displaylogo": False,
        "responsive": True,
        "displayModeBar": True,
        "modeBarButtonsToRemove": ["autoScale2d", "zoomIn2d", "zoomOut2d"],
        "toImageButtonOptions": {"format": "png", "filename": file, "scale": 2},
    }
    event = st.plotly_chart(_readable(figure), config=config, alt=alt, key=key, on_select="rerun")
    return list(event["selection"]["points"]) if event else []


def _readable(figure: Figure) -> BaseFigure:
    """The figure with text that can be read on the visitor's page."""
    from cnnkit.figures.figure_cache import made_of  # Plotly: not before there is a figure
    from cnnkit.figures.style import with_text_colors
    from cnnkit.ui.common.plain_figure import PlainFigure

    on_dark = dark()
    return made_of(
        figure,
        ("readable", on_dark),
        lambda figure: PlainFigure(with_text_colors(figure.to_dict(), dark=on_dark)),
    )


def dark() -> bool:
    """Whether the visitor's page is dark, for the color of text in figures."""
    return st.context.theme.type == "dark"


def confusion_matrix(
    confusion: np.ndarray, class_names: Sequence[str], *, key: str = "confusion"
) -> tuple[int, int] | None:
    """Draw a confusion matrix whose cells can be clicked.

    Args:
        confusion: int (classes, classes), rows are the true classes.
        class_names: in the order of rows and columns.
        key: of the element.

    Returns:
        (true class, predicted class) of the clicked cell, or None.
    """
    from cnnkit.figures.heatmaps import confusion_matrix as draw

    wrong = int(confusion.sum() - np.trace(confusion))
    point = clicked_point(
        draw(confusion, class_names),
        alt=f"Confusion matrix: {wrong} of {int(confusion.sum())} images misclassified",
        key=key,
    )
    if point is None:
        return None
    true, predicted = point["customdata"][:2]
    return int(true), int(predicted)


def montage(images: np.ndarray, *, alt: str, columns: int, width: int | str = "stretch", **how):
    """Many small images as one image; `how` as in `figures.images.montage`."""
    _image(rasters.montage(images, columns=columns, **how), alt=alt, width=width)


def mosaic(images: np.ndarray, *, alt: str, columns: int, width: int) -> None:
    """Images in color or gray as one mosaic; see `figures.images.mosaic`."""
    _image(rasters.mosaic(images, columns=columns, width=width), alt=alt, width=width)


def thumbnails(
    images: np.ndarray,
    captions: Sequence[str],
    *,
    alts: Sequence[str],
    width: int = 84,
    below: Callable[[int], None] | None = None,
) -> None:
    """Digits side by side, each with its words below, in as many rows as it takes.

    Args:
        images: uint8 (images, height, width) or with one channel.
        captions: Markdown below each.
        alts: each image in words.
        width: of one on the screen, in pixels.
        below: called with the number of each, and draws below its words.
    """

    def draw(number: int) -> None:
        how = {"caption": captions[number], "alt": alts[number], "width": width}
        _image(_flat(images[number]), **how)

    _side_by_side(len(images), draw, width, below)


def photos(
    images: np.ndarray,
    captions: Sequence[str],
    *,
    alts: Sequence[str],
    width: int = 120,
    below: Callable[[int], None] | None = None,
) -> None:
    """The same for photos, made as wide as they are shown."""

    def draw(number: int) -> None:
        photo(images[number], caption=captions[number], alt=alts[number], width=width)

    _side_by_side(len(images), draw, width, below)


def _side_by_side(
    count: int, draw: Callable[[int], None], width: int, below: Callable[[int], None] | None
) -> None:
    with st.container(horizontal=True, gap="small"):
        for number in range(count):
            with st.container(width=width, gap="xxsmall") if below else nullcontext():
                draw(number)
                if below:
                    below(number)


def image(image: np.ndarray, *, alt: str, width: int = 168, caption: str | None = None) -> None:
    """One gray or color image with square pixels."""
    _image(_flat(image), alt=alt, width=width, caption=caption)


def photo(image: np.ndarray, *, alt: str, width: int = 220, caption: str | None = None) -> None:
    """A photo, made as wide as it is shown: pages draw pixels sharp, which spoils photos."""
    shrunk = rasters.resized(_flat(image), width) if image.shape[1] > width else _flat(image)
    _image(shrunk, alt=alt, width=width, caption=caption)


def _image(image: np.ndarray, **arguments) -> None:
    # Without the format, Streamlit makes a JPEG of it, which smears single pixels.
    st.image(rasters.png(image), output_format="PNG", **arguments)


def _flat(image: np.ndarray) -> np.ndarray:
    return image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image
