"""Inside: filters and layer activations of a trained network, as in the Theano post."""

import streamlit as st

from cnnkit.predict import softmax
from cnnkit.ui.common import cache, charts, inputs
from cnnkit.ui.common.messages import empty_state, shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.inside import image_choice, layer_views

open_page("Inside", "What does each layer of a trained network compute for one image?")

with shown_errors():
    runs = sorted(cache.finished_runs(), key=lambda run: not run.starter)
if not runs:
    empty_state(
        "No trained network yet",
        "This page shows the filters and activations of a network. Train one first.",
        "pages/train.py",
    )
    end_page()

left, right = st.columns([3, 1], vertical_alignment="center")
with left, shown_errors():
    run = inputs.run_picker(runs, label="Network")
    model, card = cache.model(run.id).model, cache.model(run.id).card
    image_choice.forget_other_network(run.id)
    image = image_choice.digit_picker(run, card)
if image is None:
    st.info("Draw or upload a digit to see the layers.", icon=":material/arrow_upward:")
    end_page()
with right:
    charts.image(image.image, alt=image.words, caption=image.words)

activations = layer_views.layer_activations(run.id, image.image)
names = card.class_names
layer_views.show_prediction(image, softmax(activations["logits"]), names)

st.header("Layer activations", anchor="pipeline")
layer_views.show_network(model, activations, names)
st.header("Filters before and after training", anchor="filters")
layer_views.show_filters(run.id, model)
if layer_views.has_convolutions(model):
    st.header("Feature maps of the convolutions", anchor="convolutions")
    layer_views.show_convolutions(model, activations)
    st.header("Feature maps of one layer", anchor="layer")
    layer_views.show_layer(model, activations)
st.header("Dense layers", anchor="dense")
layer_views.show_units(model, activations)
st.header("Logits and probabilities", anchor="decision")
layer_views.show_logits(activations["logits"], names, image.label)
source(
    "After aidiary: Implementing a convolutional neural network with Theano (1), 2015, and "
    "LISA lab: Deep Learning Tutorials."
)
