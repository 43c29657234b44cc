"""Home: what one can do here, what is on this machine, and a first image at once."""

import streamlit as st

from cnnkit.ui.common.page import open_page

open_page(
    "See how networks learn to see",
    "Train convolutional networks in the browser, open them up, and ask them questions.",
    tab="cnnkit",
)

# After the heading, which the first visitor then sees while NumPy is still being imported.
from cnnkit.ui.home import home  # noqa: E402

with st.container(horizontal=True):
    if st.button("Draw a digit", type="primary", icon=":material/draw:"):
        st.switch_page("pages/draw.py")
    if st.button("Train a network", icon=":material/model_training:"):
        st.switch_page("pages/train.py")

with st.container(border=True):
    home.first_image()

home.cards()
home.recent_runs()

st.subheader("On this machine", anchor=False)
st.markdown("##### Data")
home.data_here()
st.markdown("##### Networks to train")
home.networks_here()

st.subheader("The same without a browser", anchor=False)
home.elsewhere()
