"""Ladder: one unit, one start, and on every rung one regularizer more."""

import streamlit as st

from cnnkit.ui.common import cache, inputs
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.ladder import ablation
from cnnkit.ui.visualize import targets

open_page("Ladder", "What does each regularizer do to the image of the same class?")

cache.studio().wake()
with shown_errors():
    networks = targets.networks(cache.finished_runs())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = targets.network_picker(networks)
        target = targets.target_picker(network, several=False)
        seed = inputs.number("Noise", 0, 10**6, parameter="seed", default=0, width=110)
    if network.note:
        st.warning(network.note, icon=":material/science:")
    if target is None:
        end_page()
    ablation.show(ablation.of(target, int(seed)), target, networks)
source(
    "The ladder tells again what aidiary 2017, Visualising convolutional neural networks, went "
    "through: the naive gradient, before softmax, the Lp norm and total variation; then what came "
    "after it."
)
