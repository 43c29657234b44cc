"""What can be known before the training begins: its size, its time, its images."""

from __future__ import annotations

import random

import numpy as np
import streamlit as st

from cnnkit.datasets import Dataset, dataset_info
from cnnkit.models import model_info
from cnnkit.published.measurements import measurements, paces
from cnnkit.runs import Status
from cnnkit.training import Augmentation, Recipe
from cnnkit.training.estimates import (
    Estimate,
    count_parameters,
    estimate,
    images_per_epoch,
    published_parameters,
    recipe_of,
)
from cnnkit.ui.common import cache, charts
from cnnkit.ui.common.polling import duration
from cnnkit.ui.common.tasks import background, when_ready

MEASURED = 8  # earlier runs of a network that are looked at
PREVIEWED = 12  # images


def parameters(recipe: Recipe) -> None:
    """The number of trainable parameters, counted without holding up the page."""
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
    """How long the training takes: as runs here tell, else as the project measured it."""
    here = estimate(recipe, _measured(recipe.model))
    known = here or estimate(recipe, paces(measurements()))
    if known is None:
        _card("Time", "unknown yet", "Not trained here before; the first epoch will tell.")
        return
    most = "≤ " if recipe.stopping else ""
    basis = _basis(known) if here else f"As {known.source}; the first epoch will tell."
    _card("Time", f"{most}{duration(known.seconds)}", basis)


def amount(recipe: Recipe) -> None:
    """Images and epochs."""
    times = f"up to {recipe.epochs:,}" if recipe.stopping else f"{recipe.epochs:,}"
    epochs = "epoch" if recipe.epochs == 1 else "epochs"
    _card("Images an epoch", f"{images_per_epoch(recipe):,}", f"{times} {epochs}")


def augmentation_preview(recipe: Recipe) -> None:
    """Some training images, and augmented copies of them."""
    st.markdown("**Training images**")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Others", icon=":material/shuffle:", key="reshuffle", on_click=_reshuffle)
        if recipe.augmentation:
            changed = st.toggle("Show augmented copies", key="preview")
        else:
            changed = False
            st.caption(
                "This recipe has no augmentation. Set a shift or a rotation under "
                "More hyper-parameters → Augmentation to see it here."
            )
    seed = st.session_state.setdefault("preview_seed", 0)
    data = cache.dataset(recipe.dataset)
    charts.montage(
        some_images(data, seed),
        columns=PREVIEWED,
        gap=2,
        alt=f"{PREVIEWED} training images of {data.title}",
    )
    if changed:
        question = ("preview", recipe.dataset, recipe.augmentation, seed)
        answer = background().ask(question, lambda: preview(data, recipe.augmentation, seed))
        when_ready(answer, _draw_preview, waiting="Changing the images …")


def some_images(data: Dataset, seed: int) -> np.ndarray:
    """Training images, chosen by a seed: uint8 (images, height, width)."""
    images, _ = data.part("train")
    chosen = np.random.default_rng(seed).choice(len(images), PREVIEWED, replace=False)
    return images[chosen][..., 0]


def preview(data: Dataset, augmentation: Augmentation, seed: int) -> np.ndarray:
    """The same images as training changes them, three times: uint8 (n, height, width)."""
    from cnnkit.training import augment

    images = some_images(data, seed)[..., np.newaxis]
    rows = [np.asarray(augment(images, augmentation, [seed, row])) for row in range(3)]
    return np.rint(np.clip(np.concatenate(rows)[..., 0], 0, 255)).astype(np.uint8)


def _parameters(recipe: Recipe, count: int) -> None:
    usual = model_info(recipe.model).trainable
    _card(
        "Trainable parameters",
        f"{count:,}",
        "as published" if count == usual else f"{usual:,} as published",
    )


def _card(label: str, value: str, words: str) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.metric(label, value)
        st.caption(words)


def _basis(known: Estimate) -> str:
    pace = f"{known.images_per_second:,.0f} images a second"
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


def _draw_preview(images: np.ndarray) -> None:
    charts.montage(
        images,
        columns=PREVIEWED,
        gap=2,
        alt="The same images below, each changed in three ways",
    )


def _reshuffle() -> None:
    st.session_state["preview_seed"] = random.randrange(2**31)
