"""What a fine-tuned network came to: figures, mistakes, the network before, other names."""

from __future__ import annotations

import streamlit as st

from cnnkit.runs import Run, Status
from cnnkit.ui.common import cache, page
from cnnkit.ui.common.mistakes import class_scores, mistakes
from cnnkit.ui.common.polling import duration
from cnnkit.ui.fine_tune import baseline_predictions, class_names, comparison
from cnnkit.ui.fine_tune.files import files


def show(run_id: str) -> None:
    """All of it; nothing while the run is not finished.

    Raises:
        RunNotFoundError, CorruptRunError, AssetUnavailableError
    """
    run = cache.store().get(run_id)
    if run.status is not Status.FINISHED:
        return
    _figures(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        page.link("pages/predict.py", "Show it your images", networks=f"run.{run.id}")
        page.link("pages/visualize.py", "What does it want to see?", network=f"run.{run.id}")
        page.link("pages/runs.py", "Compare", run=run.id)
        files(run)
        class_names.button(run)
    wrong, classes, untaught, others = st.tabs(
        ["Mistakes", "Classes", "Before and after", "Beside others"]
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
            "Right on the test",
            f"{1 - answers.error:.1%}",
            help=f"Of {len(answers.labels)} images that nothing was chosen by.",
        )
        st.metric(
            "So of new images",
            f"{low:.0%} to {high:.0%}",
            help="95 % interval of Wilson: with so few test images the figure is not sharper.",
        )
        if "best_epoch" in run.metrics:
            st.metric("Weights of epoch", f"{run.metrics['best_epoch']:.0f}")
        st.metric("Time", duration(run.metrics.get("seconds")))
