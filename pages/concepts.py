"""Concepts: small live experiments that answer what learners asked."""

import streamlit as st

from cnnkit.ui.common.inputs import choice
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.page import open_page
from cnnkit.ui.concepts import CONCEPTS

open_page("Concepts", "Why do networks work the way they do? Change something and see.")

concept = choice(
    "Concept",
    list(CONCEPTS),
    parameter="concept",
    title=lambda name: CONCEPTS[name][0],
    widget=st.segmented_control,
    label_visibility="collapsed",
)

with shown_errors():
    CONCEPTS[concept][1]()
