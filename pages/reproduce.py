"""Reproduce: published results beside ours with the same recipe, and a button to run each."""

import streamlit as st

from cnnkit.datasets import dataset_info
from cnnkit.ui.common import page
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.reproduce import example_answers, reproduce
from cnnkit.ui.reproduce.rows import list_rows

page.open_page("Reproduce", "Compare published results with ours, and run any of them again.")

with shown_errors():
    every_row = list_rows()
    reproduce.show_summary(every_row)
    st.markdown(
        "Each row runs the author's recipe: network, initial weights, optimizer and stopping rule. "
        "An :orange[orange diamond] is the published value, :blue[blue dots] are measurements that "
        "ship with cnnkit, :green[green dots] runs of this machine. The shaded side is as good as "
        "published or better."
    )
    if not dataset_info("mnist").available:
        st.warning("MNIST is not on this machine, so only the toy network can be trained here.")
        page.link("app.py", "Get MNIST on Home")
    rows = reproduce.select_rows(every_row)
    if any(row.published.model == "toy_cnn" for row in rows):
        reproduce.explain_measures()
    for row in rows:
        reproduce.show_row(row)
    if any(row.published.model == "vgg16" for row in rows):
        example_answers.show_example_answers()
    reproduce.show_table(every_row)
