"""Inside: what a trained network makes of one digit, layer by layer, as in the Theano post."""

import streamlit as st

from cnnkit.predict import softmax
from cnnkit.ui.common import cache, charts, inputs
from cnnkit.ui.common.messages import empty_state, shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.inside import inside

open_page("Inside", "What does a trained network make of a digit, layer by layer?")

with shown_errors():
    runs = sorted(cache.finished_runs(), key=lambda run: not run.starter)
if not runs:
    empty_state(
        "No trained network yet",
        "Here you will see its filters and what every layer answers. Train one first.",
        "pages/train.py",
    )
    end_page()

left, right = st.columns([3, 1], vertical_alignment="center")
with left, shown_errors():
    run = inputs.run_picker(runs, label="Network")
    model, card = cache.model(run.id).model, cache.model(run.id).card
    inside.forget_layers_of_another_network(run.id)
    digit = inside.digit_picker(run, card)
if digit is None:
    st.info("Everything below appears as soon as there is a digit.", icon=":material/arrow_upward:")
    end_page()
with right:
    charts.image(digit.image, alt=digit.words, caption=digit.words)

found = inside.answers(run.id, digit.image)
names = card.class_names
inside.say_decision(digit, softmax(found["logits"]), names)

st.header("The way through the network", anchor="pipeline")
inside.show_network(model, found, names)
st.header("Filters, before and after training", anchor="filters")
inside.show_filters(run.id, model)
if inside.has_convolutions(model):
    st.header("What the convolutions answer", anchor="convolutions")
    inside.show_convolutions(model, found)
    st.header("Any layer, closely", anchor="layer")
    inside.show_layer(model, found)
st.header("The dense layers", anchor="dense")
inside.show_units(model, found)
st.header("The decision", anchor="decision")
inside.show_decision(found["logits"], names, digit.label)
source(
    "After aidiary: Implementing a convolutional neural network with Theano (1), 2015, and "
    "LISA lab: Deep Learning Tutorials."
)
