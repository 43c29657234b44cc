"""Gradient descent, momentum and Adam from the same start."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnkit.concepts.descent import LANDSCAPES, METHODS, Landscape, descend
from cnnkit.figures import _style
from cnnkit.figures.curves import lines
from cnnkit.figures.landscape import landscape as draw_landscape
from cnnkit.ui.common.charts import chart
from cnnkit.ui.common.inputs import choice
from cnnkit.ui.concepts._frame import question


def draw() -> None:
    """Draw the experiment."""
    question(
        "What do momentum and Adam add to gradient descent?",
        "a learner's notes on TensorFlow's MNIST tutorials (both of them)",
        "Gradient descent steps straight downhill, zigzags across a narrow valley and creeps "
        "along its floor. Momentum keeps rolling in a direction that stays the same, and Adam "
        "gives every weight a step of its own size, whatever the size of its slope.",
    )
    left, right = st.columns([2, 5], gap="large")
    with left:
        where = LANDSCAPES[
            choice(
                "Landscape",
                list(LANDSCAPES),
                parameter="landscape",
                title=lambda name: LANDSCAPES[name].title,
            )
        ]
        paths = _paths(where)
    with right:
        chart(
            draw_landscape(where.height, where.reach, paths, lowest=where.lowest),
            alt=f"{where.title} from above with the paths of {', '.join(paths)}",
        )
    chart(
        lines(
            {
                name: (range(len(path)), _heights(where, path).tolist())
                for name, path in paths.items()
            },
            x_title="step",
            y_title="loss above the lowest",
            logarithmic=True,
            colours=dict(zip(METHODS, _style.SERIES[1:], strict=False)),
            height=230,
        ),
        alt="Loss over the steps of each method, on a logarithmic axis",
    )
    st.caption(
        "Try a learning rate of 0.6 in the narrow valley and gradient descent zigzags; at 1.0 it "
        "is thrown out, because its steps across are longer than the valley is wide. In the two "
        "basins, see which of them rolls over the ridge. Adam's β are the published .9 and .999."
    )


def _paths(where: Landscape) -> dict[str, np.ndarray]:
    """The controls, and the path of each method."""
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
    low_x, high_x, low_y, high_y = where.reach
    # Keys of their own for each landscape: a start belongs to one.
    start = (
        st.slider("Start, first weight", low_x, high_x, where.start[0], 0.1, key=f"{where.name}_x"),
        st.slider(
            "Start, second weight", low_y, high_y, where.start[1], 0.1, key=f"{where.name}_y"
        ),
    )
    paths = {
        name: descend(where, name, start=start, steps=steps, learning_rate=rate, momentum=momentum)
        for name in METHODS
    }
    lost = [name for name, path in paths.items() if len(path) < steps + 1]
    if lost:
        st.markdown(f":red-badge[{' and '.join(lost)} left the map: diverged]")
    return paths


def _heights(where: Landscape, path: np.ndarray) -> np.ndarray:
    lowest = min(float(where.height(*spot)) for spot in where.lowest)
    return np.maximum(where.height(path[:, 0], path[:, 1]) - lowest, 1e-8)
