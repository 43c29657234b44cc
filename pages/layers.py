"""Layers: what the filters of a network respond to, from the first layer to the last."""

import streamlit as st

from cnnkit.ui import layers
from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import open_page
from cnnkit.ui.visualize import targets

open_page("Layers", "What do the filters respond to, from the first layer to the last?")

cache.visualization_worker().wake()
with shown_errors():
    networks = targets.networks(cache.finished_runs())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = targets.network_picker(networks)
        settings = layers.settings_form(network)
    if network.note:
        st.warning(network.note, icon=":material/science:")
    selection = layers.select_layers(network, settings)
    finished = layers.read_mosaics(selection)
    layers.offer_job(selection, finished)
    layers.show_mosaics(selection, finished)
source(
    "Mosaics of filters: aidiary 2017, Visualizing convolutional neural networks. Top activating "
    "images: Zeiler, Fergus 2013, Visualizing and Understanding Convolutional Networks."
)
