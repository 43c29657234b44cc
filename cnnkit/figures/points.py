"""Points in a plane: an embedding whose points can be selected, and two that move into each other.

All points are SVG, which every browser draws; WebGL is missing on some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from plotly import graph_objects as go

from cnnkit.figures.style import BLUE, GRAY, ORANGE, RED, SERIES, finished

SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up", "star")
HEIGHT = 580  # pixels
LEGEND = 24  # groups; more would not fit
SECONDS = 2.0  # of a motion
ROOM = 0.05  # beside the outermost points, relative to their spread


def embedding_scatter(
    coordinates: np.ndarray,
    groups: Mapping[str, np.ndarray],
    words: Sequence[str],
    *,
    axes: tuple[str, str] = ("", ""),
    placed: np.ndarray | None = None,
    neighbors: Sequence[int] = (),
    errors: str = "",
) -> go.Figure:
    """Images as points, each group in a color of its own, to be selected with the mouse.

    The `customdata` of a point is (its position, its words).

    Args:
        coordinates: float (points, 2).
        groups: name → positions of its points.
        words: about each point.
        axes: titles.
        placed: (2,), one more image, drawn as a star.
        neighbors: positions of points with a ring.
        errors: the group that stands out, in red and on top of the others.
    """
    figure = go.Figure()
    for number, (name, places) in enumerate(groups.items()):
        figure.add_scatter(
            x=coordinates[places, 0],
            y=coordinates[places, 1],
            customdata=[[int(place), words[place]] for place in places],
            name=name,
            mode="markers",
            marker=_error_marker() if name == errors else _marker(number, len(coordinates)),
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    if placed is not None:
        near = list(neighbors)
        figure.add_scatter(
            x=coordinates[near, 0],
            y=coordinates[near, 1],
            name="nearest neighbors",
            mode="markers",
            marker={"size": 15, "color": ORANGE, "symbol": "circle-open", "line": {"width": 2.5}},
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=placed[:1],
            y=placed[1:],
            name="placed image",
            mode="markers",
            marker={"size": 20, "color": ORANGE, "symbol": "star", "line": _edge()},
            hovertemplate="placed image<extra></extra>",
        )
    figure.update_layout(dragmode="lasso", clickmode="event+select")
    _quiet_axes(figure, axes)
    return _with_legend_below(figure, len(groups), gap=0.12 if axes[0] else 0.04)


def moving_points(
    first: np.ndarray,
    second: np.ndarray,
    groups: Mapping[str, np.ndarray],
    words: Sequence[str],
    names: tuple[str, str],
    *,
    positions: np.ndarray,
) -> go.Figure:
    """Two embeddings of the same images, and a button for each that moves the points there.

    Args:
        first: float (points, 2).
        second: float (points, 2), aligned with the first.
        groups: name → positions of its points.
        words: about each point.
        names: of the two, on the buttons.
        positions: int (points,), of the points among all, the first of their `customdata`.
    """
    figure = go.Figure()
    for number, (name, places) in enumerate(groups.items()):
        figure.add_scatter(
            x=first[places, 0],
            y=first[places, 1],
            customdata=[[int(positions[place]), words[place]] for place in places],
            name=name,
            mode="markers",
            marker=_marker(number, len(first)),
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    figure.frames = [
        go.Frame(name=name, data=[{"x": at[p, 0], "y": at[p, 1]} for p in groups.values()])
        for name, at in zip(names, (first, second), strict=True)
    ]
    figure.update_layout(updatemenus=[_buttons(names)])
    _quiet_axes(figure, ("", ""))
    low, high = (of(np.vstack([first, second]), axis=0) for of in (np.min, np.max))
    room = ROOM * (high - low)
    figure.update_xaxes(range=[low[0] - room[0], high[0] + room[0]])
    figure.update_yaxes(range=[low[1] - room[1], high[1] + room[1]])
    return _with_legend_below(figure, len(groups))


def _buttons(names: Sequence[str]) -> dict:
    how = {
        "mode": "immediate",
        "frame": {"duration": 1000 * SECONDS, "redraw": False},
        "transition": {"duration": 1000 * SECONDS, "easing": "cubic-in-out"},
    }
    return {
        "type": "buttons",
        "direction": "right",
        # The color of the active button is fixed, and white on dark pages.
        "showactive": False,
        "bgcolor": "rgba(0, 0, 0, 0)",
        "bordercolor": GRAY,
        "x": 0,
        "xanchor": "left",
        "y": 1.01,
        "yanchor": "bottom",
        "pad": {"t": 0, "b": 4},
        "buttons": [{"label": name, "method": "animate", "args": [[name], how]} for name in names],
    }


def _quiet_axes(figure: go.Figure, titles: tuple[str, str]) -> None:
    # The numbers of the axes mean nothing, the distances do: both axes have one scale.
    bare = {"showticklabels": False, "showgrid": False}
    figure.update_xaxes(title=titles[0] or None, **bare)
    figure.update_yaxes(title=titles[1] or None, scaleanchor="x", **bare)


def _with_legend_below(figure: go.Figure, groups: int, gap: float = 0.04) -> go.Figure:
    """Above the points are the buttons of the chart."""
    finished(figure, height=HEIGHT, legend=groups <= LEGEND)
    below = {"y": -gap, "yanchor": "top"}
    bar = {"bgcolor": "rgba(0, 0, 0, 0)", "color": GRAY, "activecolor": BLUE}
    return figure.update_layout(legend=below, modebar=bar, margin_t=40)


def _marker(number: int, points: int) -> dict:
    return {
        "size": 9 if points <= 500 else 7 if points <= 2000 else 5,
        "opacity": 0.8,
        "color": SERIES[number % len(SERIES)],
        "symbol": SYMBOLS[number // len(SERIES) % len(SYMBOLS)],
    }


def _error_marker() -> dict:
    return {"size": 10, "color": RED, "symbol": "x", "line": _edge()}


def _edge() -> dict:
    return {"width": 1, "color": GRAY}
