"""Visualize: activation maximization of a class or a filter, steered while it runs."""

import streamlit as st

from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.visualize import export, form, session, session_view, targets
from cnnkit.ui.visualize.recheck import recheck
from cnnkit.visualize.fooling import as_shown

open_page("Visualize", "Which image activates a class or a filter most?")

cache.visualization_worker().wake()
with shown_errors():
    networks = targets.networks(cache.finished_runs())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = targets.network_picker(networks)
        preset = form.recipe_picker()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = targets.target_picker(network)
    if network.note:
        st.warning(network.note, icon=":material/science:")
    if target is None:
        end_page()
    # On a narrow screen the sliders come below the image that they steer.
    stage, sliders = st.columns([7, 4], gap="large")
    with sliders:
        plan, turned = form.plan_form(target, preset)
    with stage:
        own = session.current(networks)
        if session_view.controls(own):
            session.start(own, target, plan, turned)
            st.rerun()
        earlier = None if own else session.earlier_result(target, plan, turned)
        if own:
            shown = session.follow_form(own, target, plan, turned)
            session_view.follow(own.id, shown)
            frame = cache.visualization_worker().frame(own.id)
            if frame is not None:
                recheck(shown, networks, own.id)
            export.film_strip(own)
            if frame is not None:
                export.downloads(shown, own.plan, frame, own)
        elif earlier:
            st.caption(
                "From the cache: this image was computed before with exactly these settings."
            )
            images = as_shown(earlier.images, earlier.plan)
            session_view.draw_result(images, target, earlier.card["curves"], earlier.plan)
            recheck(target, networks, "result", images=earlier.images)
            export.downloads(target, earlier.plan, images)
        else:
            st.info(
                f"Press **Start**: gradient ascent turns noise into an image that maximizes "
                f"“{target.names[0]}”. Move the sliders to steer it while it runs.",
                icon=":material/play_arrow:",
            )
            export.recent_images()
source("Activation maximization, after aidiary 2017, Visualizing convolutional neural networks.")
