"""Contrast ratios of WCAG 2 AA: text 4.5:1, lines and markers 3:1, on light and dark pages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from plotly.graph_objects import Figure

from cnnkit.figures import heatmaps, numbers, rasters, style
from cnnkit.figures.style import INK, MUTED, SERIES

ROOT = Path(__file__).resolve().parents[2]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
PAGES = {False: THEME["light"], True: THEME["dark"]}
DARK = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


def rgb(color):
    """Of "#RRGGBB"."""
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], float)


def over(color, opacity, background):
    """What is seen of a color with an opacity on a background."""
    return opacity * color + (1 - opacity) * background


def luminance(color):
    share = color / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def page(dark):
    return rgb(PAGES[dark]["backgroundColor"])


def test_black_on_white_has_the_largest_contrast():
    assert contrast(rgb("#000000"), rgb("#FFFFFF")) == pytest.approx(21)
    assert contrast(rgb("#777777"), rgb("#FFFFFF")) == pytest.approx(4.48, abs=0.01)


@DARK
@pytest.mark.parametrize("text", [INK, MUTED], ids=["text", "ticks"])
def test_text_can_be_read_on_the_page_and_on_cards(dark, text):
    for background in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(rgb(text[dark]), rgb(PAGES[dark][background])) >= 4.5


@DARK
@pytest.mark.parametrize("color", [*SERIES, style.RED])
def test_lines_and_markers_stand_out_from_the_page(dark, color):
    assert contrast(rgb(color), page(dark)) >= 3


@DARK
@pytest.mark.parametrize("color", [style.BLUE, style.RED])
@pytest.mark.parametrize("opacity", [0.05, heatmaps.STRONGEST])
def test_numbers_in_confusion_matrices_can_be_read(dark, color, opacity):
    cell = over(rgb(color), opacity, page(dark))
    assert contrast(rgb(INK[dark]), cell) >= 4.5


@DARK
@pytest.mark.parametrize("end", [rasters.NEGATIVE, rasters.POSITIVE], ids=["negative", "positive"])
@pytest.mark.parametrize("opacity", [0.06, numbers.STRONGEST])
def test_numbers_in_cells_can_be_read(dark, end, opacity):
    cell = over(np.array(end[:3], float), opacity, page(dark))
    assert contrast(rgb(INK[dark]), cell) >= 4.5


@DARK
@pytest.mark.parametrize("name", ["architecture", "network"])
def test_faded_words_of_drawings_can_be_read(dark, name):
    opacities = [float(o) for o in re.findall(r"opacity: (\.\d+)", style.stylesheet(name))]
    texts = [opacity for opacity in opacities if opacity > 0.6]  # below: arrows and lines
    assert texts
    ink = rgb(INK[dark])
    background = over(ink, 0.09, page(dark))  # the faint box around a layer
    for opacity in texts:
        assert contrast(over(ink, opacity, background), background) >= 4.5


def test_every_text_of_a_figure_gets_the_color_of_its_page():
    figure = heatmaps.confusion_matrix(np.array([[3, 1], [0, 2]]), ("a", "b"))
    for dark in (False, True):
        layout = style.with_text_colors(figure.to_dict(), dark=dark)["layout"]
        assert layout["font"]["color"] == INK[dark]
        assert {note["font"]["color"] for note in layout["annotations"]} == {INK[dark]}
        assert layout["xaxis"]["tickfont"]["color"] == MUTED[dark]
        assert layout["yaxis"]["title"]["font"]["color"] == MUTED[dark]


def test_plotly_agrees_with_what_the_colors_are_written_into():
    figure = heatmaps.confusion_matrix(np.array([[3, 1], [0, 2]]), ("a", "b"))
    Figure(style.with_text_colors(figure.to_dict(), dark=True))  # refuses what it does not know
