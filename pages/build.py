"""Put a network together, layer by layer, and see what each change does."""

import streamlit as st

from cnnkit.models.builder import check_definition
from cnnkit.ui.builder.costs import show_costs_or_problem, show_figure, show_training
from cnnkit.ui.builder.layer_list import show_layers
from cnnkit.ui.builder.network_menu import choose_images, show_export, show_menu
from cnnkit.ui.builder.state import edited_network, show_message
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.page import open_page

open_page("Build", "Put a network together layer by layer, and see what each change does.")

with shown_errors():
    data = choose_images()
    definition = edited_network(data)
    show_menu(definition, data)
    show_message()
    checked = check_definition(definition)

    left, right = st.columns([5, 7], gap="large")
    with left:
        st.subheader("Layers", anchor=False)
        show_layers(checked)
    with right:
        st.subheader("Network", anchor=False)
        show_costs_or_problem(checked)
        show_training(checked, data)
        show_figure(checked)
        show_export(definition, possible=checked.table is not None)
