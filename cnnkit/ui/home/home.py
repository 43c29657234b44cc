"""The pieces of Home. None of them loads Keras, TensorFlow or MLflow before the first paint."""

from __future__ import annotations

import streamlit as st

from cnnkit import assets
from cnnkit.datasets import DatasetSpec, dataset_info, list_datasets, load_dataset
from cnnkit.models import list_models, model_info
from cnnkit.runs import STARTER_ID, Run, RunStore
from cnnkit.settings import get_settings
from cnnkit.ui.common import charts, page
from cnnkit.ui.common.messages import shown_errors, status_text
from cnnkit.ui.home import showcase

RECENT = 5  # runs


def first_image() -> None:
    """Something to look at, at once."""
    starter = None
    with shown_errors(stop=False):
        starter = _starter()
        if starter is not None:
            showcase.draw(
                showcase.load_showcase(), starter.name, starter.metrics.get("test_error", 0.0)
            )
    if starter is None:
        images, _ = load_dataset("digits").part("test")
        charts.montage(
            images[:36, ..., 0], columns=18, scale=3, alt="36 handwritten digits from 0 to 9"
        )
        st.caption(
            "Handwritten digits that ship with scikit-learn: the least there is to learn from."
        )


def cards() -> None:
    """What one can do here."""
    with st.grid("auto", min_column_width=230):
        for one in page.PAGES[1:]:  # all but Home
            key = f"card_{one.file.removeprefix('pages/').removesuffix('.py')}"
            with st.container(border=True, height="stretch", gap="xsmall", key=key):
                page.link(one.file)
                st.markdown(f":gray[{one.summary}]")


def data_here() -> None:
    """Which data is on this machine, and how to get the rest."""
    with st.grid("auto", min_column_width=230):
        for name in list_datasets():
            with st.container(gap="xsmall"):
                _data_set(dataset_info(name))


def networks_here() -> None:
    """Which networks can be trained, with their size and where they come from."""
    with st.grid("auto", min_column_width=230):
        for name in list_models("digits"):
            spec = model_info(name)
            st.markdown(
                f"**{spec.title}** :gray-badge[{spec.parameters:,} weights]  \n"
                f":gray[:small[{spec.paper}]]"
            )


def recent_runs() -> None:
    """The last runs, read after the first paint because MLflow takes a second to import."""
    settings = get_settings()
    if settings.tracking_is_local and not (settings.home / "runs.db").exists():
        return
    asked = "home_painted" in st.session_state
    st.session_state["home_painted"] = True

    @st.fragment(run_every=None if asked else 0.3)
    def look() -> None:
        if not asked and not st.session_state.pop("home_waited", False):
            st.session_state["home_waited"] = True
            st.skeleton(height=120)
            return
        _list_runs()

    st.subheader("Your last runs", anchor=False)
    look()


def elsewhere() -> None:
    """The same from a terminal and from Python."""
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


def _starter() -> Run | None:
    from cnnkit.errors import RunNotFoundError

    try:
        return RunStore(get_settings()).get(STARTER_ID)
    except RunNotFoundError:  # not built yet: no error, there is just less to see
        return None


def _data_set(spec: DatasetSpec) -> None:
    badge = ":green-badge[:material/check: here]" if spec.available else ":orange-badge[missing]"
    learnt, tested = spec.images
    st.markdown(
        f"**{spec.title}** {badge}  \n"
        f":gray[:small[{spec.description} {learnt:,} to learn from, {tested:,} to test on.]]"
    )
    if not spec.available:
        _get(spec)


def _get(spec: DatasetSpec) -> None:
    asset = assets.ASSETS[spec.asset or spec.name]
    folder = get_settings().data_dir or "the folder that CNNKIT_DATA_DIR names"
    if st.button(
        f"Download {asset.filename} ({asset.bytes / 1e6:.0f} MB)",
        icon=":material/download:",
        key=f"get_{asset.name}",
    ):
        bar = st.progress(0.0, f"Downloading {asset.filename} …")

        def show(done: int, total: int) -> None:
            bar.progress(min(1.0, done / total), f"{done / 1e6:.1f} of {total / 1e6:.1f} MB")

        with shown_errors(stop=False):
            assets.fetch(asset.name, show)
            st.rerun()
        bar.empty()
    st.caption(f"Or put [{asset.filename}]({asset.url}) into {folder}. Licence: {asset.licence}.")


def _list_runs() -> None:
    from cnnkit.ui.common import cache

    with shown_errors(stop=False):
        runs = [
            run for run in cache.store().list(kind="train", limit=RECENT + 1) if not run.starter
        ][:RECENT]
        if not runs:
            st.caption("None yet. Train a network, and it will be here tomorrow.")
            return
        with st.container(border=True, gap="xsmall", key="card_recent"):
            for run in runs:
                _row(run)


def _row(run: Run) -> None:
    error = run.metrics.get("test_error")
    reached = "" if error is None else f" :gray[{100 * error:.2f} % test error]"
    with st.container(horizontal=True, vertical_alignment="center"):
        page.link("pages/runs.py", run.name, run=run.id)
        st.markdown(status_text(run.status) + reached, width="content")
