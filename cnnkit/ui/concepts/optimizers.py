"""Optimizers: gradient descent, momentum and Adam from the same start."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.concepts.optimizers import OPTIMIZERS, SURFACES, LossSurface, minimize
from cnnkit.figures import style
from cnnkit.figures.curves import lines
from cnnkit.figures.functions import loss_surface
from cnnkit.ui.common.charts import chart
from cnnkit.ui.common.inputs import choice
from cnnkit.ui.common.messages import question


def show_optimizers() -> None:
    """Controls, the paths on the loss surface, and the loss over the steps."""
    question(
        "What do momentum and Adam add to gradient descent?",
        "a learner's notes on TensorFlow's MNIST tutorials (both of them)",
        "Gradient descent follows the negative gradient: it zigzags across a narrow valley and is "
        "slow along its floor. Momentum accelerates in directions that stay the same. Adam "
        "scales the step of each weight, so that it hardly depends on the gradient's size.",
    )
    left, right = st.columns([2, 5], gap="large")
    with left:
        surface = SURFACES[
            choice(
                "Loss surface",
                list(SURFACES),
                parameter="landscape",
                title=lambda name: SURFACES[name].title,
            )
        ]
        paths = _paths(surface)
    with right:
        chart(
            loss_surface(surface.loss, surface.bounds, paths, minima=surface.minima),
            alt=f"{surface.title} from above, with the paths of {', '.join(paths)}",
        )
    chart(
        lines(
            {
                name: (range(len(path)), _excess_loss(surface, path).tolist())
                for name, path in paths.items()
            },
            x_title="step",
            y_title="loss above the minimum",
            logarithmic=True,
            colors=dict(zip(OPTIMIZERS, style.SERIES[1:], strict=False)),
            height=230,
        ),
        alt="Loss above the minimum after the last step: "
        + ", ".join(f"{n} {_excess_loss(surface, path)[-1]:.2g}" for n, path in paths.items()),
    )
    st.caption(
        "In the narrow valley gradient descent zigzags at a learning rate of 0.6; at 1.0 it "
        "diverges, because its steps across are longer than the valley is wide. With two minima, "
        "see which optimizer crosses the ridge. Adam has its published β₁ = .9, β₂ = .999."
    )


def _paths(surface: LossSurface) -> dict[str, np.ndarray]:
    """The controls, and the path of each optimizer."""
    rate = st.select_slider(
        "Learning rate",
        options=[0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0],
        value=0.05,
        key="descent_rate",
        bind="query-params",
    )
    momentum = st.slider(
        "Momentum", 0.0, 0.99, 0.9, 0.01, key="descent_momentum", bind="query-params"
    )
    steps = st.slider("Steps", 1, 200, 60, key="descent_steps", bind="query-params")
    low_x, high_x, low_y, high_y = surface.bounds
    # Keys of their own for each surface: a start belongs to one.
    start_x, start_y = (
        st.slider(f"Initial {which} weight", low, high, value, 0.1, key=f"{surface.name}_{axis}")
        for which, axis, low, high, value in (
            ("first", "x", low_x, high_x, surface.start[0]),
            ("second", "y", low_y, high_y, surface.start[1]),
        )
    )
    settings = {"steps": steps, "learning_rate": rate, "momentum": momentum}
    paths = {
        name: minimize(surface, name, start=(start_x, start_y), **settings) for name in OPTIMIZERS
    }
    diverged = [name for name, path in paths.items() if len(path) < steps + 1]
    if diverged:
        st.markdown(f":red-badge[{' and '.join(diverged)} diverged]")
    return paths


def _excess_loss(surface: LossSurface, path: np.ndarray) -> np.ndarray:
    minimum = min(float(surface.loss(*point)) for point in surface.minima)
    return np.maximum(surface.loss(path[:, 0], path[:, 1]) - minimum, 1e-8)
