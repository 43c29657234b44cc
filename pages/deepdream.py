"""DeepDream: gradient ascent on an image, toward what a network already detects in it."""

import streamlit as st

from cnnkit.ui import deepdream
from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.visualize import targets

open_page("DeepDream", "Gradient ascent on an image amplifies what a network detects in it.")

cache.visualization_worker().wake()
with shown_errors():
    controls, stage = st.columns([4, 7], gap="large")
    with controls:
        network = targets.network_picker(targets.networks(cache.finished_runs()))
        if network.note:
            st.warning(network.note, icon=":material/science:")
        recipe = deepdream.recipe(network)
        if recipe is None:
            end_page()
        plan, side = recipe
        channels = network.input_shape[2]
        image = deepdream.image(side, channels)
        guide = deepdream.guide_image(channels)
    with stage:
        if image is None:
            st.info("Upload an image, or choose an example.", icon=":material/arrow_back:")
        else:
            deepdream.show_dream(network, image, plan, guide)
source(
    "Mordvintsev, Olah, Tyka 2015, Inceptionism; aidiary 2017, keras-examples (dreamy, bad trip); "
    "Chollet, Deep Dream."
)
