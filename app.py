"""Home: the first steps in order, all pages, and what is on this machine.

`streamlit run app.py` imports this file once, for the server, and then runs it as a script for each
visit of Home.
"""

import streamlit as st

if __name__ != "__main__":
    from cnnkit.ui.server import Server

    server = Server()
    app = st.App(
        __file__,
        lifespan=server.lifespan,
        routes=server.routes,
        middleware=server.middleware,
        on_script_error=server.log_script_error,
    )
else:
    from cnnkit.ui.common.page import open_page

    open_page(
        "See how networks learn to see",
        "Train convolutional networks in the browser, look inside them, and visualize what they "
        "learn.",
        tab="cnnkit",
    )

    # After the heading, which the first visitor then sees while NumPy is still being imported.
    from cnnkit.ui.common.messages import shown_errors
    from cnnkit.ui.home import home

    runs = None
    with shown_errors(stop=False):
        runs = home.runs_after_first_paint()

    home.show_path(runs)
    with st.container(border=True):
        home.show_starter()

    home.recent_runs(runs)
    st.subheader("All other pages", anchor=False)
    home.show_cards()

    with shown_errors(stop=False):
        home.show_usage()

    st.subheader("On this machine", anchor=False)
    st.markdown("##### Data sets")
    home.show_datasets()
    st.markdown("##### Networks to train")
    home.show_networks()

    st.subheader("The same from code", anchor=False)
    home.show_code()
