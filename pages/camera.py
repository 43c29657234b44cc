"""Camera: take images of your own classes, and watch a network's answers to its frames."""

import streamlit as st

from cnnkit.datasets.folders import list_own
from cnnkit.ui.camera import capture, live
from cnnkit.ui.common import cache, inputs, network_list
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.fine_tune import importing

MODES = {"capture": "Take images", "live": "Live prediction"}

open_page("Camera", "Take images of your own classes, and see live what a network predicts.")

mode = inputs.choice(
    "What to do",
    list(MODES),
    parameter="mode",
    title=MODES.__getitem__,
    widget=st.segmented_control,
    label_visibility="collapsed",
)
if mode == "live":
    with shown_errors():
        ref, title = network_list.single_picker(cache.finished_runs())
        if network_list.offer_missing({ref: title}):
            live.show_live(ref)
    end_page()

news_place = importing.news()
next_place = st.container()  # always, so that the camera below is not drawn anew
with shown_errors(stop=False):
    name = st.query_params.get(importing.PARAMETER, "")
    if name in list_own():
        with next_place:
            capture.show_next_step(name)
    capture.show_capture()
    cache.jobs()  # a worker warms up while one still takes images
importing.follow(news_place)
