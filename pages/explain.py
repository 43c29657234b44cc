"""Explain: which pixels speak for an answer, by several methods and networks side by side."""

import streamlit as st

from cnnkit.ui.common import cache, image_choice, network_list, uploads
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.explain import explanations, export, grid, honesty, many
from cnnkit.ui.explain.methods import methods_picker, options_form
from cnnkit.ui.explain.networks import ask_networks, cards_of
from cnnkit.ui.explain.targets import target_picker

open_page("Explain", "Which pixels of an image speak for an answer, and which against it?")

cache.visualization_worker().wake()
with shown_errors():
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = network_list.picker(cache.finished_runs(), label="Networks")
        uploads.offer(network_list.PARAMETER)
    if not chosen:
        st.info("Choose at least one network above.", icon=":material/arrow_upward:")
        end_page()
    networks = network_list.offer_missing(chosen)
    cards = cards_of(networks)
    if not cards:
        end_page()
    several = many.mode_picker()
    image = None if several else image_choice.picker(cards)
    asked = many.asked_networks(networks, cards) if several else []
    asked += ask_networks(networks, cards, image) if image else []
    if not asked:
        words = "Upload images above: they are" if several else "Choose an image above: it is"
        st.info(f"{words} explained at once.", icon=":material/arrow_upward:")
        end_page()
    target = target_picker(asked[0], several=several)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        methods = methods_picker()
        strength = grid.strength_slider()
    options = options_form(methods, asked[0], target)
    rows = grid.rows_of(asked, target, methods, options)
    place = st.container()
    checks = honesty.areas_toggle() if several else honesty.checks_picker()
    requests = [request for row in rows for request in row.requests]
    requests += honesty.requests_of(rows, checks)
    with place:
        explanations.ask(requests, grid.images_of(rows))
        explanations.controls(requests)
        (grid.show_contact_sheet if several else grid.show_grid)(rows, strength)
        export.downloads(rows, strength)
    (honesty.show_areas_progress if several else honesty.show_checks)(rows, checks)
source(
    "Methods by their papers, named under “Options of the methods”. Simonyan et al. 2013 to "
    "Jiang et al. 2021."
)
