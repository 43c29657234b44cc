"""The server of the app: `streamlit run app.py` serves `home.py`, `pages/` and `/health`."""

import streamlit as st

from cnnkit.ui.server import Server

server = Server()
app = st.App(
    "home.py",
    lifespan=server.lifespan,
    routes=server.routes,
    on_script_error=server.log_script_error,
)
