"""Architectures: how the classics and the famous networks are built, and why."""

import streamlit as st

from cnnkit.ui.architectures import accuracy, network_choice, network_view, side_by_side
from cnnkit.ui.architectures.concepts import IDEAS
from cnnkit.ui.common import uploads
from cnnkit.ui.common.inputs import choice
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.page import open_page
from cnnkit.ui.common.tasks import when_ready

VIEWS = {
    "one": "One network",
    "two": "Two side by side",
    "accuracy": "Accuracy and cost",
    "ideas": "Ideas to turn",
}
WAITING = "Taking it apart; the first takes some seconds …"

open_page("Architectures", "How are the classics built, what do they cost, and why?")

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
        network_view.introduce(chosen)
        found = network_choice.drawings(chosen)
        when_ready(found, lambda drawn: network_view.show(chosen, *drawn), waiting=WAITING)
    elif view == "two":
        left, right = st.columns(2)
        with left:
            first = network_choice.picker("left", label="One", default="vgg16")
        with right:
            second = network_choice.picker("right", label="Other", default="googlenet")
        found = network_choice.drawings(first, second)
        when_ready(found, lambda drawn: side_by_side.show((first, second), drawn), waiting=WAITING)
    elif view == "accuracy":
        accuracy.show()
    else:
        idea = choice("Idea", list(IDEAS), parameter="idea", title=lambda name: IDEAS[name][0])
        IDEAS[idea][1]()
