"""What all figures share: sizes and the few colours that carry a meaning.

Everything else (fonts, axes, the order of colours) comes from the page's theme, so that
a figure is right in light and in dark. Backgrounds are transparent for the same reason.
"""

from __future__ import annotations

from plotly.graph_objects import Figure

BLUE = "#5B7FE8"
ORANGE = "#E58542"
GREEN = "#35A57E"
RED = "#DB5A5A"
GREY = "#8A94A6"
FAINT = "rgba(138, 148, 166, .22)"
SERIES = (BLUE, ORANGE, GREEN, "#C55E96", "#8F78D6", "#B9942B", "#45A3C0", GREY)


def finished(figure: Figure, *, height: int, legend: bool = True) -> Figure:
    """Give a figure its size and quiet margins."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 28 if legend else 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
        hoverlabel={"namelength": -1},
    )
    figure.update_xaxes(gridcolor=FAINT, zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor=FAINT, zeroline=False, automargin=True)
    return figure


def faded(colour: str, opacity: float) -> str:
    """A colour of the form #RRGGBB with an opacity from 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"
