"""A residual block with and without its skip, on real numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.concepts.residual import Block, Pass
from cnnkit.concepts.residual_learning import TASKS, Learning, feature_maps, learn, loss, wanted
from cnnkit.figures._style import BLUE, ORANGE
from cnnkit.figures.curves import lines
from cnnkit.ui.architectures.concepts._chain import draw_chain
from cnnkit.ui.architectures.concepts._pixel import draw_gradient, draw_pixel
from cnnkit.ui.architectures.concepts._shared import NOTES
from cnnkit.ui.architectures.concepts._verdict import draw_verdict
from cnnkit.ui.common import cache
from cnnkit.ui.common.charts import chart, montage
from cnnkit.ui.common.inputs import choice, image_picker
from cnnkit.ui.concepts._frame import one_thread, question

IMAGES, MAPS, STEPS, RATE, SEED = 4, 4, 120, 0.5, 2
DECAYS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0)
SKIPS = {
    "identity": "the input itself",
    "fixed": "a fixed random 1×1",
    "trained": "a trained 1×1",
}
TASK_TITLES = {"sharper": "sharper maps", "unchanged": "the same maps"}


@dataclass(frozen=True)
class Settings:
    """What the controls say."""

    task: str
    outputs: int
    shortcut: str
    decay: float
    decay_shortcut: bool
    step: int


def draw() -> None:
    """Draw the experiment."""
    question(
        "What does a skip connection do for a block whose weights die away?",
        NOTES,
        "With a skip the block only learns what to add to its input. If its weights become zero "
        "the input goes through as it is, and the layers below still get their gradient; without "
        "the skip nothing goes through, and nothing comes back.",
    )
    left, right = st.columns([2, 5], gap="large")
    with left:
        number = image_picker(len(cache.dataset("digits").part("test")[0]), label="Digit")
        settings = _controls()
    with right:
        if settings.shortcut == "identity" and settings.outputs != MAPS:
            _cannot_add(settings)
            return
        plain, skip = (
            _learnt(settings.task, settings.outputs, name, settings.decay, settings.decay_shortcut)
            for name in ("plain", settings.shortcut)
        )
        stack = _digit(number)
        target = wanted(stack, settings.task, settings.outputs)
        blocks = plain.blocks[settings.step], skip.blocks[settings.step]
        ways = blocks[0].forward(stack), blocks[1].forward(stack)
        _images(stack, target, ways, settings)
        draw_verdict(ways, (plain, skip), settings.shortcut, settings.step)
    _curves(plain, skip, settings)
    draw_pixel(ways, settings.shortcut)
    draw_gradient(blocks, stack, target)
    draw_chain(stack, skip.blocks[settings.step].norm / skip.blocks[0].norm)


def _controls() -> Settings:
    shortcut = choice(
        "What goes around the block",
        list(SKIPS),
        parameter="shortcut",
        title=SKIPS.__getitem__,
        help="The matrix of a 1×1 convolution is needed where the number of maps changes.",
    )
    decay = st.select_slider(
        "L2, λ",
        list(DECAYS),
        0.1,
        key="residual_decay",
        bind="query-params",
        help="How hard L2 pulls every weight towards zero at each step.",
    )
    decay_shortcut = False
    if shortcut == "trained":
        decay_shortcut = st.toggle(
            "L2 pulls on the 1×1 too", key="residual_decay_shortcut", bind="query-params"
        )
    task = choice("The block should give", TASKS, parameter="task", title=TASK_TITLES.__getitem__)
    outputs = st.select_slider(
        "Maps out", [4, 6], MAPS, key="residual_maps", bind="query-params", help="Maps in: 4."
    )
    step = st.slider(
        "Show the blocks after this many steps",
        0, STEPS, STEPS, 5, key="residual_step", bind="query-params",
    )  # fmt: skip
    return Settings(task, int(outputs), shortcut, float(decay), decay_shortcut, int(step))


def _cannot_add(settings: Settings) -> None:
    st.warning(
        f"The input has {MAPS} maps, the block gives {settings.outputs}: they cannot be added. A "
        "matrix must come between them, a 1×1 convolution. Choose a fixed or a trained one.",
        icon=":material/block:",
    )


def _images(
    stack: np.ndarray, target: np.ndarray, ways: tuple[Pass, Pass], settings: Settings
) -> None:
    plain, skip = (way.output for way in ways)
    brightest = max(float(target.max()), 1e-9)
    shown = (
        (stack, "**Input**, a", "Four maps that fixed filters made of the digit"),
        (target, f"**Wanted**: {TASK_TITLES[settings.task]}", "The maps the block should give"),
        (plain, f"**Without skip** · loss {loss(plain, target):.4f}", "Output without the skip"),
        (skip, f"**With skip** · loss {loss(skip, target):.4f}", "Output with the skip"),
    )
    for pair in (shown[:2], shown[2:]):
        for column, (maps, title, alt) in zip(st.columns(2), pair, strict=True):
            with column:
                st.markdown(title)
                montage(
                    np.rint(255 * np.clip(maps[0] / brightest, 0, 1))
                    .astype(np.uint8)
                    .transpose(2, 0, 1),
                    columns=4,
                    scale=7,
                    alt=f"{alt}; brightest {maps.max():.3g}",
                )
    st.caption(
        "All images share one scale: black is zero, white is "
        f"{brightest:.2f}. The input maps are what four fixed edge and stroke filters, ReLU and "
        "pooling make of the digit."
    )


def _curves(plain: Learning, skip: Learning, settings: Settings) -> None:
    steps = list(range(STEPS + 1))
    alone = "the identity" if settings.shortcut == "identity" else "its 1×1 alone"
    with_skip = f"with skip: to {alone}"
    left, right = st.columns(2)
    with left:
        st.markdown("**Length of the weights** :gray[of both convolutions]")
        chart(
            lines(
                {"without skip": (steps, plain.norms), "with skip": (steps, skip.norms)},
                x_title="step",
                y_title="‖W‖",
                colours={"without skip": ORANGE, "with skip": BLUE},
                marked=settings.step,
                height=240,
            ),
            alt=f"Length of the weights: {plain.norms[-1]:.2g} without and "
            f"{skip.norms[-1]:.2g} with the skip in the end",
            key="residual_norms",
        )
    with right:
        st.markdown("**How far the output is from that of zero weights**")
        chart(
            lines(
                {"without skip: to zero": (steps, plain.distances),
                 with_skip: (steps, skip.distances)},
                x_title="step",
                y_title="share of what is wanted",
                percent=True,
                colours={"without skip: to zero": ORANGE, with_skip: BLUE},
                marked=settings.step,
                height=240,
            ),
            alt=f"Distance in the end: {plain.distances[-1]:.2g} without, "
            f"{skip.distances[-1]:.2g} with the skip",
            key="residual_distances",
        )  # fmt: skip
    st.caption(
        f"Two blocks of two 3×3 convolutions learn {IMAGES} digits by {STEPS} steps of gradient "
        "descent, computed just now in NumPy; both begin with the same weights. They have no "
        "biases, as in ResNets. Push λ up: the block without skip must hold on to its weights to "
        "give anything, the other can let them go; at the largest λ no weight survives in either."
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _learnt(task: str, outputs: int, shortcut: str, decay: float, both: bool) -> Learning:
    images, _ = cache.dataset("digits").part("train")
    stack = feature_maps(images[:IMAGES])
    with one_thread():
        return learn(
            Block.start(shortcut, maps=MAPS, outputs=outputs, seed=SEED),
            stack,
            wanted(stack, task, outputs),
            decay=decay,
            steps=STEPS,
            learning_rate=RATE,
            decay_shortcut=both,
        )


@st.cache_data(max_entries=16, show_spinner=False)
def _digit(number: int) -> np.ndarray:
    images, _ = cache.dataset("digits").part("test")
    return feature_maps(images[number : number + 1])
