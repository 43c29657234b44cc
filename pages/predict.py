"""Predict: the top-k predictions of pretrained, trained and uploaded networks for any image."""

import streamlit as st

from cnnkit.ui.common import cache, image_choice, network_list, uploads
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.predict import predicting

open_page("Predict", "Classify an image with pretrained networks and your own.")

with shown_errors():
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = network_list.picker(cache.finished_runs(), label="Networks to compare")
        uploads.offer(network_list.PARAMETER)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        fit = image_choice.fit_picker()
        count = st.slider("Top-k predictions", 1, 10, 5, key="top", bind="query-params", width=200)
    files = predicting.files()

if not chosen:
    st.info("Choose at least one network above.", icon=":material/arrow_upward:")
    end_page()
networks = network_list.offer_missing(chosen)
if not files:
    st.info(
        "Upload an image, or choose **Example**: it is classified at once.",
        icon=":material/arrow_upward:",
    )
elif networks and len(files) == 1:
    predicting.show_one(files[0], networks, fit, count)
elif networks:
    predicting.show_many(files, networks, fit, count)
source("Top-5 predictions, after aidiary: keras-examples (VGG16, top-5 prediction).")
