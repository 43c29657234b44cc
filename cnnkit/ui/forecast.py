"""What can be known before the training begins: its size, its time, its pictures."""

from __future__ import annotations

import random

import numpy as np
import streamlit as st

from cnnkit.datasets import Dataset, dataset_info
from cnnkit.models import model_info
from cnnkit.runs import Status
from cnnkit.training import Augmentation, Recipe
from cnnkit.training.estimates import (
    Estimate,
    count_parameters,
    estimate,
    published_parameters,
    recipe_of,
)
from cnnkit.ui import cache, charts
from cnnkit.ui.background import background, when_ready
from cnnkit.ui.live import duration

MEASURED = 8  # earlier runs of a network that are looked at
PREVIEWED = 8  # pictures


def parameters(recipe: Recipe) -> None:
    """How many numbers the network learns, counted without holding up the page."""
    published = published_parameters(recipe)
    if published is not None:
        _parameters(recipe, published)
        return
    data = dataset_info(recipe.dataset)
    key = (recipe.model, data.input_shape, data.classes, str(sorted(recipe.model_options.items())))
    count = background().ask(key, lambda: count_parameters(recipe))
    when_ready(
        count, lambda found: _parameters(recipe, found), waiting="Building the network to count …"
    )


def time_needed(recipe: Recipe) -> None:
    """How long the training takes, or that nobody knows yet."""
    known = estimate(recipe, _measured(recipe.model))
    if known is None:
        st.metric("Time", "unknown yet")
        st.caption("This network has not been trained here yet; the first epoch will tell.")
        return
    most = "at most " if recipe.stopping else ""
    st.metric("Time", f"{most}{duration(known.seconds)}")
    st.caption(_basis(known))


def augmentation_preview(recipe: Recipe) -> None:
    """Some of the real pictures, and what the network gets to see of them."""
    if not st.toggle("Show pictures as the network will see them", key="preview"):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Others", icon=":material/shuffle:", key="reshuffle", on_click=_reshuffle)
        if recipe.augmentation:
            st.caption("Above each: the picture itself. Below: three ways it may be changed.")
        else:
            st.caption(
                "This recipe shows every picture as it is. Set a shift, a rotation or a "
                "distortion under Hyper-parameters → Augmentation, and see it here."
            )
    seed = st.session_state.setdefault("preview_seed", 0)
    data = cache.dataset(recipe.dataset)
    changed = background().ask(
        ("preview", recipe.dataset, recipe.augmentation, seed),
        lambda: preview(data, recipe.augmentation, seed),
    )
    when_ready(changed, _draw_preview, waiting="Changing some pictures …")


def preview(data: Dataset, augmentation: Augmentation, seed: int) -> np.ndarray:
    """Pictures in the first row; below each, ways it may be changed. uint8 (n, h, w).

    Without augmentation there is the first row only.
    """
    images, _ = data.part("train")
    chosen = np.random.default_rng(seed).choice(len(images), PREVIEWED, replace=False)
    rows = [images[chosen]]
    if augmentation:
        from cnnkit.training import augment

        rows += [np.asarray(augment(rows[0], augmentation, [seed, n])) for n in range(3)]
    return np.rint(np.clip(np.concatenate(rows)[..., 0], 0, 255)).astype(np.uint8)


def _parameters(recipe: Recipe, count: int) -> None:
    spec = model_info(recipe.model)
    st.metric("Numbers to learn", f"{count:,}")
    st.caption("as published" if count == spec.parameters else f"{spec.parameters:,} as published")


def _basis(known: Estimate) -> str:
    pace = f"{known.pictures_per_second:,.0f} pictures a second"
    if known.alike:
        return f"{pace}, measured in “{known.source}”"
    return f"about: {pace} in “{known.source}”, which trained with other settings"


@st.cache_data(ttl=30, max_entries=16, show_spinner=False)
def _measured(model: str) -> list[tuple[str, Recipe, list[dict[str, float]]]]:
    """Earlier runs of a network that have ended an epoch here, newest first."""
    # The starter was trained on another machine.
    store = cache.store()
    ended = [status for status in Status if status is not Status.QUEUED]
    runs = [
        run
        for run in store.list(kind="train", statuses=ended)
        if run.spec.get("model") == model and not run.starter and "val_loss" in run.metrics
    ]
    recipes = [(run, recipe_of(run.spec)) for run in runs[:MEASURED]]
    return [(run.name, recipe, store.history(run.id)) for run, recipe in recipes if recipe]


def _draw_preview(pictures: np.ndarray) -> None:
    charts.montage(
        pictures,
        columns=PREVIEWED,
        alt=f"{PREVIEWED} training pictures, each above three changed versions of itself",
        gap=2,
    )


def _reshuffle() -> None:
    st.session_state["preview_seed"] = random.randrange(2**31)
