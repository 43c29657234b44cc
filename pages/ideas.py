"""Small live experiments that answer what learners asked."""

import streamlit as st

from cnnkit.ui.concepts import IDEAS
from cnnkit.ui.inputs import choice
from cnnkit.ui.messages import shown_errors
from cnnkit.ui.page import open_page

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
