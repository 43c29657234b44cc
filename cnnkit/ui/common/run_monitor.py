"""A run while it is queued or running: progress, controls and curves."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cnnkit.figures import curves
from cnnkit.jobs import resume_in_words
from cnnkit.runs import Progress, Run, Status
from cnnkit.training import ALL
from cnnkit.training.estimates import recipe_of
from cnnkit.ui.common import cache, charts, messages, page, polling
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.person import own_id, person
from cnnkit.ui.common.polling import duration
from cnnkit.ui.runs.run_list import dataset_title, model_title

# Kind of run -> the page that follows it.

# Status -> what a person should know or do now.
_SAID = {
    Status.QUEUED: "It starts as soon as a slot is free. You can close this tab: the address of "
    "this page leads back to the run.",
    Status.RUNNING: "You can close this tab: training continues, and the address of this page "
    "leads back to it.",
    Status.PAUSED: "Resume {resume}.",
    Status.CANCELLED: "Resume {resume}.",
    Status.INTERRUPTED: "Its process ended before it was done. Resume {resume}.",
    Status.FAILED: "Change the settings and start again, or resume once the cause is removed. "
    "Resume {resume}.",
}


def training_page(run: Run) -> str:
    """The page on which a run that trains or fine-tunes a network is shown."""
    fine_tuning = run.kind == "fine_tune" or run.spec.get("head")
    return "pages/fine_tune.py" if fine_tuning else "pages/train.py"


def watch(run_id: str) -> None:
    """One run, followed until it is over.

    Raises:
        RunNotFoundError: there is no such run.
    """
    polling.follow(run_id, _draw)


def waiting_runs(*, but: str | None = None) -> None:
    """A line for each own run that is queued, running or can go on, each with a link.

    Args:
        but: id of a run that is on the page already.
    """
    polling.follow_all(lambda: _unfinished(but), _lines)


def curves_of(run: Run, *, key: str, points: list[dict[str, float]] | None = None) -> None:
    """Loss and accuracy of a run side by side.

    Args:
        run: as it stands now.
        key: of the charts.
        points: live ones, within epochs; drawn thinly behind the curves.
    """
    history = cache.store().history(run.id)
    progress = run.progress or Progress()
    if not history and not points:
        st.caption(_silence(run))
        return
    steps = progress.steps / progress.epochs if progress.epochs else None
    best = run.metrics.get("best_epoch") if run.status is Status.FINISHED else None
    unfrozen = _unfrozen(run, history)
    for place, metric in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with place:
            st.markdown(f"**{metric.capitalize()}**")
            charts.chart(
                curves.training(
                    history,
                    metric,
                    live=points or (),
                    steps_per_epoch=steps,
                    height=280,
                    restored=int(best) if best else None,
                    unfrozen=unfrozen,
                ),
                alt="; ".join(
                    (
                        _curve_in_words(metric, history),
                        *(f"{words} after epoch {epochs}" for epochs, words in unfrozen.items()),
                    )
                ),
                key=f"{key}_{metric}",
            )


def _draw(run: Run) -> None:
    _head(run)
    progress = run.progress or Progress()
    if run.status is not Status.FINISHED:
        st.progress(progress.fraction, progress_in_words(run, progress))
        controls(run)
    points = [] if run.status is Status.FINISHED else cache.store().live(run.id)
    if run.status is not Status.FINISHED:
        _figures(run, progress, points)
    curves_of(run, key="watched", points=points)


def _head(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(run.name, anchor=False, width="content")
        messages.status_chip(run.status, _detail(run))
    st.caption(f"{model_title(run)} · {dataset_title(run)} · {run.spec.get('name', '')}")
    if run.reason and run.status in (Status.FAILED, Status.INTERRUPTED):
        first, _, rest = run.reason.partition("\n")
        st.error(first, icon=":material/error:")
        if rest.strip():
            with st.expander("Output of the training process"):
                st.code(rest.strip(), language=None)
    if run.note:
        st.warning(run.note, icon=":material/warning:")
    if run.split:
        st.caption(run.split)
    if run.status in _SAID:
        st.caption(_SAID[run.status].format(resume=resume_in_words(cache.store().settings, run)))


def _detail(run: Run) -> str:
    if run.wish == "pause":
        return "pausing after this epoch"
    if run.wish == "cancel":
        return "stopping"
    if run.status is Status.QUEUED:
        position = cache.queue_position(run.id)
        return {None: "", 1: "next"}.get(position, f"{(position or 1) - 1} ahead of you")
    return ""


def controls(run: Run) -> None:
    """Buttons that fit how a run stands: pause, cancel, resume; none at runs of others."""
    if not person().may_change(run.owner):
        st.caption(f":material/person: {messages.of_whom(run.owner_name)}")
        return
    with st.container(horizontal=True, gap="small"):
        if run.status is Status.RUNNING:
            _act(run, "Pause", ":material/pause:", cache.jobs().pause, bool(run.wish))
        if not run.status.over:
            _act(run, "Cancel", ":material/stop:", cache.jobs().cancel, run.wish == "cancel")
        if run.status.resumable:
            _act(run, "Resume", ":material/play_arrow:", cache.jobs().resume, False, primary=True)


def _act(
    run: Run, label: str, icon: str, act: Callable[[str], Run], busy: bool, primary: bool = False
) -> None:
    st.button(
        label,
        icon=icon,
        key=f"{label.lower()}_{run.id}",
        disabled=busy,
        type="primary" if primary else "secondary",
        on_click=_do,
        args=(act, run.id),
    )


def _do(act: Callable[[str], Run], run_id: str) -> None:
    # The run may have ended between the drawing of the button and the click on it.
    with shown_errors(stop=False):
        act(run_id)


def _figures(run: Run, progress: Progress, points: list[dict[str, float]]) -> None:
    # No batch is trained during validation; the last speed is still of use.
    last = points[-1].get("images_per_second") if points else None
    speed = progress.images_per_second or last
    rate = progress.learning_rate
    error = run.metrics.get("val_error")
    with st.container(horizontal=True):
        st.metric("Time left", duration(progress.seconds_left) if not run.status.over else "–")
        st.metric("Images per second", f"{speed:,.0f}" if speed else "–")
        st.metric("Learning rate", f"{rate:.3g}" if rate is not None else "–")
        st.metric("Validation error", f"{100 * error:.2f} %" if error is not None else "–")


def progress_in_words(run: Run, progress: Progress) -> str:
    """What a run does now, how far it is, and the time left if that is known."""
    if run.status is Status.QUEUED:
        return "Waiting for a free slot"
    left = ""
    if not run.status.over and progress.seconds_left is not None:
        left = f" · {duration(progress.seconds_left)} left"
    if progress.stage == "features":
        seen = f"{progress.step:,} of {progress.steps:,} images"
        return f"Computing the outputs of the frozen layers: {seen}{left}"
    if not progress.epochs:
        return "Loading the data, building the network" if not run.status.over else "Not started"
    return f"Epoch {progress.epoch:,} of {progress.epochs:,}{left}"


def _silence(run: Run) -> str:
    if run.status.over:
        return "The run ended before its first measurement."
    return "The curves start with the first batches."


def _curve_in_words(metric: str, history: list[dict[str, float]]) -> str:
    # The record may be read between two figures of an epoch that is being written.
    whole = [row for row in history if metric in row and f"val_{metric}" in row]
    if not whole:
        return f"{metric.capitalize()} within the first epoch"
    last = whole[-1]
    return (
        f"{metric.capitalize()} after epoch {last['epoch']:.0f}: {last[metric]:.3g} on training "
        f"images, {last[f'val_{metric}']:.3g} on validation images"
    )


def _unfrozen(run: Run, history: list[dict[str, float]]) -> dict[int, str]:
    """What was unfrozen so far, in words, by the number of epochs that had ended then."""
    recipe = recipe_of(run.spec)
    ended = max((row["epoch"] for row in history), default=0)
    return {
        epochs: "All layers unfrozen" if train_from == ALL else f"Unfrozen from {train_from}"
        for epochs, train_from in (recipe.unfreezing if recipe else {}).items()
        if epochs <= ended
    }


def _unfinished(but: str | None) -> list[Run]:
    statuses = [Status.QUEUED, Status.RUNNING, Status.PAUSED, Status.INTERRUPTED]
    own = own_id()
    runs = cache.unfinished_runs(statuses, owner=own)[:20]
    return [run for run in runs if run.id != but]


def _lines(runs: list[Run]) -> None:
    if not runs:
        return
    with st.container(border=True, gap="xsmall"):
        st.caption("Unfinished runs")
        for run in runs:
            progress = run.progress or Progress()
            done = f" · {progress.fraction:.0%}" if run.status is Status.RUNNING else ""
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                messages.status_chip(run.status, _detail(run))
                page.link(training_page(run), f"{run.name}{done}", run=run.id)
