"""Inside: what each layer of a network computes for one image."""

import streamlit as st

from cnnkit.networks import RUN, NetworkRef
from cnnkit.ui.common import cache, charts, epochs, image_choice, inputs, network_list, uploads
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.inside import activations, layer_views, sections

PHOTO = 200  # pixels
open_page("Inside", "What does each layer of a network compute for one image?")
inputs.follow_old_address({}, renamed={"run": "network"})

with shown_errors():
    runs = sorted(cache.finished_runs(), key=lambda run: not run.starter)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = NetworkRef(RUN, runs[0].id) if runs else None
        ref, title = network_list.single_picker(runs, default=first)
        uploads.offer("network", several=False)
    if not network_list.offer_missing({ref: title}):
        end_page()
    card = network_list.card(ref)
    layer_views.forget_other_network(ref)
    row = st.container(horizontal=True, vertical_alignment="center", gap="large")
    with row.container():
        chosen = image_choice.picker({ref: card})
    if chosen is None:
        st.info("Choose an image above to see the layers.", icon=":material/arrow_upward:")
        end_page()
    with row.container(width=PHOTO):
        image = chosen.input_for(card)
        charts.photo(image, alt=chosen.words, caption=chosen.words, width=PHOTO)
    network = cache.network(epochs.epoch_picker(ref))
    view = sections.View(
        ref=ref,
        network=network,
        reader=activations.reader(network),
        image=image,
        label=chosen.label_for(card),
        activations=activations.layer_activations(network, image, chosen.key),
    )
    sections.show_prediction(view)
    layer = sections.show_layers(view)
    show_data_set = sections.show_one_map(view, layer) if layer else None
    sections.show_weights_and_output(view)
    source(
        "After aidiary: Implementing a convolutional neural network with Theano (1), 2015; LISA "
        "lab: Deep Learning Tutorials; and Zeiler, Fergus 2013, for the top activating patches."
    )
    if show_data_set:
        show_data_set()
