"""Visualize: what does a class or a filter want to see? Steered while it is being made."""

import random

import streamlit as st

from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.visualize import export, form, gallery, recheck, session, session_view, targets
from cnnkit.visualize.fooling import as_shown

open_page("Visualize", "What does a class, or a filter, want to see?")

cache.studio().wake()
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
        running = session.current()
        pressed = session_view.controls(running, "Start" if running is None else "Start anew")
        if pressed == "noise" and running:
            cache.studio().restart(running.session, random.randrange(10**6))
        elif pressed == "start":
            running = session.start(target, plan, turned)
        if pressed:
            st.rerun()
        found = None if running else session.earlier(target, plan, turned)
        if running:
            if not session.steer(running, target, plan, turned):
                st.info("These settings need a new start; below is what the old ones gave.")
            session_view.follow(running)
            frame = session.images(running)
            export.film_strip(running)
            if frame is not None:
                recheck.check(running.target, networks, running.session)
                export.downloads(running.target, running.plan_now, frame, running)
        elif found:
            st.caption("Made before with exactly these settings; nothing had to be computed.")
            images = as_shown(found.images, found.plan)
            session_view.finished(images, target, found.card["curves"], found.plan)
            recheck.check(target, networks, "result", images=found.images)
            export.downloads(target, found.plan, images)
        else:
            st.info(
                f"Press **Start**: from noise, an image grows that excites “{target.names[0]}”. "
                "Then move the sliders: they steer it while it runs.",
                icon=":material/play_arrow:",
            )
            gallery.show()
source("Activation maximisation, after aidiary 2017, Visualising convolutional neural networks.")
