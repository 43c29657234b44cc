"""How the loss goes along the gradient: what each learning rate would come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plotly import graph_objects as go

from cnnkit.figures._style import GREEN, finished


@dataclass(frozen=True, kw_only=True)
class Slope:
    """The loss of some images, over the learning rate."""

    title: str
    colour: str
    losses: Sequence[float]  # nats, one a rate
    before: float  # without a step
    after: float  # with the chosen rate


def loss_by_rate(rates: Sequence[float], slopes: Sequence[Slope], rate: float) -> go.Figure:
    """Losses after one step; dotted is what they were before it.

    Args:
        rates: ascending, above 0; the axis is logarithmic.
        slopes: of different images.
        rate: that is chosen.
    """
    # A step that is far too long may cost thousands: what is near must stay visible.
    most = 4 * max(max(slope.before for slope in slopes), 0.1)
    figure = go.Figure()
    for slope in slopes:
        words = f"{slope.title}, rate %{{x:.3g}}: %{{y:.4f}}<extra></extra>"
        figure.add_trace(
            go.Scatter(
                x=list(rates),
                y=list(slope.losses),
                name=slope.title,
                mode="lines",
                line={"color": slope.colour, "width": 2.5},
                hovertemplate=words,
            )
        )
        figure.add_hline(slope.before, line={"color": slope.colour, "dash": "dot", "width": 1})
        figure.add_trace(
            go.Scatter(
                x=[rate],
                y=[min(slope.after, 0.97 * most)],
                mode="markers",
                showlegend=False,
                marker={
                    "color": GREEN,
                    "size": 12,
                    "symbol": "circle" if slope.after < most else "triangle-up",
                },
                hovertemplate=f"{slope.title}: {slope.after:.4g}<extra></extra>",
            )
        )
    figure.update_xaxes(type="log", title="learning rate", fixedrange=True)
    figure.update_yaxes(title="loss (nats)", fixedrange=True, range=[0, most])
    return finished(figure, height=320)
