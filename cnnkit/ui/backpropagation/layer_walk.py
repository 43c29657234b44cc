"""Stepping through the network layer by layer, forward and backward."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib import resources

import numpy as np
import streamlit as st

from cnnkit.backprop import BackpropTrace
from cnnkit.figures.network import LayerBox, layer_row
from cnnkit.figures.numbers import number_map
from cnnkit.ui.backpropagation import weights
from cnnkit.ui.backpropagation.cell import show_cell
from cnnkit.ui.backpropagation.example import Example
from cnnkit.ui.common import charts, inputs

FORWARD, BACKWARD = "forward", "backward"
THE_LOSS = "loss"  # follows the last layer
# Kind of layer → its forward and backward pass in a sentence and a formula each.
TEXTS: dict[str, dict[str, str]] = tomllib.loads(
    (resources.files("cnnkit.ui.backpropagation") / "layers.toml").read_text("utf-8")
)


@st.fragment
def show_layer_walk(example: Example, backprop: BackpropTrace) -> None:
    """The row of layers, and the computation of the chosen one.

    Args:
        example: whose classes have names.
        backprop: its trace.
    """
    places = [*(step.name for step in backprop.steps), THE_LOSS]
    direction = _direction()
    place = _place(places)
    backward = direction == BACKWARD
    st.html(layer_row(_boxes(backprop, backward), places.index(place), backward=backward))
    _move(places, place)
    _heading(backprop, place, backward)
    if place == THE_LOSS:
        show_loss(backprop, example.class_names, backward=backward)
        return
    step = backprop[place]
    show_cell(step, backward=backward)
    if backward and step.gradients:
        weights.show_weight_gradient(step)


def _direction() -> str:
    names = {FORWARD: "Forward pass", BACKWARD: "Backward pass"}
    icons = {FORWARD: ":material/arrow_forward:", BACKWARD: ":material/arrow_back:"}
    before = st.session_state.get("walked")
    chosen = inputs.choice(
        "Direction",
        [FORWARD, BACKWARD],
        parameter="way",
        title=lambda direction: f"{icons[direction]} {names[direction]}",
        widget=st.segmented_control,
        label_visibility="collapsed",
    )
    st.session_state["walked"] = chosen
    if before not in (None, chosen):
        st.query_params.pop("at", None)  # an output and an input have different places
    return chosen


def _place(places: list[str]) -> str:
    """Name of the chosen layer, `?layer=`."""
    name = st.query_params.get("layer")
    if name in places:
        return name
    if name is not None:
        st.warning(
            f"The address asks for layer “{name}”, which this network does not have. "
            "Another is shown instead.",
            icon=":material/link_off:",
        )
    convolutions = [name for name in places if "conv" in name]
    return convolutions[0] if convolutions else places[0]


def _move(places: list[str], place: str) -> None:
    """Buttons with the arrow keys, and a slider between them."""
    now = places.index(place)
    st.session_state["layer_slider"] = place
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for label, key, step in (("Previous", "Left", -1), ("Next", "Right", 1)):
            st.button(
                label,
                key=f"layer_{key.lower()}",
                shortcut=key,
                disabled=not 0 <= now + step < len(places),
                on_click=_go,
                args=(places[min(max(now + step, 0), len(places) - 1)],),
            )
        st.select_slider(
            "Layer",
            places,
            key="layer_slider",
            on_change=_go_to_slider,
            label_visibility="collapsed",
        )


def _go_to_slider() -> None:
    _go(st.session_state["layer_slider"])


def _go(place: str) -> None:
    st.query_params["layer"] = place
    for parameter in ("at", weights.PARAMETER):
        st.query_params.pop(parameter, None)


def _heading(backprop: BackpropTrace, place: str, backward: bool) -> None:
    kind = "softmax and cross-entropy" if place == THE_LOSS else backprop[place].kind
    direction = BACKWARD if backward else FORWARD
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(f"{kind[0].upper()}{kind[1:]}, {direction}", anchor=False, width="content")
        if place != THE_LOSS:
            st.markdown(f":gray[`{place}`]", width="content")
    left, right = st.columns([3, 2], vertical_alignment="center", gap="large")
    left.markdown(TEXTS[kind][direction])
    right.latex(TEXTS[kind][f"{direction}_formula"])


def _boxes(backprop: BackpropTrace, backward: bool) -> list[LayerBox]:
    boxes = [
        LayerBox(
            title=_SHORT.get(step.kind, step.kind),
            name=step.name,
            values=step.input_delta if backward else step.output,
        )
        for step in backprop.steps
    ]
    last = backprop.delta if backward else backprop.probabilities
    return [*boxes, LayerBox(title="loss", name="softmax", values=last)]


_SHORT = {"convolution": "conv", "max pooling": "max pool", "average pooling": "avg pool"}


def show_loss(backprop: BackpropTrace, class_names: Sequence[str], *, backward: bool) -> None:
    """Logits, probabilities, true class and, backward, the deltas, class by class."""
    truth = np.eye(len(class_names))[backprop.label]
    rows = {"logit z": backprop.logits, "probability p": backprop.probabilities, "true": truth}
    if backward:
        rows["δ = p − true"] = backprop.delta
    table = np.stack(list(rows.values())).astype(float)
    # Each row has its own color scale: logits are larger than probabilities.
    colors = table / np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12)
    charts.chart(
        number_map(
            table,
            colors=colors,
            texts=np.array([[f"{value:.3g}" for value in line] for line in table]),
            places=[f"{name} of {kind}" for name in rows for kind in class_names],
            dark=charts.dark(),
            rows=list(rows),
            columns=list(class_names),
            height=60 + 52 * len(rows),
        ),
        alt="; ".join(
            f"{name}: {', '.join(f'{value:.3g}' for value in line)}" for name, line in rows.items()
        ),
        key="loss_map",
    )
    true = class_names[backprop.label]
    p = backprop.probabilities[backprop.label]
    st.markdown(f"The true class is **{true}**: loss = −ln {p:.4g} = **{backprop.loss:.4f}** nats.")
    if backward:
        st.markdown(
            f"The delta of **{true}** is {p:.3g} − 1 = **{p - 1:.3g}**, that of every other class "
            "its probability. The deltas sum to zero."
        )
