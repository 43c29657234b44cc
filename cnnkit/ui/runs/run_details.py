"""One run: its metrics, settings and files, and the actions it allows."""

from __future__ import annotations

import streamlit as st

from cnnkit import imported_runs
from cnnkit.errors import StorageError
from cnnkit.jobs.kinds import TRAINED
from cnnkit.models.builder import is_code
from cnnkit.runs import Run, RunStore, Status
from cnnkit.settings import get_settings
from cnnkit.training import Recipe, write_script
from cnnkit.training.estimates import recipe_of
from cnnkit.training.fields import FIELDS, differences, flatten, recipe_fields
from cnnkit.training.recipe import network_name
from cnnkit.ui.common import cache, messages, page
from cnnkit.ui.common.dialogs import close_dialog, dialog_button
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.mistakes import show_class_scores, show_mistakes, show_test_metrics
from cnnkit.ui.common.person import person
from cnnkit.ui.common.recipe_form import published_recipe
from cnnkit.ui.common.run_monitor import curves_of, training_page
from cnnkit.ui.runs.imported_run import show_imported
from cnnkit.ui.runs.run_list import architecture_name, dataset_title, model_title, started_at

PARAMETERS = "Including frozen layers and the moving statistics of batch normalization."
DIGITS = (28, 28, 1)  # images that one can draw


def show_run(run: Run) -> None:
    """Everything about one run, from the record alone.

    Raises:
        CorruptRunError, CorruptAssetError: one of its files is missing or damaged.
    """
    _head(run)
    _actions(run)
    if run.kind == imported_runs.KIND:
        show_imported(run)
        return
    _metrics(run)
    curves_of(run, key="details")
    if run.status is Status.FINISHED:
        wrong, classes, settings = st.tabs(["Misclassified images", "Recall by class", "Settings"])
        with wrong, shown_errors(stop=False):
            show_mistakes(run, key="details")
        with classes, shown_errors(stop=False):
            show_class_scores(run)
        with settings:
            _settings(run)
    else:
        st.markdown("**Settings**")
        _settings(run)


def show_mlflow_command() -> None:
    """The command that opens the same record in MLflow's own pages."""
    uri = get_settings().tracking_uri
    st.divider()
    if uri.startswith(("http://", "https://")):
        st.caption(f"Runs are recorded in MLflow at {uri}.")
        return
    st.caption("Runs are recorded in MLflow. This command opens the same runs in its interface:")
    st.code(f"mlflow ui --backend-store-uri {uri}", language="sh", wrap_lines=True)


