"""What do the convolutions add? The post's experiment, published and reproduced."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnnkit.backprop import ALL
from cnnkit.backprop.experiment import (
    PUBLISHED,
    PUBLISHED_PACE,
    TRAINED_LAYERS,
    ExperimentPlan,
    TrainingCurve,
    curves_of,
    mean_at,
    measured,
    seed_spread,
)
from cnnkit.backprop.toy import RECIPES
from cnnkit.figures.seed_spread import SeedCurves, curves_by_seed
from cnnkit.figures.style import BLUE, ORANGE
from cnnkit.jobs.kinds.experiment import kept_curves
from cnnkit.runs import Progress, Run, Status
from cnnkit.ui.common import cache, charts, inputs, messages, page, polling, run_monitor

KIND = "experiment"
COLORS: dict[str, str] = dict(zip(TRAINED_LAYERS, (BLUE, ORANGE), strict=True))
TITLES: dict[str, str] = dict(
    zip(TRAINED_LAYERS, ("All layers trained", "Only dense layers trained"), strict=True)
)
MEASURES = {
    "probability": "mean probability of the true class",
    "accuracy": "test accuracy",
}
EPOCHS = (200, 500)


def show_convolution_ablation() -> None:
    """Settings, chart, table, and the job.

    Raises:
        StorageError, CorruptAssetError
    """
    st.markdown(
        "The post trained ten networks twice: once **all layers**, once only the **dense layers**, "
        "behind convolutions that keep their random weights. Every thin line is one network. The "
        "accuracy of each **rises suddenly**, at different epochs, so the thick mean rises more "
        "slowly than any of them."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        recipe = inputs.choice(
            "Initialization",
            list(RECIPES),
            parameter="recipe",
            title=lambda name: RECIPES[name].title,
            widget=st.segmented_control,
        )
        measure = inputs.choice(
            "Metric",
            list(MEASURES),
            parameter="measure",
            title={"probability": "Mean probability", "accuracy": "Test accuracy"}.__getitem__,
            widget=st.segmented_control,
        )
        axis = inputs.choice(
            "Horizontal axis", ("epochs", "seconds"), parameter="over", widget=st.segmented_control
        )
    plan = ExperimentPlan(recipe=recipe)
    run = _newest(plan)
    own = list(kept_curves(cache.store(), run.id, plan).values()) if run else []
    curves = own or measured(recipe)
    _chart(curves, measure, axis, published=recipe == "post")
    st.caption(_whose(own, plan))
    _job(plan, run)
    _table(curves, published=recipe == "post")
    _show_conclusion(recipe)
    page.link("pages/reproduce.py", "Train the same network with Keras", row="toy_all")


def _chart(curves: Sequence[TrainingCurve], measure: str, axis: str, *, published: bool) -> None:
    bundles = [
        SeedCurves(
            title=TITLES[layers],
            color=COLORS[layers],
            runs=[(getattr(one, axis), getattr(one, measure)) for one in curves_of(curves, layers)],
            names=[f"seed {one.seed}" for one in curves_of(curves, layers)],
            published=_published(layers, axis) if published and measure == "probability" else (),
        )
        for layers in TRAINED_LAYERS
    ]
    charts.chart(
        curves_by_seed(
            bundles,
            x_title="epochs" if axis == "epochs" else "seconds of training",
            y_title=MEASURES[measure],
            log=axis == "seconds",
        ),
        alt="; ".join(
            f"{TITLES[layers]}: {100 * value:.1f} % after {epoch} epochs"
            for layers in TRAINED_LAYERS
            for epoch in EPOCHS
            if (value := mean_at(curves_of(curves, layers), epoch, measure)) is not None
        ),
        key="take_off",
    )


def _published(layers: str, axis: str) -> list[tuple[float, float, str]]:
    """The author's points; his seconds at 500 epochs follow from his pace."""
    return [
        (
            one.epoch if axis == "epochs" else one.seconds or one.epoch / PUBLISHED_PACE[layers],
            one.probability,
            f"the author, {one.epoch} epochs",
        )
        for one in PUBLISHED
        if one.layers == layers
    ]


