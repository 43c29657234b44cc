"""Train a network, and watch it learn."""

import streamlit as st

from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.page import end_page, open_page
from cnnkit.ui.common.recipe_form import recipe_form
from cnnkit.ui.common.run_monitor import waiting_runs, watch
from cnnkit.ui.train import training
from cnnkit.ui.train.forecast import amount, augmentation_preview, parameters, time_needed

open_page("Train", "Train a network from scratch and follow its curves.")

watched = st.query_params.get("run")
if watched:
    training.leave_run()
    with shown_errors():
        watch(watched)
        training.result(watched)
        waiting_runs(but=watched)
    end_page()

with shown_errors():
    base, scope = training.starting_point()
    training.explain(base)
    training.require_data(base.dataset)
    recipe = recipe_form(base, scope=scope)

    left, middle, right = st.columns(3)
    with left:
        parameters(recipe)
    with right:
        amount(recipe)
    training.begin_button(recipe)
    with middle:  # needs the record of runs, whose first opening takes a moment
        time_needed(recipe)
    waiting_runs()
    augmentation_preview(recipe, cache.dataset(recipe.dataset), images=12, augmented=False)
    cache.jobs()  # a worker warms up while one still chooses
