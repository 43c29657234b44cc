"""The address of the Concepts page before it was renamed: leads there with its parameters."""

import streamlit as st

parameters = st.query_params.to_dict()
if "idea" in parameters:
    parameters["concept"] = parameters.pop("idea")
st.switch_page("pages/concepts.py", query_params=parameters)
