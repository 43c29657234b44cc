"""Reproduce: what was published, what we get with the same recipe, and a button to run it."""

import streamlit as st

from cnnkit.datasets import dataset_info
from cnnkit.ui.common import page
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.reproduce import example_answers, reproduce

page.open_page("Reproduce", "Do the published figures come out again, with the published recipes?")

with shown_errors():
    found = reproduce.rows()
    reproduce.summary(found)
    st.markdown(
        "Each row runs what its author ran: network, initial weights, optimizer and stopping rule. "
        "A :orange[diamond] is what was published, :blue[blue] dots are the project's own "
        "measurements, :green[green] ones the runs of this machine; the shaded side is as good "
        "or better."
    )
    if not dataset_info("mnist").available:
        st.warning("MNIST is not on this machine, so only the toy network can be run here now.")
        page.link("app.py", "Get MNIST on Home")
    shown = reproduce.chosen(found)
    if any(row.published.model == "toy_cnn" for row in shown):
        reproduce.explain_measures()
    for row in shown:
        reproduce.show_row(row)
    if any(row.published.model == "vgg16" for row in shown):
        example_answers.show()
    reproduce.show_table(found)
