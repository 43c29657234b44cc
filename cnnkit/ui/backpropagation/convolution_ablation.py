"""What do the convolutions add? The experiment of the post, ours beside its author's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnnkit.backprop import ALL
from cnnkit.backprop.experiment import (
    PUBLISHED,
    PUBLISHED_PACE,
    WAYS,
    Curve,
    Plan,
    luck,
    mean_at,
    measured,
    of_way,
)
from cnnkit.backprop.toy import RECIPES
from cnnkit.figures._style import BLUE, ORANGE
from cnnkit.figures.seed_curves import Bundle, take_off
from cnnkit.jobs.kinds.experiment import kept_curves
from cnnkit.runs import Progress, Run, Status
from cnnkit.ui.common import cache, charts, inputs, messages, page, polling, run_monitor

KIND = "experiment"
COLOURS: dict[str, str] = dict(zip(WAYS, (BLUE, ORANGE), strict=True))
TITLES: dict[str, str] = dict(
    zip(WAYS, ("All layers learn", "Only dense layers learn"), strict=True)
)
MEASURES = {
    "probability": "mean probability of the true class",
    "accuracy": "share of right answers",
}
EPOCHS = (200, 500)


def show() -> None:
    """Settings, chart, table, and the job.

    Raises:
        StorageError, CorruptAssetError
    """
    st.markdown(
        "The post trained ten networks twice: once **all layers** learnt, once only the **dense "
        "layers**, behind convolutions that stayed as they were drawn by lot. Every thin line is "
        "one network: each **takes off** at an epoch of its own, so the thick mean looks slower "
        "than any of them."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        recipe = inputs.choice(
            "How the networks begin",
            list(RECIPES),
            parameter="recipe",
            title=lambda name: RECIPES[name].title,
            widget=st.segmented_control,
        )
        measure = inputs.choice(
            "Measure",
            list(MEASURES),
            parameter="measure",
            title={"probability": "Mean probability", "accuracy": "Right answers"}.__getitem__,
            widget=st.segmented_control,
        )
        axis = inputs.choice(
            "Over", ("epochs", "seconds"), parameter="over", widget=st.segmented_control
        )
    plan = Plan(recipe=recipe)
    run = _newest(plan)
    here = list(kept_curves(cache.store(), run.id, plan).values()) if run else []
    curves = here or measured(recipe)
    _chart(curves, measure, axis, published=recipe == "post")
    st.caption(_whose(here, plan))
    _job(plan, run)
    _table(curves, published=recipe == "post")
    _what_it_says(recipe)
    page.link("pages/reproduce.py", "The same network, trained with Keras", row="toy_all")


def _chart(curves: Sequence[Curve], measure: str, axis: str, *, published: bool) -> None:
    bundles = [
        Bundle(
            title=TITLES[way],
            colour=COLOURS[way],
            runs=[(getattr(one, axis), getattr(one, measure)) for one in of_way(curves, way)],
            names=[f"seed {one.seed}" for one in of_way(curves, way)],
            published=_published(way, axis) if published and measure == "probability" else (),
        )
        for way in WAYS
    ]
    charts.chart(
        take_off(
            bundles,
            x_title="epochs" if axis == "epochs" else "seconds of learning",
            y_title=MEASURES[measure],
            log=axis == "seconds",
        ),
        alt="; ".join(
            f"{TITLES[way]}: {100 * value:.1f} % after {epoch} epochs"
            for way in WAYS
            for epoch in EPOCHS
            if (value := mean_at(of_way(curves, way), epoch, measure)) is not None
        ),
        key="take_off",
    )


def _published(way: str, axis: str) -> list[tuple[float, float, str]]:
    """The author's points; his seconds at 500 epochs follow from his pace."""
    return [
        (
            one.epoch if axis == "epochs" else one.seconds or one.epoch / PUBLISHED_PACE[way],
            one.probability,
            f"the author, {one.epoch} epochs",
        )
        for one in PUBLISHED
        if one.way == way
    ]


def _whose(here: Sequence[Curve], plan: Plan) -> str:
    if not here:
        return "Measured by the project; the job below does it on this machine."
    lacking = len(plan.units) - len(here)
    return f"Trained on this machine{f'; {lacking} networks are still to come' * bool(lacking)}."


def _newest(plan: Plan) -> Run | None:
    """The last job of this plan."""
    runs = cache.store().list(kind=KIND, limit=20)
    return next((run for run in runs if Plan.from_dict(run.spec) == plan), None)


def _job(plan: Plan, run: Run | None) -> None:
    if run and run.status is not Status.FINISHED:
        _follow(run, plan)
        return
    if st.button(
        "Run it here" if run is None else "Run it again",
        icon=":material/play_arrow:",
        key="run_experiment",
        help=f"{len(plan.units)} networks, {plan.epochs} epochs each, in the background.",
    ):
        name = f"What do the convolutions add? {RECIPES[plan.recipe].title}"
        cache.jobs().submit(kind=KIND, spec=plan.to_dict(), name=name)
        st.rerun()


def _follow(run: Run, plan: Plan) -> None:
    shown = len(kept_curves(cache.store(), run.id, plan))

    def draw(now: Run) -> None:
        progress = now.progress or Progress()
        with st.container(border=True):
            words = "Waiting for a free place"
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


def _table(curves: Sequence[Curve], *, published: bool) -> None:
    st.dataframe(
        [
            _row(of_way(curves, way), way, epoch, published=published)
            for way in WAYS
            for epoch in EPOCHS
        ],
        hide_index=True,
        alt="Both measures after 200 and 500 epochs, beside the author's",
    )


def _row(curves: Sequence[Curve], way: str, epoch: int, *, published: bool) -> dict[str, object]:
    theirs = [one for one in PUBLISHED if published and (one.way, one.epoch) == (way, epoch)]
    seconds = mean_at(curves, epoch, "seconds")
    return {
        "What learns": TITLES[way],
        "Epochs": epoch,
        "Published": _percent(theirs[0].probability if theirs else None),
        "Mean probability": _percent(mean_at(curves, epoch, "probability")),
        "Right answers": _percent(mean_at(curves, epoch, "accuracy")),
        "Taken off": f"{sum((one.take_off or 10**9) <= epoch for one in curves)} of {len(curves)}",
        "Author's seconds": f"{theirs[0].seconds:g}" if theirs and theirs[0].seconds else "–",
        "Seconds": "–" if seconds is None else f"{seconds:.2f}",
        "Author's epochs a second": f"{PUBLISHED_PACE[way]:g}" if published else "–",
        "Epochs a second": "–" if not seconds else f"{epoch / seconds:.0f}",
    }


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _what_it_says(recipe: str) -> None:
    if recipe == "post":
        found = luck()
        st.info(
            "What the author called *accuracy* is the **mean probability of the true class**. "
            "The last layer begins with zeros, so at first no delta gets through to the layers "
            f"below: networks wait, some for very long. Of {len(found.values)} networks that we "
            f"trained like that, {found.late} had not taken off by epoch {found.epoch}, and the "
            f"median reached {100 * np.median(found.values):.1f} %. In "
            f"{100 * found.lucky:.0f} of 100 draws of ten the mean is as high as the author's. "
            "The author's program also took 5 GB of memory at epoch 180; ours stays flat.",
            icon=":material/casino:",
        )
        return
    st.info(
        "Only the last layer begins otherwise: with small random weights instead of zeros. "
        f"Deltas reach every layer from the first epoch on, and with {ALL} learning every "
        "network takes off early.",
        icon=":material/rocket_launch:",
    )