def _head(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(run.name, anchor=False, width="content")
        messages.status_chip(run.status)
    what = (model_title(run), dataset_title(run), str(run.spec.get("name", "")), started_at(run))
    st.caption(" · ".join(word for word in what if word not in ("", "–")))
    if not run.starter and run.owner != person().id:
        st.caption(f":material/person: {messages.of_whom(run.owner_name)}")
    if run.reason:
        st.error(run.reason.partition("\n")[0], icon=":material/error:")


def _actions(run: Run) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if not run.status.over:
            page.link(training_page(run), "Watch the training", run=run.id)
        own = person().may_change(run.owner)
        if run.status.resumable and own:
            _resume_button(run)
        if run.status is Status.FINISHED:
            if cache.run_input_shape(run) == DIGITS:
                page.link("pages/draw.py", "Draw a digit", runs=run.id)
            else:
                page.link("pages/predict.py", "Predict your images", networks=f"run.{run.id}")
            page.link("pages/inside.py", "Look inside", run=run.id)
            if run.kind == imported_runs.KIND:
                page.link("pages/fine_tune.py", "Fine-tune it", network=f"run.{run.id}")
            _downloads(run, cache.store())
            if training_page(run) == "pages/fine_tune.py":
                page.link(training_page(run), "Before and after, class names", run=run.id)
        if training_page(run) == "pages/train.py" and run.kind in TRAINED:
            page.link("pages/train.py", "Edit the recipe and train again", like=run.id)
        if is_code(network_name(run.spec)):
            page.link(
                "pages/build.py",
                "Edit the network",
                network=network_name(run.spec),
                dataset=str(run.spec.get("dataset")),
            )
        if not run.starter and own:
            dialog_button(
                "Rename",
                lambda: _rename(run),
                title="Rename this run",
                of=run.id,
                key="rename",
                icon=":material/edit:",
            )
            if run.status.over:
                dialog_button(
                    "Delete",
                    lambda: _delete(run),
                    title="Delete this run?",
                    of=run.id,
                    key="delete",
                    icon=":material/delete:",
                )


def _resume_button(run: Run) -> None:
    if st.button("Resume", icon=":material/play_arrow:", type="primary", key="resume"):
        with shown_errors():
            cache.jobs().resume(run.id)
        st.switch_page(training_page(run), query_params={"run": run.id})


def _downloads(run: Run, store: RunStore) -> None:
    stem = f"{architecture_name(run)}-{run.id[:8]}"
    recipe = recipe_of(run.spec)
    with st.popover("Download", icon=":material/download:"):
        # Read only when clicked: the weights of a large network are many megabytes.
        st.download_button(
            "Trained network (.keras)",
            lambda: store.artifact(run.id, "model.keras").read_bytes(),
            file_name=f"{stem}.keras",
            mime="application/octet-stream",
            icon=":material/deployed_code:",
            on_click="ignore",
            key="download_keras",
        )
        if run.kind in TRAINED:
            st.download_button(
                "Training history (.csv)",
                lambda: store.artifact(run.id, "history.csv").read_bytes(),
                file_name=f"{stem}-history.csv",
                mime="text/csv",
                icon=":material/table:",
                on_click="ignore",
                key="download_csv",
            )
        if recipe:
            st.download_button(
                "Python script that repeats the training",
                write_script(recipe, run.name),
                file_name=f"{architecture_name(run)}.py",
                mime="text/x-python",
                icon=":material/code:",
                on_click="ignore",
                key="download_script",
            )


def _metrics(run: Run) -> None:
    show_test_metrics(run)
    figures = run.metrics
    with st.container(horizontal=True):
        if "trainable" in figures:
            st.metric("Trainable parameters", f"{figures['trainable']:,.0f}")
        if "parameters" in figures and figures["parameters"] != figures.get("trainable"):
            st.metric("Parameters", f"{figures['parameters']:,.0f}", help=PARAMETERS)
    if run.split:
        st.caption(run.split)


def _settings(run: Run) -> None:
    recipe = recipe_of(run.spec)
    published = published_recipe(recipe) if recipe else None
    if recipe and published:
        _against(published, recipe)
    titles = {field.name: field for field in (recipe_fields(recipe) if recipe else FIELDS)}
    values = flatten(run.spec)
    with st.expander("All settings"):
        st.dataframe(
            {
                "Setting": [titles[name].title for name in values if name in titles],
                "Value": [titles[name].text(values[name]) for name in values if name in titles],
            },
            hide_index=True,
            alt="All settings of the run",
        )


def _against(published: Recipe, recipe: Recipe) -> None:
    changed = differences([published.to_dict(), recipe.to_dict()])
    if not changed:
        st.caption("All settings are as published.")
        return
    st.caption("Settings that differ from the published ones:")
    st.dataframe(
        {
            "Setting": [one.title for one in changed],
            "Published": [one.texts[0] for one in changed],
            "This run": [one.texts[1] for one in changed],
        },
        hide_index=True,
        height="content",
        alt="Settings that differ from the published recipe",
    )


def _rename(run: Run) -> None:
    name = st.text_input("Name", run.name, max_chars=80, key="new_name")
    if st.button("Rename", type="primary", key="rename_now"):
        with shown_errors():
            if not (name or "").strip():
                raise StorageError("A run needs a name.")
            cache.store().rename(run.id, name)
        close_dialog()


def _delete(run: Run) -> None:
    st.markdown(f"**{run.name}**, its curves and its trained network will be deleted permanently.")
    with st.container(horizontal=True):
        confirmed = st.button("Delete", type="primary", icon=":material/delete:", key="delete_now")
        if st.button("Cancel", key="keep"):
            close_dialog()
    if confirmed:
        with shown_errors():
            cache.store().delete(run.id)
        if "run" in st.query_params:
            del st.query_params["run"]
        close_dialog()
