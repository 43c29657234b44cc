"""Architectures: how the classics and the famous networks are built, and why."""

import streamlit as st

from cnnkit.ui.architectures import network_choice, network_view
from cnnkit.ui.architectures.concepts import CONCEPTS
from cnnkit.ui.common import uploads
from cnnkit.ui.common.inputs import choice, follow_old_address
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.page import open_page
from cnnkit.ui.common.tasks import when_ready

VIEWS = {
    "one": "One network",
    "two": "Two networks",
    "accuracy": "Accuracy and cost",
    "concepts": "Concepts",
}
WAITING = "Building the layer table; the first takes some seconds …"

open_page("Architectures", "How are the classic networks built, what do they cost, and why?")
follow_old_address({"view": {"ideas": "concepts"}}, renamed={"idea": "concept"})

view = choice(
    "View",
    list(VIEWS),
    parameter="view",
    title=VIEWS.__getitem__,
    widget=st.segmented_control,
    label_visibility="collapsed",
)

with shown_errors():
    if view == "one":
        uploads.offer("network", several=False)
        chosen = network_choice.picker("network", label="Network")
        network_view.show_introduction(chosen)
        analysis = network_choice.architectures(chosen)
        when_ready(analysis, lambda one: network_view.show_network(chosen, *one), waiting=WAITING)
    elif view == "two":
        left, right = st.columns(2)
        with left:
            first = network_choice.picker("left", label="First network", default="vgg16")
        with right:
            second = network_choice.picker("right", label="Second network", default="googlenet")
        analysis = network_choice.architectures(first, second)
        when_ready(
            analysis,
            lambda both: network_view.show_side_by_side((first, second), both),
            waiting=WAITING,
        )
    elif view == "accuracy":
        network_view.show_accuracy_and_cost()
    else:
        concept = choice(
            "Concept", list(CONCEPTS), parameter="concept", title=lambda name: CONCEPTS[name][0]
        )
        CONCEPTS[concept][1]()
