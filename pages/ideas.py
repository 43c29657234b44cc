"""Small live experiments that answer what learners asked."""

import streamlit as st

from cnnkit.ui.common.inputs import choice
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.page import open_page
from cnnkit.ui.concepts import IDEAS

open_page("Ideas", "Why do networks work the way they do? Move something and see.")

idea = choice(
    "Idea",
    list(IDEAS),
    parameter="idea",
    title=lambda name: IDEAS[name][0],
    widget=st.segmented_control,
    label_visibility="collapsed",
)

with shown_errors():
    IDEAS[idea][1]()
