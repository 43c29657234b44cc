"""Before a fine-tuning: depths of the network, trainable parameters, memory and time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from cnnkit.datasets import Dataset
from cnnkit.training import Recipe
from cnnkit.ui.common.polling import duration
from cnnkit.ui.common.tasks import background, wait_for

if TYPE_CHECKING:
    from cnnkit.training import Depth


def network_depths(recipe: Recipe, dataset: Dataset) -> dict[str, Depth]:
    """What can be unfrozen of the network, by the lowest trainable block; the head first."""
    from cnnkit.training import list_depths

    classes = len(dataset.class_names)
    key = ("depths", recipe.model, recipe.size, recipe.head, classes)
    answer = background().ask(
        key, lambda: list_depths(recipe.model, size=recipe.size, head=recipe.head, classes=classes)
    )
    depths = wait_for(answer, waiting="Building the network to see its blocks")
    return {depth.train_from: depth for depth in depths}


def costs(recipe: Recipe, depths: Mapping[str, Depth], dataset: Dataset) -> None:
    """Trainable parameters, memory, and the size of the feature cache."""
    deepest = depths[recipe.phases[-1].train_from]
    images = _images(dataset)
    rows = images[0] * (recipe.variants if recipe.augmentation else 1) + images[1]
    features = sum({depths[phase.train_from].feature_bytes for phase in recipe.phases})
    cache_bytes = rows * features if recipe.caches_features else 0
    with st.container(horizontal=True):
        st.metric("Trainable parameters", f"{deepest.trainable:,}", border=True)
        st.metric(
            "Share of all parameters", f"{deepest.trainable / deepest.parameters:.1%}", border=True
        )
        st.metric("Memory, about", _size(deepest.memory(recipe.batch_size)), border=True)
        st.metric(
            "Feature cache",
            _size(cache_bytes) if cache_bytes else "nothing",  # where no layer is frozen
            border=True,
            help="Outputs of the frozen layers for each variant of an image, kept on disk.",
        )


def time_needed(recipe: Recipe, depths: Mapping[str, Depth], dataset: Dataset) -> None:
    """About how long it takes on this machine."""
    from cnnkit.training.estimates import estimate_time

    key = ("seconds", recipe.model, recipe.size, recipe.head)
    answer = background().ask(key, lambda: _seconds(recipe, len(dataset.class_names)))
    seconds = wait_for(answer, waiting="Measuring the speed of the network here")
    needed = estimate_time(recipe, dict(depths), _images(dataset), seconds)
    parts = (
        f": {duration(needed.features)} for the outputs of the frozen layers, "
        f"{duration(needed.training)} for training"
        if needed.features
        else ""  # nothing is frozen
    )
    st.caption(
        f":material/schedule: About **{duration(needed.seconds)}** on this machine{parts}. "
        f"Estimated from {1000 * seconds:.0f} ms per image, measured here just now; "
        "other jobs make it slower."
    )


def _images(dataset: Dataset) -> tuple[int, int]:
    """To learn from, and to choose by."""
    return len(dataset.indices("train")), len(dataset.indices("validation"))


def _seconds(recipe: Recipe, classes: int) -> float:
    from cnnkit.training import build_network
    from cnnkit.training.network import image_seconds

    return image_seconds(build_network(recipe.replace(weights="random", run=""), classes))


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
