"""The pieces of Home. None of them loads Keras, TensorFlow or MLflow before the first paint."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnkit.datasets import DatasetSpec, dataset_info, list_datasets, load_dataset
from cnnkit.models import list_models, model_info
from cnnkit.people import LOCAL
from cnnkit.runs import STARTER_ID, Run, RunStore
from cnnkit.settings import get_settings
from cnnkit.ui.common import charts, page
from cnnkit.ui.common.downloads import offer_download
from cnnkit.ui.common.messages import shown_errors, status_text
from cnnkit.ui.common.person import own_id, person
from cnnkit.ui.home import showcase

RECENT = 5  # runs
# Page, label, text, and the parameter of its address that takes a run, with what stands there.
PATH = (
    ("pages/train.py", "Train a network", "Choose a data set and a network, and train it.", {}),
    (
        "pages/draw.py",
        "Draw a digit",
        "Draw a digit, and compare the predictions.",
        {"runs": "{}"},
    ),
    (
        "pages/inside.py",
        "Look inside",
        "See the filters and feature maps of each layer.",
        {"run": "{}"},
    ),
    (
        "pages/visualize.py",
        "Visualize a class",
        "Optimize an image for a class, and adjust the regularizers.",
        {"network": "run.{}"},
    ),
)


def show_starter() -> None:
    """Misclassified images and filters of the network that ships, or else some digits."""
    starter = None
    with shown_errors(stop=False):
        starter = _starter_run()
        if starter is not None:
            showcase.show_showcase(
                showcase.load_showcase(), starter.name, starter.metrics.get("test_error", 0.0)
            )
    if starter is None:
        images, _ = load_dataset("digits").part("test")
        charts.montage(
            images[:36, ..., 0], columns=18, scale=3, alt="36 handwritten digits from 0 to 9"
        )
        st.caption("Handwritten digits that ship with scikit-learn.")


def show_cards() -> None:
    """A card for each page that the path does not lead to."""
    with st.grid("auto", min_column_width=230):
        for one in page.PAGES[1:]:  # all but Home
            if one.file in {file for file, *_ in PATH}:
                continue
            key = f"card_{one.file.removeprefix('pages/').removesuffix('.py')}"
            with st.container(border=True, height="stretch", gap="xsmall", key=key):
                page.link(one.file)
                st.markdown(f":gray[{one.summary}]")


def show_datasets() -> None:
    """Which data sets are on this machine, and how to get the others."""
    with st.grid("auto", min_column_width=230):
        for name in list_datasets():
            with st.container(gap="xsmall"):
                _data_set(dataset_info(name))


def show_networks() -> None:
    """Which networks can be trained, with their size and their source."""
    with st.grid("auto", min_column_width=230):
        for name in list_models("digits"):
            spec = model_info(name)
            st.markdown(
                f"**{spec.title}** :gray-badge[{spec.parameters:,} parameters]  \n"
                f":gray[:small[{spec.paper}]]"
            )


def runs_after_first_paint() -> list[Run] | None:
    """The visitor's last runs, newest first; None before the page has been painted once.

    MLflow takes a second to import. A first visitor sees the page before that.

    Raises:
        StorageError: the record of runs does not answer.
    """
    settings = get_settings()
    if settings.tracking_is_local and not (settings.home / "runs.db").exists():
        return []
    if "home_painted" in st.session_state:
        from cnnkit.ui.common import cache

        runs = cache.list_runs(kind="train", owner=own_id(), limit=RECENT + 1)
        return [run for run in runs if not run.starter][:RECENT]

    @st.fragment(run_every=0.3)
    def rerun_once_painted() -> None:
        if "home_painted" in st.session_state:
            st.rerun()
        st.session_state["home_painted"] = True

    rerun_once_painted()
    return None


def show_path(runs: Sequence[Run] | None) -> None:
    """The first four steps in order, each one click, with what is done already marked.

    Args:
        runs: from `runs_after_first_paint`.
    """
    finished = [run for run in runs or () if run.status == "finished"]
    newest = finished[0].id if finished else ""
    done = page.visited() | ({"pages/train.py"} if finished else set())
    with st.grid("auto", min_column_width=160):
        for number, (file, label, text, address) in enumerate(PATH, start=1):
            key = f"card_step_{number}"
            with st.container(border=True, height="stretch", gap="xsmall", key=key):
                query = {name: value.format(newest) for name, value in address.items() if newest}
                page.link(file, f"{number}. {label}", **query)
                mark = "  \n:green-badge[:material/check: done]" if file in done else ""
                st.markdown(f":gray[{text}]{mark}")


def recent_runs(runs: Sequence[Run] | None) -> None:
    """The last runs with their test accuracy; nothing where there is no record of runs.

    Args:
        runs: from `runs_after_first_paint`.
    """
    if runs == []:
        return
    st.subheader("Recent runs", anchor=False)
    if runs is None:
        st.skeleton(height=120)
        return
    with st.container(border=True, gap="xsmall", key="card_recent"):
        for run in runs:
            _row(run)


def show_usage() -> None:
    """What the visitor has on a server that many share, and may have; nothing without a login."""
    visitor = person()
    if visitor == LOCAL or "home_painted" not in st.session_state:
        return
    from cnnkit.ui.common import cache

    st.subheader("Yours on this server", anchor=False)
    if not visitor.admin:
        limits = cache.limits()
        usage, allowed = limits.usage(), limits.settings
        with st.container(horizontal=True):
            st.metric("Jobs running or queued", f"{usage.jobs} of {allowed.jobs_per_person}")
            st.metric("Images being computed", f"{usage.sessions} of {allowed.sessions_per_person}")
            stored, room = usage.stored / 2**20, allowed.storage_per_person / 2**20
            st.metric("Stored", f"{stored:,.0f} of {room:,.0f} MB")
        st.caption("Stored are your runs, images and uploaded networks. Deleting some makes room.")
    st.caption(f"Your id is `{visitor.id}`.")


def show_code() -> None:
    """How to do the same from a terminal and from Python."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**From a terminal**")
        st.code(
            "cnnkit train lenet_tutorial --recipe fast\ncnnkit runs list\n"
            f"mlflow ui --backend-store-uri {get_settings().tracking_uri}",
            language="bash",
            wrap_lines=True,
        )
    with right:
        st.markdown("**From Python**")
        st.code(
            "from cnnkit.training import fit, get_recipe\n\n"
            'result = fit(get_recipe("lenet_tutorial", "fast"), report=print)',
            language="python",
            wrap_lines=True,
        )


def _starter_run() -> Run | None:
    from cnnkit.errors import RunNotFoundError

    try:
        return RunStore(get_settings()).get(STARTER_ID)
    except RunNotFoundError:
        return None


def _data_set(spec: DatasetSpec) -> None:
    badge = (
        ":green-badge[:material/check: available]" if spec.available else ":orange-badge[missing]"
    )
    training, test = spec.images
    st.markdown(
        f"**{spec.title}** {badge}  \n"
        f":gray[:small[{spec.description} {training:,} training and {test:,} test images.]]"
    )
    if not spec.available:
        offer_download(*spec.missing, primary=False)


def _row(run: Run) -> None:
    error = run.metrics.get("test_error")
    accuracy = "" if error is None else f" :gray[{100 * (1 - error):.2f} % test accuracy]"
    with st.container(horizontal=True, vertical_alignment="center"):
        page.link("pages/runs.py", run.name, run=run.id)
        st.markdown(status_text(run.status) + accuracy, width="content")
