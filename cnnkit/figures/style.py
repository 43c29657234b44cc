"""What all figures share: sizes, and the colors that carry a meaning.

Backgrounds are transparent, so that a figure is right on light and on dark pages. Lines and
markers have a contrast of at least 3:1 to both, text at least 4.5:1 (WCAG 2 AA); a test
computes it for every pair of colors.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

from plotly.graph_objects import Figure

BLUE = "#5B7FE8"
ORANGE = "#D37A3D"
GREEN = "#34A37D"
RED = "#DB5A5A"
GRAY = "#8893A4"
FAINT = "rgba(138, 148, 166, .22)"
SERIES = (BLUE, ORANGE, GREEN, "#C55E96", "#8F78D6", "#B08D29", "#429CB8", GRAY)

# Of text, on light (False) and on dark (True) pages: as textColor and grayTextColor of the theme.
INK = {False: "#1B2333", True: "#E7EBF3"}
MUTED = {False: "#5A6578", True: "#9BA6B9"}

AXIS = re.compile(r"[xy]axis\d*")


def finished(figure: Figure, *, height: int, legend: bool = True) -> Figure:
    """Give a figure its size and quiet margins."""
    # One by one: Plotly's `update_layout` takes 5 ms for the same, `update_xaxes` 2 ms.
    layout = figure.layout
    layout.height = height
    layout.margin = {"l": 8, "r": 8, "t": 28 if legend else 8, "b": 8}
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)"
    layout.showlegend = legend
    place = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    for name, value in place.items():
        setattr(layout.legend, name, value)
    layout.hoverlabel.namelength = -1
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis.gridcolor, axis.zeroline, axis.automargin = FAINT, False, True
    return figure


def tight(figure: Figure, *, height: int, top: int = 4, bottom: int = 4) -> Figure:
    """Give a figure its size, the smallest margins and no legend."""
    finished(figure, height=height, legend=False)
    return figure.update_layout(margin={"l": 4, "r": 4, "t": top, "b": bottom})


def with_text_colors(values: dict[str, Any], *, dark: bool) -> dict[str, Any]:
    """Set the colors of all text, since those of Streamlit's ticks have too little contrast.

    Args:
        values: of a figure from this package, `figure.to_dict()`; they are changed. (To change the
            figure itself takes Plotly a millisecond for each text, to check what is right.)
        dark: whether the page is dark.
    """
    layout = values.setdefault("layout", {})
    ink, muted = {"color": INK[dark]}, {"color": MUTED[dark]}
    layout.setdefault("font", {}).update(ink)
    layout.setdefault("legend", {}).setdefault("font", {}).update(ink)
    for annotation in layout.get("annotations", ()):
        annotation.setdefault("font", {}).update(ink)
    for name in {"xaxis", "yaxis", *filter(AXIS.fullmatch, layout)}:
        axis = layout.setdefault(name, {})
        axis.setdefault("tickfont", {}).update(muted)
        axis.setdefault("title", {}).setdefault("font", {}).update(muted)
    return values


def faded(color: str, opacity: float) -> str:
    """A color of the form #RRGGBB with an opacity from 0 to 1."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


@cache
def stylesheet(name: str) -> str:
    """The HTML element with the rules of `<name>.css`, which stands beside this module."""
    css = (resources.files("cnnkit.figures") / f"{name}.css").read_text("utf-8")
    return f"<style>:root {{ --blue: {BLUE}; --orange: {ORANGE}; }}\n{css}</style>"
