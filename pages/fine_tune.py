"""Fine-tune: teach a network that has seen a million photos to tell your own apart."""

import streamlit as st

from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.common.run_monitor import waiting_runs, watch
from cnnkit.ui.fine_tune import (
    contact_sheet,
    data,
    experiment,
    forecast,
    importing,
    recipe,
    result,
    start,
)
from cnnkit.ui.train.training import leave_run

open_page("Fine-tune", "Adapt a pretrained network to your own classes.")

watched = st.query_params.get("run")
if watched:
    leave_run()
    with shown_errors():
        watch(watched)
        result.show_result(watched)
        waiting_runs(but=watched)
    end_page()

importing_place = importing.news()
with shown_errors():
    dataset = data.choose_data()
    if dataset is None:
        importing.follow(importing_place, data.PARAMETER)
        end_page()
    contact_sheet.show_data(dataset)
    st.header("Network and settings", anchor="network")
    base = recipe.network_picker()
    found = forecast.found_depths(base, len(dataset.class_names))
    depth = recipe.depth_slider(found, base)
    chosen = recipe.settings(base, depth, dataset)
    forecast.costs(chosen, found, dataset)
    time_place = st.container()
    start.button(chosen, dataset.title)
    waiting_runs()
    preview_place = st.container()
    experiment.show_experiment(chosen, found, dataset)
    cache.jobs()  # a worker warms up while one still chooses
    source("17 flowers with VGG16, after aidiary 2017: fine-tuning VGG16.")
    # What takes seconds comes last: the script waits, and all else is there meanwhile.
    with time_place:
        forecast.time_needed(chosen, found, dataset)
    with preview_place:
        forecast.preview(chosen, dataset)
    importing.follow(importing_place, data.PARAMETER)
