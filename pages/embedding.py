"""Embedding: a data set through a layer of a network, as points in a plane."""

import streamlit as st

from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import embedded_notice, shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.embedding import comparison, downloads, job, placing, scatter
from cnnkit.ui.embedding.selection import (
    choose_layer,
    choose_network,
    choose_settings,
    preparation_note,
)

open_page("Embedding", "Which images does a layer of a network find alike?")

cache.visualization_worker().wake()
with shown_errors():
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = choose_network()
        layer = choose_layer(network)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        selection = choose_settings(network, layer)
    embedded_notice(selection.settings.dataset)
    note = preparation_note(selection)
    if note:
        st.caption(f":material/info: {note}")
    embedding = job.ready(selection)
if embedding is None:
    end_page()
with shown_errors():
    placed = placing.choose_and_place(selection, embedding)
    scatter.show_scatter(selection, embedding, placed)
    downloads.offer_files(selection, embedding)
    other = comparison.choose_other(selection, network)
    if other:
        comparison.show_motion((selection, other), embedding)
source(
    "t-SNE: van der Maaten, Hinton 2008, Visualizing data using t-SNE. Features of the last layers "
    "as an embedding: Karpathy 2014, t-SNE visualization of CNN codes."
)
