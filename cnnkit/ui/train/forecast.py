"""What can be known before the training begins: its size, its time, its images."""

from __future__ import annotations

import random

import numpy as np
import psutil
import streamlit as st

from cnnkit.datasets import Dataset, dataset_info
from cnnkit.models import model_info
from cnnkit.models.builder import is_code
from cnnkit.published.measurements import counts, measurements, paces
from cnnkit.runs import Status
from cnnkit.training import Augmentation, Recipe
from cnnkit.training.estimates import (
    Estimate,
    count_parameters,
    definition_table,
    estimate,
    estimate_by_macs,
    images_per_epoch,
    known_parameters,
    recipe_of,
    training_memory,
)
from cnnkit.training.recipe import network_name
from cnnkit.ui.common import cache, charts
from cnnkit.ui.common.polling import duration
from cnnkit.ui.common.tasks import background, wait_for, when_ready

MEASURED = 8  # earlier runs of a network that are looked at
COPIES = 3  # of each image, augmented in different ways
WIDTH = 1000  # pixels of the preview
SHARE = 0.8  # of the free memory that a training may take


def parameters(recipe: Recipe) -> None:
    """The number of trainable parameters, counted without holding up the page."""
    known = known_parameters(recipe)
    if known is not None:
        _parameters(recipe, known)
        return
    data = dataset_info(recipe.dataset)
    key = (recipe.model, data.input_shape, data.classes, str(sorted(recipe.model_options.items())))
    count = background().ask(key, lambda: count_parameters(recipe))
    when_ready(
        count, lambda total: _parameters(recipe, total), waiting="Building the network to count …"
    )


def time_needed(recipe: Recipe) -> None:
    """How long the training takes: as runs here tell, else as the project measured it."""
    own = estimate(recipe, _measured(recipe.model))
    forecast = own or estimate(recipe, paces(measurements())) or estimate_by_costs(recipe)
    if forecast is None:
        show_card("Time", "unknown yet", "Not trained here before; the first epoch will tell.")
        return
    most = "≤ " if recipe.stopping else ""
    basis = _basis(forecast) if own else f"As {forecast.source}; the first epoch will tell."
    show_card("Time", f"{most}{duration(forecast.seconds)}", basis)


def memory_of(recipe: Recipe) -> int | None:
    """Bytes that training a definition takes; None: it is none.

    Raises:
        IncompatibleError: the layers do not fit the images of the data set.
    """
    table = definition_table(recipe)
    if table is None:
        return None
    return training_memory(
        table.parameters, table.trainable, table.activation_bytes, recipe.batch_size
    )


def memory_problem(recipe: Recipe) -> str:
    """Why this machine cannot train a definition, in a sentence; empty: it can.

    Raises:
        IncompatibleError: the layers do not fit the images of the data set.
    """
    needed, free = memory_of(recipe), psutil.virtual_memory().available
    if needed is None or needed <= SHARE * free:
        return ""
    return (
        f"Training would take {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free on "
        "this machine. Use smaller batches, fewer filters or units, or pool earlier."
    )


def estimate_by_costs(recipe: Recipe) -> Estimate | None:
    """The time of a definition that was never trained, by its MACs; None: it is none."""
    table = definition_table(recipe)
    if table is None:
        return None
    measured = [
        (f"{model_info(one.model).title}, which costs most nearly as much, was {source}", one, rows)
        for source, one, rows in paces(measurements())
    ]
    return estimate_by_macs(recipe, table.macs, measured, _published_macs)


def _published_macs(recipe: Recipe) -> int | None:
    if not set(recipe.model_options) <= {"dropout"}:
        return None
    costs = counts().get(recipe.model)
    shape = recipe.input_shape(dataset_info(recipe.dataset).input_shape)
    return costs.macs if costs and costs.input_shape == shape else None


def amount(recipe: Recipe) -> None:
    """Images and epochs."""
    times = f"up to {recipe.epochs:,}" if recipe.stopping else f"{recipe.epochs:,}"
    epochs = "epoch" if recipe.epochs == 1 else "epochs"
    show_card("Images an epoch", f"{images_per_epoch(recipe):,}", f"{times} {epochs}")


