"""What a fine-tuned network came to: figures, mistakes, the network before, other names."""

from __future__ import annotations

import streamlit as st

from cnnkit.runs import Run, Status
from cnnkit.ui.common import cache, page
from cnnkit.ui.common.mistakes import class_scores, mistakes
from cnnkit.ui.common.polling import duration
from cnnkit.ui.fine_tune import baseline_predictions, class_names, comparison
from cnnkit.ui.fine_tune.files import files
from cnnkit.ui.train.training import suggest_more_epochs


def show(run_id: str) -> None:
    """All of it; nothing while the run is not finished.

    Raises:
        RunNotFoundError, CorruptRunError, AssetUnavailableError
    """
    run = cache.store().get(run_id)
    if run.status is not Status.FINISHED:
        return
    _figures(run)
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
        mistakes(run, key="result")
    with classes:
        class_scores(run)
    with untaught:
        baseline_predictions.show(run)
    with others:
        comparison.show(run)


def _figures(run: Run) -> None:
    answers = cache.predictions(run.id)
    low, high = answers.interval
    with st.container(horizontal=True):
        st.metric(
            "Test accuracy",
            f"{1 - answers.error:.1%}",
            help=f"Of {len(answers.labels)} images in the test set, which no choice was made on.",
        )
        st.metric(
            "95 % confidence interval",
            f"{low:.0%} to {high:.0%}",
            help="Wilson interval of the accuracy on new images: more test images would narrow it.",
        )
        if "best_epoch" in run.metrics:
            st.metric("Best epoch", f"{run.metrics['best_epoch']:.0f}")
        st.metric("Time", duration(run.metrics.get("seconds")))
