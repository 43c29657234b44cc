"""Backpropagation: forward and back through a network, with every number in sight."""

import streamlit as st

from cnnkit.ui.backpropagation import (
    convolution_ablation,
    example,
    gradient_check,
    layer_walk,
    update_step,
)
from cnnkit.ui.common.inputs import choice
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import open_page

open_page("Backpropagation", "How does the error find its way back to every single weight?")

VIEWS = {
    "walk": ":material/footprint: Step through it",
    "step": ":material/trending_down: One step of learning",
    "check": ":material/fact_check: Check it",
    "convolutions": ":material/stacked_line_chart: What do convolutions add?",
}
view = choice(
    "View",
    list(VIEWS),
    parameter="view",
    title=VIEWS.__getitem__,
    widget=st.segmented_control,
    label_visibility="collapsed",
)

with shown_errors():
    if view == "convolutions":
        convolution_ablation.show()
    else:
        followed = example.choose()
        if view == "walk":
            layer_walk.walk(followed, example.followed(followed))
        elif view == "step":
            update_step.show(followed)
        else:
            gradient_check.show(followed)

source(
    "After eijian: DeepLearning(4), is CNN backpropagation complete?, 2017; "
    "Yusuke Sugomori: DeepLearning."
)
