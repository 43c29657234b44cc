"""Backpropagation: forward and back through a network, with every number in sight."""

import streamlit as st

from cnnkit.ui.backpropagation.convolution_ablation import show_convolution_ablation
from cnnkit.ui.backpropagation.example import choose_example, example_trace
from cnnkit.ui.backpropagation.gradient_check import show_gradient_check
from cnnkit.ui.backpropagation.layer_walk import show_layer_walk
from cnnkit.ui.backpropagation.update_step import show_gradient_step
from cnnkit.ui.common.inputs import choice
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import open_page

open_page("Backpropagation", "How is the gradient of every single weight computed?")

VIEWS = {
    "walk": ":material/footprint: Layer by layer",
    "step": ":material/trending_down: Gradient step",
    "check": ":material/fact_check: Gradient check",
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
        show_convolution_ablation()
    else:
        example = choose_example()
        if view == "walk":
            show_layer_walk(example, example_trace(example))
        elif view == "step":
            show_gradient_step(example)
        else:
            show_gradient_check(example)

source(
    "After eijian: DeepLearning(4), is CNN backpropagation complete?, 2017; "
    "Yusuke Sugomori: DeepLearning."
)
