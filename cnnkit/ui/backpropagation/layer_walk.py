"""Going through the network layer by layer, in either direction: buttons, keys, slider."""

from __future__ import annotations

import itertools

import numpy as np
import streamlit as st

from cnnkit.backprop import Trace
from cnnkit.figures.layer_row import Box, layer_row
from cnnkit.ui.backpropagation import cell, loss, weights
from cnnkit.ui.backpropagation.example import Subject
from cnnkit.ui.backpropagation.words import LOSS, WORDS, Words
from cnnkit.ui.common import inputs

FORWARD, BACKWARD = "forward", "backward"
THE_LOSS = "loss"  # the last place of the row, behind all layers


@st.fragment
def walk(subject: Subject, found: Trace) -> None:
    """The row of layers, where one stands in it, and what happens there.

    Args:
        subject: whose classes have names.
        found: its trace.
    """
    places = [*(step.name for step in found.steps), THE_LOSS]
    direction = _direction()
    place = _place(places)
    backward = direction == BACKWARD
    st.html(layer_row(_boxes(found, backward), places.index(place), backward=backward))
    _move(places, place)
    _heading(found, place, backward)
    if place == THE_LOSS:
        loss.show(found, subject.class_names, backward=backward)
        return
    step = found[place]
    cell.show(step, backward=backward)
    if backward and step.gradients:
        weights.show(step)


def _direction() -> str:
    names = {FORWARD: "Forward: numbers", BACKWARD: "Backward: deltas"}
    icons = {FORWARD: ":material/arrow_forward:", BACKWARD: ":material/arrow_back:"}
    before = st.session_state.get("walked")
    chosen = inputs.choice(
        "Direction",
        [FORWARD, BACKWARD],
        parameter="way",
        title=lambda way: f"{icons[way]} {names[way]}",
        widget=st.segmented_control,
        label_visibility="collapsed",
    )
    st.session_state["walked"] = chosen
    if before not in (None, chosen):
        st.query_params.pop("at", None)  # an output and an input have different places
    return chosen


def _place(places: list[str]) -> str:
    """Name of the layer that is looked at, `?layer=`."""
    wanted = st.query_params.get("layer")
    if wanted in places:
        return wanted
    if wanted is not None:
        st.warning(
            f"The address asks for layer “{wanted}”, which this network does not have. "
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
        for label, key, way in (("Previous", "Left", -1), ("Next", "Right", 1)):
            st.button(
                label,
                key=f"layer_{key.lower()}",
                shortcut=key,
                disabled=not 0 <= now + way < len(places),
                on_click=_go,
                args=(places[min(max(now + way, 0), len(places) - 1)],),
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


def _heading(found: Trace, place: str, backward: bool) -> None:
    kind = "softmax and cross-entropy" if place == THE_LOSS else found[place].kind
    words: Words = LOSS if place == THE_LOSS else WORDS[kind]
    way = "backward" if backward else "forward"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(f"{kind[0].upper()}{kind[1:]}, {way}", anchor=False, width="content")
        if place != THE_LOSS:
            st.markdown(f":gray[`{place}`]", width="content")
    left, right = st.columns([3, 2], vertical_alignment="center", gap="large")
    left.markdown(words.backward if backward else words.forward)
    right.latex(words.backward_formula if backward else words.forward_formula)


def _boxes(found: Trace, backward: bool) -> list[Box]:
    titles = [_SHORT.get(step.kind, step.kind) for step in found.steps]
    values = [step.passed if backward else step.output for step in found.steps]
    last = found.delta if backward else found.probabilities
    return [
        Box(title=title, name=name, values=np.asarray(numbers))
        for title, name, numbers in zip(
            itertools.chain(titles, ["loss"]),
            itertools.chain((step.name for step in found.steps), ["softmax"]),
            [*values, last],
            strict=True,
        )
    ]


_SHORT = {"convolution": "conv", "max pooling": "max pool", "average pooling": "mean pool"}
