"""What a fine-tuned network came to: figures, mistakes, the network before, other names."""

from __future__ import annotations

import streamlit as st

from cnnkit.runs import Status
from cnnkit.ui.common import cache, page
from cnnkit.ui.common.mistakes import show_class_scores, show_mistakes, show_test_metrics
from cnnkit.ui.fine_tune import baseline_predictions, class_names, comparison
from cnnkit.ui.fine_tune.files import files
from cnnkit.ui.train.training import suggest_more_epochs


def show_result(run_id: str) -> None:
    """All of it; nothing while the run is not finished.

    Raises:
        RunNotFoundError, CorruptRunError, AssetUnavailableError
    """
    run = cache.store().get(run_id)
    if run.status is not Status.FINISHED:
        return
    show_test_metrics(run)
    suggest_more_epochs(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        page.link("pages/predict.py", "Predict your images", networks=f"run.{run.id}")
        page.link("pages/visualize.py", "Visualize it", network=f"run.{run.id}")
        page.link("pages/runs.py", "Compare", run=run.id)
        files(run)
        class_names.button(run)
    wrong, classes, untaught, others = st.tabs(
        ["Confusion matrix", "Classes", "Before and after", "Comparison"]
    )
    with wrong:
        show_mistakes(run, key="result")
    with classes:
        show_class_scores(run)
    with untaught:
        baseline_predictions.show_baseline_predictions(run)
    with others:
        comparison.show_comparison(run)