def augmentation_preview(recipe: Recipe, dataset: Dataset, *, images: int, augmented: bool) -> None:
    """Some training images, and augmented copies of them.

    Args:
        recipe: how they are resized and augmented.
        dataset: that they are from.
        images: how many.
        augmented: whether copies are shown before somebody asks for them, which needs Keras.
    """
    st.markdown("**Training images**")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Others", icon=":material/shuffle:", key="reshuffle", on_click=_reshuffle)
        if recipe.augmentation:
            augmented = st.toggle("Show augmented copies", augmented, key="preview")
        else:
            augmented = False
            st.caption(
                "This recipe has no augmentation. Set a shift or a rotation under "
                "More hyper-parameters → Augmentation to see it here."
            )
    seed = st.session_state.setdefault("preview_seed", 0)
    train = dataset.indices("train")
    chosen = np.random.default_rng(seed).choice(train, min(images, len(train)), replace=False)
    shown, words = dataset.images[np.sort(chosen)], "as they are"
    if augmented:
        size = recipe.size or shown.shape[1]
        key = (
            "augmented",
            dataset.spec,
            recipe.split_seed,
            images,
            seed,
            size,
            recipe.augmentation,
        )
        task = background().ask(
            key, lambda: augmented_images(shown, size, recipe.augmentation.of_images, seed)
        )
        shown = wait_for(task, waiting="Augmenting the images")
        words += ", then changed in several ways"
    charts.mosaic(
        shown, columns=len(chosen), width=WIDTH, alt=f"Training images, {words} ({dataset.title})"
    )


def augmented_images(
    images: np.ndarray, size: int, augmentation: Augmentation, seed: int
) -> np.ndarray:
    """Images as they are, and below as training augments them.

    Args:
        images: uint8 (n, height, width, channels).
        size: height and width of the network's images, pixels.
        augmentation: what is changed.
        seed: of the random changes.

    Returns:
        uint8 (n + COPIES * n, size, size, channels).
    """
    import tensorflow as tf

    from cnnkit.training import augment
    from cnnkit.training.pipeline import to_size

    plain = tf.cast(to_size(tf.constant(images), (size, size)), tf.float32)
    rows = [plain, *(augment(plain, augmentation, [seed, row]) for row in range(COPIES))]
    return np.rint(np.clip(np.concatenate(rows), 0, 255)).astype(np.uint8)


def _parameters(recipe: Recipe, count: int) -> None:
    usual = model_info(recipe.model).trainable
    words = "as published" if count == usual else f"{usual:,} as published"
    if is_code(recipe.model):
        words = "of your definition, for these images"
    show_card("Trainable parameters", f"{count:,}", words)


def show_card(label: str, value: str, words: str) -> None:
    """A figure in a frame: its label, its value, and where it is from."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.metric(label, value)
        st.caption(words)


def _basis(forecast: Estimate) -> str:
    pace = f"{forecast.images_per_second:,.0f} images a second"
    if forecast.alike:
        return f"{pace}, measured in “{forecast.source}”"
    return f"about: {pace} in “{forecast.source}”, which trained with other settings"


@st.cache_data(ttl=30, max_entries=16, show_spinner=False)
def _measured(model: str) -> list[tuple[str, Recipe, list[dict[str, float]]]]:
    """Earlier runs of a network that have ended an epoch here, newest first."""
    # The starter was trained on another machine.
    store = cache.store()
    ended = [status for status in Status if status is not Status.QUEUED]
    runs = [
        run
        for run in store.list(kind="train", statuses=ended)
        if network_name(run.spec) == model and not run.starter and "val_loss" in run.metrics
    ]
    recipes = [(run, recipe_of(run.spec)) for run in runs[:MEASURED]]
    return [(run.name, recipe, store.history(run.id)) for run, recipe in recipes if recipe]


def _reshuffle() -> None:
    st.session_state["preview_seed"] = random.randrange(2**31)
