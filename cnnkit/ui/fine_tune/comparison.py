"""Networks trained on the same images, in one chart."""

from __future__ import annotations

import streamlit as st

from cnnkit.figures import curves
from cnnkit.runs import Run, Status
from cnnkit.ui.common import cache, charts, page
from cnnkit.ui.runs.run_list import unique_names

MOST = 6  # curves
MEASURE = "val_accuracy"


def show_comparison(run: Run) -> None:
    """The curve of a finished run and of the newest others on its data set and split."""
    found = cache.learning_runs(statuses=[Status.FINISHED])
    others = [one for one in found if _images(one) == _images(run) and one.id != run.id]
    if not others:
        st.caption(
            "No other network was trained on these images and this split. Switch on **Also train a "
            "small network from scratch** before you press Fine-tune, or choose another network or "
            "depth: their curves are shown here together."
        )
        return
    shown = [run, *others][:MOST]
    histories = {
        name: cache.store().history(one.id)
        for name, one in zip(unique_names(shown), shown, strict=True)
    }
    charts.chart(
        curves.comparison(histories, MEASURE),
        alt=f"Validation accuracy of {', '.join(histories)}, epoch by epoch",
        key="beside",
    )
    page.link("pages/runs.py", "Compare their settings", run=",".join(one.id for one in shown))


def _images(run: Run) -> tuple[object, ...]:
    """What it was trained on: data set and split."""
    return run.spec.get("dataset"), run.spec.get("split_seed", 0)
