"""A network from left to right: a stack of maps for each layer, with its real shape."""

from __future__ import annotations

import math
from collections.abc import Sequence

from plotly import graph_objects as go

from cnnkit.figures._look import BLUE, FAINT, GREY, SERIES, faded, finished

MOST_SHEETS = 7  # maps drawn of a stack; more would be a blur
TALLEST = 1.0  # height of the largest map, in the figure's own units


def pipeline(
    stages: Sequence[tuple[str, tuple[int, ...]]],
    *,
    operations: Sequence[str] = (),
    chosen: int | None = None,
    height: int = 280,
):
    """The pipeline of shapes, drawn from a model's real ones.

    Args:
        stages: (title, shape) from input to output; a shape is (height, width, channels)
            for maps or (units,) for a dense layer.
        operations: what leads from each stage to the next, such as "5×5 convolution";
            one fewer than the stages, or none.
        chosen: stage to draw in full colour.
        height: pixels.
    """
    figure = go.Figure()
    largest = max((max(shape[:2]) for _, shape in stages if len(shape) == 3), default=1)
    left, centres = 0.0, []
    for number, (_, shape) in enumerate(stages):
        colour = SERIES[1] if number == chosen else BLUE
        width = (
            _stack(figure, left, shape, largest, colour)
            if len(shape) == 3
            else _column(figure, left, shape[0], colour)
        )
        centres.append(left + width / 2)
        left += width + 0.55
    for number, (title, shape) in enumerate(stages):
        _words(figure, centres[number], title, shape)
    for number, operation in enumerate(operations):
        middle = (centres[number] + centres[number + 1]) / 2
        figure.add_annotation(
            x=middle, y=0.78, text=operation.replace(" ", "<br>"), showarrow=False,
            font={"size": 10, "color": GREY},
        )  # fmt: skip
    figure.update_layout(
        xaxis={"visible": False, "range": [-0.4, left - 0.1], "fixedrange": True},
        yaxis={"visible": False, "range": [-1.05, 1.0], "fixedrange": True},
    )
    return finished(figure, height=height, legend=False)


def _stack(figure, left: float, shape: tuple[int, ...], largest: int, colour: str) -> float:
    tall, wide, channels = shape
    # Square roots keep a 4×4 map visible beside a 28×28 one.
    h, w = (max(0.16, TALLEST * math.sqrt(side / largest)) for side in (tall, wide))
    sheets = min(channels, MOST_SHEETS)
    shift = 0.055
    for sheet in range(sheets):
        x = left + sheet * shift
        y = -h / 2 + (sheets - 1 - sheet) * shift - (sheets - 1) * shift / 2
        figure.add_shape(
            type="rect", x0=x, x1=x + w, y0=y, y1=y + h,
            line={"color": faded(colour, 0.9), "width": 1}, fillcolor=faded(colour, 0.16),
        )  # fmt: skip
    return w + (sheets - 1) * shift


def _column(figure, left: float, units: int, colour: str) -> float:
    h = max(0.25, min(1.2, 0.25 + 0.32 * math.log10(max(units, 1))))
    figure.add_shape(
        type="rect", x0=left, x1=left + 0.13, y0=-h / 2, y1=h / 2,
        line={"color": faded(colour, 0.9), "width": 1}, fillcolor=faded(colour, 0.3),
    )  # fmt: skip
    return 0.13


def _words(figure, x: float, title: str, shape: tuple[int, ...]) -> None:
    size = "×".join(str(side) for side in shape)
    figure.add_annotation(
        x=x, y=-0.98, yanchor="bottom", showarrow=False,
        text=f"<b>{size}</b><br><span style='font-size:10px'>{title}</span>",
    )  # fmt: skip
    # An invisible point carries the words for the mouse.
    figure.add_scatter(
        x=[x], y=[0], mode="markers", marker={"size": 24, "color": FAINT, "opacity": 0},
        hovertemplate=f"{title}: {size}<extra></extra>", showlegend=False,
    )  # fmt: skip
