"""Ladder: an ablation of regularizers, for one unit from one start."""

import streamlit as st

from cnnkit.ui import ladder
from cnnkit.ui.common import cache, inputs
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.visualize import targets

open_page("Ladder", "How does each regularizer change the optimized image of a class?")

cache.visualization_worker().wake()
with shown_errors():
    networks = targets.networks(cache.finished_runs())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = targets.network_picker(networks)
        target = targets.target_picker(network, several=False)
        seed = inputs.number("Random seed", 0, 10**6, parameter="seed", default=0, width=110)
    if network.note:
        st.warning(network.note, icon=":material/science:")
    if target is None:
        end_page()
    ladder.show_ladder(ladder.build_ladder(target, int(seed)), target)
source(
    "The regularizer ladder follows aidiary 2017, Visualizing convolutional neural networks: the "
    "gradient alone, before softmax, with the Lp norm and total variation; then later methods."
)
