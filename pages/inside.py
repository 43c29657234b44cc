"""Inside: filters and layer activations of a trained network, as in the Theano post."""

import streamlit as st

from cnnkit.networks import RUN, NetworkRef
from cnnkit.predict import softmax
from cnnkit.ui.common import cache, charts, image_choice, inputs, network_list, uploads
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.inside import layer_views

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
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        chosen = image_choice.picker({ref: card})
    if chosen is None:
        st.info("Choose an image above to see the layers.", icon=":material/arrow_upward:")
        end_page()
    image, label = chosen.input_for(card), chosen.label_for(card)
    with right:
        charts.image(image, alt=chosen.words, caption=chosen.words)
    model = cache.network(ref).model
    activations = layer_views.layer_activations(ref, image)
if card.class_names:
    logits = cache.network(ref).logits(image[None])[0]
    layer_views.show_prediction(softmax(logits), card.class_names, label)
if layer_views.fits_pipeline(model, card):
    st.header("Layer activations", anchor="pipeline")
    layer_views.show_network(model, activations, card.class_names)
    st.header("Filters before and after training", anchor="filters")
    layer_views.show_filters(ref, model)
if layer_views.has_convolutions(model):
    st.header("Feature maps of the convolutions", anchor="convolutions")
    layer_views.show_convolutions(model, activations)
    st.header("Feature maps of one layer", anchor="layer")
    layer_views.show_layer(model, activations)
if layer_views.fits_pipeline(model, card):
    st.header("Dense layers", anchor="dense")
    layer_views.show_units(model, activations)
    st.header("Logits and probabilities", anchor="decision")
    layer_views.show_logits(logits, card.class_names, label)
source(
    "After aidiary: Implementing a convolutional neural network with Theano (1), 2015, and "
    "LISA lab: Deep Learning Tutorials."
)
