"""How much data, how deep? Many trainings as jobs, and what they reached in one chart."""

from __future__ import annotations

from collections.abc import Collection
from statistics import mean

import streamlit as st

from cnnkit.datasets import Dataset
from cnnkit.figures.seed_spread import data_and_depth
from cnnkit.runs import Status
from cnnkit.training import Recipe
from cnnkit.training.data_and_depth import COUNTS, METHODS, MeasuredTraining, collect, missing, plan
from cnnkit.ui.common import cache, charts, inputs

FEWEST = 5  # images of each class to learn from
GOING_ON = (Status.QUEUED, Status.RUNNING, Status.PAUSED, Status.FINISHED)
LOOKED_AT = 1000  # runs


def show_experiment(recipe: Recipe, depths: Collection[str], dataset: Dataset) -> None:
    """What was reached so far, and a button for what lacks.

    Args:
        recipe: as it is chosen on the page.
        depths: of its network, from the head downwards.
        dataset: that the images are from.
    """
    with st.expander("How much data, how deep?", icon=":material/science:"):
        st.markdown(
            "With few images it is best to train only the head; with more, deeper layers too. "
            "Every line is another depth."
        )
        counts = _counts(dataset)
        if not counts or len(depths) < 3:
            st.caption(f"It takes at least {FEWEST} images of each class, and a deep network.")
            return
        divisions = inputs.number("Splits", 1, 5, parameter="divisions", default=1)
        planned = plan(recipe, list(depths)[1], counts=counts, seeds=range(int(divisions)))
        runs = cache.learning_runs(statuses=GOING_ON, limit=LOOKED_AT)
        _chart(collect(planned, [run for run in runs if run.status is Status.FINISHED]))
        left = missing(planned, runs)
        if not left:
            st.caption(f"All {len(planned)} trainings are done or on their way; see Runs.")
        elif st.button(f"Run {len(left)} trainings, one after the other", key="experiment"):
            for one in left:
                cache.jobs().submit(kind="train", spec=one.recipe.to_dict(), name=one.name)
            st.rerun()


def _counts(dataset: Dataset) -> tuple[int, ...]:
    most = len(dataset.indices("train")) // len(dataset.class_names)
    return tuple(count for count in COUNTS if count <= most) if most >= FEWEST else ()


def _chart(reached: list[MeasuredTraining]) -> None:
    if not reached:
        return
    best = max(reached, key=lambda one: one.accuracy)
    charts.chart(
        data_and_depth(reached, METHODS),
        alt=f"{len(reached)} trainings, on average {mean(o.accuracy for o in reached):.1%} right; "
        f"best: {best.method} with {best.per_class} of each class, {best.accuracy:.1%}",
        key="data_and_depth",
    )
