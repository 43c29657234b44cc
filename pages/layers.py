"""Layers: what do the filters of a network look for, from the first layer to the last?"""

import streamlit as st

from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import open_page
from cnnkit.ui.layers import filters, mosaics
from cnnkit.ui.visualize import targets

open_page("Layers", "What do the filters look for, from the first layer to the last?")

cache.visualization_worker().wake()
with shown_errors():
    networks = targets.networks(cache.finished_runs())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = targets.network_picker(networks)
        way = mosaics.way_form()
    if network.note:
        st.warning(network.note, icon=":material/science:")
    wanted = mosaics.wanted(network, way)
    made = mosaics.made(wanted)
    mosaics.make(wanted, made)
    filters.show(wanted, made)
source(
    "Mosaics of filters: aidiary 2017, Visualising convolutional neural networks. Images that "
    "excite a filter most: Zeiler, Fergus 2013, Visualizing and Understanding Convolutional "
    "Networks."
)
