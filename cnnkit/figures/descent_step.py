"""How the loss goes along the gradient: what each learning rate would come to."""

from __future__ import annotations

from collections.abc import Sequence

from plotly import graph_objects as go

from cnnkit.figures._look import BLUE, GREEN, GREY, finished


def loss_by_rate(
    rates: Sequence[float], losses: Sequence[float], before: float, rate: float, after: float
) -> go.Figure:
    """Loss after one step, over the learning rate.

    Args:
        rates: ascending, above 0; the axis is logarithmic.
        losses: after one step of each rate, in nats.
        before: the loss before the step.
        rate: that is chosen.
        after: the loss that it gives.
    """
    figure = go.Figure(
        go.Scatter(
            x=list(rates),
            y=list(losses),
            mode="lines",
            line={"color": BLUE, "width": 2.5},
            hovertemplate="rate %{x:.3g}: loss %{y:.4f}<extra></extra>",
        )
    )
    figure.add_hline(before, line={"color": GREY, "dash": "dot"}, annotation_text="before")
    figure.add_trace(
        go.Scatter(
            x=[rate],
            y=[after],
            mode="markers",
            marker={"color": GREEN, "size": 12},
            hovertemplate="this step: loss %{y:.4f}<extra></extra>",
        )
    )
    figure.update_xaxes(type="log", title="learning rate", fixedrange=True)
    figure.update_yaxes(title="loss after the step (nats)", fixedrange=True, rangemode="tozero")
    return finished(figure, height=300, legend=False)
