"""DeepDream: an image made more of what a network already sees in it."""

import streamlit as st

from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.deepdream import dreamer
from cnnkit.ui.visualize import targets

open_page("DeepDream", "What does a network see in your image, when it may add to it?")

cache.studio().wake()
with shown_errors():
    controls, stage = st.columns([4, 7], gap="large")
    with controls:
        network = targets.network_picker(targets.networks(cache.finished_runs()))
        if network.note:
            st.warning(network.note, icon=":material/science:")
        recipe = dreamer.recipe(network)
        if recipe is None:
            end_page()
        plan, side = recipe
        channels = network.input_shape[2]
        given = dreamer.image(side, channels)
        guide = dreamer.guide_image(channels)
    with stage:
        if given is None:
            st.info("Bring an image, or take an example.", icon=":material/arrow_back:")
        else:
            dreamer.show(network, given, plan, guide)
source(
    "Mordvintsev, Olah, Tyka 2015, Inceptionism; aidiary 2017, keras-examples (dreamy, bad trip); "
    "Chollet, Deep Dream."
)