def _whose(own: Sequence[TrainingCurve], plan: ExperimentPlan) -> str:
    if not own:
        return "Measured by the project; the job below repeats it on this machine."
    lacking = len(plan.units) - len(own)
    return f"Trained on this machine{f'; {lacking} networks are missing' * bool(lacking)}."


def _newest(plan: ExperimentPlan) -> Run | None:
    """The last job of this plan."""
    runs = cache.list_runs(kind=KIND, limit=20)
    return next((run for run in runs if ExperimentPlan.from_dict(run.spec) == plan), None)


def _job(plan: ExperimentPlan, run: Run | None) -> None:
    if run and run.status is not Status.FINISHED:
        _follow(run, plan)
        return
    if st.button(
        "Run the experiment" if run is None else "Run the experiment again",
        icon=":material/play_arrow:",
        key="run_experiment",
        help=f"{len(plan.units)} networks, {plan.epochs} epochs each, in the background.",
    ):
        name = f"What do the convolutions add? {RECIPES[plan.recipe].title}"
        cache.jobs().submit(kind=KIND, spec=plan.to_dict(), name=name)
        st.rerun()


def _follow(run: Run, plan: ExperimentPlan) -> None:
    shown = len(kept_curves(cache.store(), run.id, plan))

    def draw(now: Run) -> None:
        progress = now.progress or Progress()
        with st.container(border=True):
            words = "Queued"
            if progress.epochs:
                left = progress.seconds_left
                words = f"Network {progress.epoch} of {progress.epochs}"
                words += f" · {polling.duration(left)} left" if left and not now.status.over else ""
            st.progress(progress.fraction, words)
            if now.reason:
                st.error(now.reason.partition("\n")[0], icon=":material/error:")
            with st.container(horizontal=True, vertical_alignment="center"):
                messages.status_chip(now.status)
                run_monitor.controls(now)
        if len(kept_curves(cache.store(), now.id, plan)) != shown:
            st.rerun()

    polling.follow(run.id, draw)


def _table(curves: Sequence[TrainingCurve], *, published: bool) -> None:
    st.dataframe(
        [
            _row(curves_of(curves, layers), layers, epoch, published=published)
            for layers in TRAINED_LAYERS
            for epoch in EPOCHS
        ],
        hide_index=True,
        alt="Both metrics after 200 and 500 epochs, published and reproduced",
    )


def _row(
    curves: Sequence[TrainingCurve], layers: str, epoch: int, *, published: bool
) -> dict[str, object]:
    theirs = [one for one in PUBLISHED if published and (one.layers, one.epoch) == (layers, epoch)]
    seconds = mean_at(curves, epoch, "seconds")
    above = sum((one.epoch_above_half or 10**9) <= epoch for one in curves)
    return {
        "Trained": TITLES[layers],
        "Epochs": epoch,
        "Published": _percent(theirs[0].probability if theirs else None),
        "Mean probability": _percent(mean_at(curves, epoch, "probability")),
        "Test accuracy": _percent(mean_at(curves, epoch, "accuracy")),
        "Above 50 %": f"{above} of {len(curves)}",
        "Published seconds": f"{theirs[0].seconds:g}" if theirs and theirs[0].seconds else "–",
        "Seconds": "–" if seconds is None else f"{seconds:.2f}",
        "Published epochs / s": f"{PUBLISHED_PACE[layers]:g}" if published else "–",
        "Epochs / s": "–" if not seconds else f"{epoch / seconds:.0f}",
    }


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _show_conclusion(recipe: str) -> None:
    if recipe == "post":
        spread = seed_spread()
        st.info(
            "What the author called *accuracy* is the **mean probability of the true class**. "
            "The last layer is initialized with zeros, so at first the deltas of the layers below "
            f"are zero, and training starts late. Of {len(spread.values)} networks trained like "
            f"this, {spread.late} were still below 50 % at epoch {spread.epoch}; the median is "
            f"{100 * np.median(spread.values):.1f} %. In {100 * spread.share:.0f} % of random "
            "samples of ten networks the mean is as high as published.",
            icon=":material/casino:",
        )
        return
    st.info(
        "Only the last layer is initialized differently: with small random weights instead of "
        f"zeros. Every layer has a gradient from the first epoch on, and with {ALL} trained every "
        "network learns early.",
        icon=":material/rocket_launch:",
    )
