"""Fine-tune: teach a network that has seen a million photos to tell your own apart."""

import streamlit as st

from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors, source
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.common.run_monitor import waiting_runs, watch
from cnnkit.ui.fine_tune import contact_sheet, data, experiment, forecast, importing, network
from cnnkit.ui.fine_tune.result import show_result
from cnnkit.ui.train.forecast import augmentation_preview
from cnnkit.ui.train.training import leave_run

open_page("Fine-tune", "Adapt a pretrained network to your own classes.")

watched = st.query_params.get("run")
if watched:
    leave_run()
    with shown_errors():
        watch(watched)
        show_result(watched)
        waiting_runs(but=watched)
    end_page()

importing_place = importing.news()
with shown_errors():
    chosen = data.choose_data()
    if chosen is None:
        importing.follow(importing_place)
        end_page()
    dataset, split_seed = chosen
    split_place = contact_sheet.show_data(dataset)
    st.header("Network and settings", anchor="network")
    recipe, depths = network.choose_recipe(dataset, split_seed)
    forecast.costs(recipe, depths, dataset)
    time_place = st.container()
    network.fine_tune_button(recipe, dataset.title)
    waiting_runs()
    preview_place = st.container()
    experiment.show_experiment(recipe, depths, dataset)
    source("17 flowers with VGG16, after aidiary 2017: fine-tuning VGG16.")
    # What takes seconds comes last: the script waits, and all else is there meanwhile.
    with time_place:
        forecast.time_needed(recipe, depths, dataset)
    cache.jobs()  # a worker warms up while one still chooses, and after the speed was measured
    with preview_place:
        augmentation_preview(recipe, dataset, images=6, augmented=True)
    with split_place:
        contact_sheet.show_near_duplicates(dataset)
    importing.follow(importing_place)
