"""The job that makes an embedding: offered, followed, and its result read."""

from __future__ import annotations

import streamlit as st

from cnnkit.embedding import Embedding, EmbeddingSettings
from cnnkit.embedding.compute import FEATURES, IMAGES
from cnnkit.embedding.projection import check_method
from cnnkit.embedding.settings import METHODS
from cnnkit.networks import NetworkRef
from cnnkit.runs import Progress, Run, Status
from cnnkit.ui.common import cache, messages, polling
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.person import person
from cnnkit.ui.embedding.selection import EmbeddingSelection
from cnnkit.visualize.results import CARD

KIND = "embedding"
LOOKED_AT = 20  # of the last jobs, to find the one that makes this


def ready(selection: EmbeddingSelection, *, key: str = "compute") -> Embedding | None:
    """The embedding, if it is there; else the job that makes it is offered or followed.

    Args:
        selection: what shall be embedded.
        key: of the button.
    """
    check_method(selection.settings.method)
    embedding = read_embedding(selection)
    if embedding:
        return embedding
    run = _unfinished(selection)
    if run:
        _follow(run)
    elif selection.verified:
        _offer(selection, key)
    return None


def read_embedding(selection: EmbeddingSelection) -> Embedding | None:
    """The embedding that was kept; one object for all visitors, which nobody changes."""
    key, results = selection.key, cache.visualization_worker().results
    return _read(key, (results.path(key) / CARD).stat().st_mtime_ns) if results.has(key) else None


def submit(selection: EmbeddingSelection) -> None:
    """Queue the job."""
    settings = selection.settings
    name = f"{settings.method_title} of {selection.where}"
    cache.jobs().submit(kind=KIND, spec=selection.spec, name=name)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(key: str, made: int) -> Embedding | None:
    return Embedding.read(cache.visualization_worker().results, key)


def _offer(selection: EmbeddingSelection, key: str) -> None:
    method = selection.settings.method_title
    st.info(
        f"Press **Compute**: each image goes through the network up to layer "
        f"**{messages.literal(selection.settings.layer)}**, and {method} turns what this layer "
        "returns into a point. Images that the layer finds alike lie close together. The result "
        "is kept, and shown at once the next time.",
        icon=":material/scatter_plot:",
    )
    if st.button("Compute", type="primary", icon=":material/play_arrow:", key=key):
        submit(selection)
        st.rerun()


def _unfinished(selection: EmbeddingSelection) -> Run | None:
    """The last job that makes it, or would if it were resumed."""
    wanted = (selection.ref, selection.settings)
    for run in cache.list_runs(kind=KIND, limit=LOOKED_AT):
        its = (NetworkRef.from_spec(run.spec), EmbeddingSettings.from_dict(run.spec))
        if its == wanted and run.status is Status.FINISHED:
            return None
        # What somebody else has stopped or paused is not for the visitor to resume.
        if its == wanted and (not run.status.over or person().may_change(run.owner)):
            return run
    return None


def _follow(run: Run) -> None:
    def draw(now: Run) -> None:
        with st.container(border=True):
            progress = now.progress or Progress()
            st.progress(progress.fraction, progress_in_words(now))
            if now.reason:
                st.error(now.reason.partition("\n")[0], icon=":material/error:")
            with st.container(horizontal=True, vertical_alignment="center"):
                messages.status_chip(now.status, "stopping" if now.wish else "")
                _control(now)

    polling.follow(run.id, draw)


def progress_in_words(run: Run) -> str:
    """What the job does now, how far it is, and the time left if that is known."""
    progress, method = run.progress, METHODS[run.spec["method"]]
    if run.status is Status.QUEUED:
        return "Queued"
    if progress is None:
        return "Starting a process for it" if not run.status.over else "Not started"
    left = ""
    if not run.status.over and progress.seconds_left is not None:
        left = f" · about {polling.duration(progress.seconds_left)} left"
    if progress.stage == IMAGES:
        return "Reading the images"
    if progress.stage == FEATURES:
        return f"Features of {progress.step:,} of {progress.steps:,} images{left}"
    if progress.steps:
        return f"{method}: iteration {progress.step:,} of at most {progress.steps:,}{left}"
    return f"{method}, which does not report how far it is"


def _control(run: Run) -> None:
    if not person().may_change(run.owner):
        st.caption(f":material/person: {messages.of_whom(run.owner_name)}")
        return
    if not run.status.over:
        st.button(
            "Stop",
            icon=":material/stop:",
            key=f"stop_{run.id}",
            disabled=run.wish == "cancel",
            on_click=_do,
            args=(cache.jobs().cancel, run.id),
        )
    elif run.status.resumable:
        st.button(
            "Resume",
            icon=":material/play_arrow:",
            key=f"resume_{run.id}",
            type="primary",
            help="Features that were computed are kept; the projection begins again.",
            on_click=_do,
            args=(cache.jobs().resume, run.id),
        )


def _do(act, run_id: str) -> None:
    # The run may have ended between the drawing of the button and the click on it.
    with shown_errors(stop=False):
        act(run_id)
