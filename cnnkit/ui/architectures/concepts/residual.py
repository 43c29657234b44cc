"""A residual block with and without its skip connection, on real feature maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnkit.backprop.training import one_thread
from cnnkit.concepts.residual import (
    TASKS,
    BlockActivations,
    BlockTraining,
    ResidualBlock,
    feature_maps,
    squared_error,
    target_maps,
    train_block,
)
from cnnkit.figures.curves import lines
from cnnkit.figures.style import BLUE, ORANGE
from cnnkit.ui.architectures import NOTES
from cnnkit.ui.architectures.concepts.residual_gradient import (
    show_chain,
    show_input_gradient,
    show_pixel,
)
from cnnkit.ui.common import cache
from cnnkit.ui.common.charts import chart, montage
from cnnkit.ui.common.inputs import choice, image_picker
from cnnkit.ui.common.messages import question

IMAGES, MAPS, STEPS, RATE, SEED = 4, 4, 120, 0.5, 2
DECAYS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0)
SKIPS = {
    "identity": "identity",
    "fixed": "fixed random 1×1 convolution",
    "trained": "trained 1×1 convolution",
}
TASK_TITLES = {"sharper": "sharpened maps", "unchanged": "unchanged maps"}


@dataclass(frozen=True)
class BlockSettings:
    """The values of the controls."""

    task: str
    outputs: int
    shortcut: str
    decay: float
    decay_shortcut: bool
    step: int


def show_residual_block() -> None:
    """Controls, and both blocks: feature maps, weights, one pixel, gradients, a chain."""
    question(
        "What does a skip connection do for a block whose weights decay to zero?",
        NOTES,
        "With a skip connection the block learns the difference to its input. If its weights "
        "become zero, it is the identity, and the layers below still get their gradient. A plain "
        "block with zero weights outputs zero, and its gradient is zero.",
    )
    left, right = st.columns([2, 5], gap="large")
    with left:
        number = image_picker(len(cache.dataset("digits").part("test")[0]), label="Digit")
        settings = _controls()
    with right:
        if settings.shortcut == "identity" and settings.outputs != MAPS:
            st.warning(
                f"The input has {MAPS} maps, the branch {settings.outputs}: they cannot be added. "
                "The shortcut needs a 1×1 convolution: choose a fixed or a trained one.",
                icon=":material/block:",
            )
            return
        plain, residual = (
            _trained(settings.task, settings.outputs, name, settings.decay, settings.decay_shortcut)
            for name in ("plain", settings.shortcut)
        )
        stack = _digit(number)
        target = target_maps(stack, settings.task, settings.outputs)
        blocks = plain.blocks[settings.step], residual.blocks[settings.step]
        passes = blocks[0].forward(stack), blocks[1].forward(stack)
        _show_maps(stack, target, passes, settings.task)
        first, second = st.columns(2)
        with first:
            _show_plain_outcome(passes[0], plain.norms[settings.step])
        with second:
            _show_residual_outcome(passes[1], residual, settings)
    _show_curves(plain, residual, settings)
    show_pixel(passes, settings.shortcut)
    show_input_gradient(blocks, stack, target)
    show_chain(stack, residual.blocks[settings.step].norm / residual.blocks[0].norm)


def _controls() -> BlockSettings:
    shortcut = choice(
        "Shortcut",
        list(SKIPS),
        parameter="shortcut",
        title=SKIPS.__getitem__,
        help="Where the number of maps changes, the shortcut needs a 1×1 convolution.",
    )
    decay = st.select_slider(
        "Weight decay (L2), λ",
        list(DECAYS),
        0.1,
        key="residual_decay",
        bind="query-params",
        help="The loss gets ½ λ ‖W‖²: each step also moves every weight toward zero.",
    )
    decay_shortcut = False
    if shortcut == "trained":
        decay_shortcut = st.toggle(
            "Weight decay of the 1×1 too", key="residual_decay_shortcut", bind="query-params"
        )
    task = choice("Target", TASKS, parameter="task", title=TASK_TITLES.__getitem__)
    outputs = st.select_slider(
        "Maps out", [4, 6], MAPS, key="residual_maps", bind="query-params", help="Maps in: 4."
    )
    step = st.slider(
        "Training step shown",
        0, STEPS, STEPS, 5, key="residual_step", bind="query-params",
    )  # fmt: skip
    return BlockSettings(task, int(outputs), shortcut, float(decay), decay_shortcut, int(step))


def _show_maps(
    stack: np.ndarray,
    target: np.ndarray,
    passes: tuple[BlockActivations, BlockActivations],
    task: str,
) -> None:
    plain, residual = (activations.output for activations in passes)
    brightest = max(float(target.max()), 1e-9)
    loss = [f"loss {squared_error(output, target):.4f}" for output in (plain, residual)]
    panels = (
        (stack, "**Input**, a", "Four feature maps of the digit, the input of both blocks"),
        (target, f"**Target**: {TASK_TITLES[task]}", "The target maps"),
        (plain, f"**Plain block** · {loss[0]}", "Output maps of the plain block"),
        (residual, f"**Residual block** · {loss[1]}", "Output maps of the residual block"),
    )
    for row in (panels[:2], panels[2:]):
        for column, (maps, title, alt) in zip(st.columns(2), row, strict=True):
            gray = np.rint(255 * np.clip(maps[0] / brightest, 0, 1)).astype(np.uint8)
            with column:
                st.markdown(title)
                montage(
                    gray.transpose(2, 0, 1),
                    columns=4,
                    scale=7,
                    alt=f"{alt}; brightest {maps.max():.3g}",
                )
    st.caption(
        "All images share one scale: black is zero, white is "
        f"{brightest:.2f}. The input maps come from four fixed edge and stroke filters, ReLU and "
        "max pooling."
    )


def _show_plain_outcome(activations: BlockActivations, norm: float) -> None:
    largest = activations.output.max()
    if largest < 1e-6:
        st.error(
            "**Plain block: dead.** Every number of the output is zero"
            + (", exactly." if largest == 0 else " or below 0.000001."),
            icon=":material/heart_broken:",
        )
    else:
        st.info(
            f"**Plain block**: the norm of its weights is {norm:.2f}. "
            "The output depends on them alone.",
            icon=":material/conversion_path:",
        )


def _show_residual_outcome(
    activations: BlockActivations, training: BlockTraining, settings: BlockSettings
) -> None:
    gap = float(np.abs(activations.output - np.maximum(activations.shortcut, 0)).max())
    name = "the input" if settings.shortcut == "identity" else "that of the 1×1"
    first, now = (training.blocks[step].matrix for step in (0, settings.step))
    share = float(np.linalg.norm(now) / np.linalg.norm(first))
    if settings.shortcut == "trained" and activations.output.max() < 0.1:
        st.error(
            f"**Residual block: dying too.** Weight decay includes the 1×1 convolution, and "
            f"{share:.1%} of its norm is left. An identity has no weights that could decay.",
            icon=":material/heart_broken:",
        )
        return
    if gap == 0:
        words = f"**Residual block: output = {name}, exactly.**"
    elif gap < 1e-3:
        words = f"**Residual block: output = {name}**, with an error of at most {gap:.1g}."
    else:
        words = (
            f"**Residual block**: the output is {name} changed by up to {gap:.2f}; the norm of "
            f"its weights is {training.norms[settings.step]:.2f}."
        )
    if settings.shortcut == "trained":
        words += f" The 1×1 has {share:.0%} of its initial norm."
    st.success(words, icon=":material/alt_route:")


def _show_curves(plain: BlockTraining, residual: BlockTraining, settings: BlockSettings) -> None:
    alone = "the identity" if settings.shortcut == "identity" else "its 1×1 alone"
    names = ("plain block", "residual block")
    for column, title, measure, labels, y_title in zip(
        st.columns(2),
        (
            "**Norm of the weights** :gray[of both convolutions]",
            "**Distance of the output from that of zero weights**",
        ),
        ("norms", "distances"),
        (names, ("plain block: to zero", f"residual block: to {alone}")),
        ("‖W‖", "relative to the target"),
        strict=True,
    ):
        values = getattr(plain, measure), getattr(residual, measure)
        with column:
            st.markdown(title)
            chart(
                lines(
                    {label: (range(STEPS + 1), y) for label, y in zip(labels, values, strict=True)},
                    x_title="step",
                    y_title=y_title,
                    percent=measure == "distances",
                    colors=dict(zip(labels, (ORANGE, BLUE), strict=True)),
                    marked=settings.step,
                    height=240,
                ),
                alt=f"{title.split('**')[1]} after {STEPS} steps: plain block "
                f"{values[0][-1]:.2g}, residual block {values[1][-1]:.2g}",
                key=f"residual_{measure}",
            )
    st.caption(
        f"Two blocks of two 3×3 convolutions are trained on {IMAGES} digits by {STEPS} steps of "
        "gradient descent, in NumPy, from the same initial weights. They have no biases, as in "
        "ResNets. Raise λ: the plain block needs its weights for any output, the residual block "
        "does not; at the largest λ all weights of both decay to zero."
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _trained(task: str, outputs: int, shortcut: str, decay: float, both: bool) -> BlockTraining:
    images, _ = cache.dataset("digits").part("train")
    stack = feature_maps(images[:IMAGES])
    with one_thread():
        return train_block(
            ResidualBlock.initialize(shortcut, maps=MAPS, outputs=outputs, seed=SEED),
            stack,
            target_maps(stack, task, outputs),
            decay=decay,
            steps=STEPS,
            learning_rate=RATE,
            decay_shortcut=both,
        )


@st.cache_data(max_entries=16, show_spinner=False)
def _digit(number: int) -> np.ndarray:
    images, _ = cache.dataset("digits").part("test")
    return feature_maps(images[number : number + 1])
