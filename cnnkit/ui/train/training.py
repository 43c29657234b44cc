"""The Train page: where a training starts, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from cnnkit.datasets import DatasetSpec, dataset_info
from cnnkit.models import list_models, model_info
from cnnkit.models.builder import is_code
from cnnkit.published.references import reference_figures
from cnnkit.runs import Run, Status
from cnnkit.training import Recipe
from cnnkit.training.estimates import recipe_of
from cnnkit.ui.common import cache, image_choice, inputs, messages, page
from cnnkit.ui.common.downloads import offer_download
from cnnkit.ui.common.mistakes import show_mistakes, show_test_metrics
from cnnkit.ui.train.forecast import memory_problem

# Data set -> the network that is offered first where it is not the first of all.
USUAL = {"toy_patterns": "toy_cnn", "cifar10": "resnet_digits", "fashion_mnist": "compact_cnn"}
POOR = 0.2  # test error from which more epochs are suggested
MORE_EPOCHS = 20


def starting_point() -> tuple[Recipe, str]:
    """The recipe to start from, and a name for what is changed in it.

    It is chosen here, or it is that of an earlier run (`?like=` in the address).

    Raises:
        RunNotFoundError, InvalidRecipeError: the earlier run is of no use.
    """
    like = st.query_params.get("like")
    if like:
        return _like(like)
    data, network, recipe = st.columns(3)
    with data:
        dataset = inputs.dataset_picker()
    with network:
        names = networks_for(dataset_info(dataset))
        model = inputs.model_picker(names, default=USUAL.get(dataset, names[0]))
    with recipe:
        chosen = inputs.recipe_picker(model, dataset).on(dataset)
    return chosen, f"{dataset}.{model}.{chosen.name}"


def networks_for(data: DatasetSpec) -> list[str]:
    """Networks that can be trained from scratch on a data set, the usual one first."""
    if data.kind != "small":
        return list_models("photos")
    digits = sorted(list_models("digits"), key=lambda name: name != "lenet_tutorial")
    if data.input_shape[-1] == 1:
        return digits
    return [*digits, *list_models("photos")]


def explain(recipe: Recipe) -> None:
    """What was chosen, in three sentences, and whose work it is."""
    spec, data = model_info(recipe.model), dataset_info(recipe.dataset)
    st.markdown(
        f"**{spec.title}**: {spec.description} It is trained on **{messages.literal(data.title)}**:"
        f" {messages.literal(data.description)}"
    )
    published = reference_figures(data.name)
    if published:
        words = "; ".join(
            f"{100 * one.accuracy:g} %, {one.what} ({one.source})" for one in published
        )
        st.caption(f"Published test accuracy, not repeated here: {words}.")
    if is_code(recipe.model):
        page.link(
            "pages/build.py", "Edit this network", network=recipe.model, dataset=recipe.dataset
        )
    messages.source(f"Network: {spec.paper}. Images: {data.source}.")


def require_data(name: str) -> None:
    """Stop here, with a way out, where the images are not on this machine."""
    if dataset_info(name).available:
        messages.embedded_notice(name)
        return
    with st.container(border=True):
        st.markdown(f"#### {dataset_info(name).title} is not on this machine yet")
        st.markdown(
            "Download it once and it stays, or learn from the digits that need no download."
        )
        st.button(
            "Use the embedded digits",
            icon=":material/grid_on:",
            key="embedded",
            on_click=st.query_params.update,
            args=({"dataset": "digits"},),
        )
        offer_download(*dataset_info(name).missing)
    page.end_page()


def begin_button(recipe: Recipe) -> None:
    """Name the run, press Train; then the page shows it."""
    problem = memory_problem(recipe)
    if problem:
        st.error(problem, icon=":material/memory:")
        return
    title = model_info(recipe.model).title.partition(" (")[0]
    submit_button(recipe, f"{title}, {recipe.name}", "Train", key="train")


def submit_button(
    recipe: Recipe,
    default_name: str,
    label: str,
    *,
    key: str,
    others: Callable[[], Mapping[str, Recipe]] = dict,
) -> None:
    """Name the run, press the button; then the page shows the run.

    Args:
        recipe: of the run.
        default_name: of the run.
        label: of the button.
        key: of the button.
        others: draws what may be chosen as well, and returns further recipes by the names of
            their runs.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of the run", placeholder=default_name, max_chars=80, key="run_name"
        )
        recipes = others()
        if not st.button(label, type="primary", icon=":material/play_arrow:", key=key, width=160):
            return
    with messages.shown_errors(
        stop=False
    ):  # where one job too many is refused, the others stand below
        _submit({(name or "").strip() or default_name: recipe, **recipes})


def _submit(recipes: Mapping[str, Recipe]) -> None:
    """Queue recipes by the names of their runs, and show the first."""
    runs = [
        cache.jobs().submit(kind="train", spec=recipe.to_dict(), name=name)
        for name, recipe in recipes.items()
    ]
    st.query_params.from_dict({"run": runs[0].id})
    st.rerun()


def result(run_id: str) -> None:
    """What a finished run came to; nothing while it is not finished.

    Raises:
        RunNotFoundError, CorruptRunError, AssetUnavailableError
    """
    run = cache.store().get(run_id)
    if run.status is not Status.FINISHED:
        return
    show_test_metrics(run)
    suggest_more_epochs(run)
    with st.container(horizontal=True):
        if run.spec.get("dataset") in image_choice.DIGITS:
            page.link("pages/draw.py", "Draw a digit for it", runs=run.id)
        else:
            page.link("pages/predict.py", "Predict your images", networks=f"run.{run.id}")
            page.link("pages/camera.py", "Ask it live", mode="live", network=f"run.{run.id}")
        page.link("pages/inside.py", "Look inside", run=run.id)
        page.link("pages/visualize.py", "Visualize it", network=f"run.{run.id}")
        page.link("pages/runs.py", "Compare and download", run=run.id)
        page.link("pages/train.py", "Change something and train again", like=run.id)
    st.divider()
    show_mistakes(run, key="result")


def suggest_more_epochs(run: Run) -> None:
    """What to try next after a poor result: the same recipe for more epochs, by a button.

    Args:
        run: finished.
    """
    error, recipe = run.metrics.get("test_error", 0.0), recipe_of(run.spec)
    if recipe is None or error < POOR or recipe.total_epochs >= MORE_EPOCHS:
        return
    longer = recipe.for_epochs(MORE_EPOCHS)
    epochs = f"{recipe.total_epochs} epoch{'s' if recipe.total_epochs > 1 else ''}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{error:.0%}** error after {epochs}.", width="content")
        if st.button(
            f"Train {longer.total_epochs} epochs", icon=":material/play_arrow:", key="more_epochs"
        ):
            _submit({f"{run.name}, {longer.total_epochs} epochs": longer})


def leave_run() -> None:
    """A button back to the choice of what to train."""
    if st.button("Train another", icon=":material/add:", key="another"):
        del st.query_params["run"]
        st.rerun()


def _like(run_id: str) -> tuple[Recipe, str]:
    run = cache.store().get(run_id)
    recipe = Recipe.from_dict(run.spec)
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"Starting from the settings of **{run.name}**.", width="content")
        if st.button("Choose freely", type="tertiary", icon=":material/close:"):
            del st.query_params["like"]
            st.rerun()
    return recipe, f"like.{run_id}"
