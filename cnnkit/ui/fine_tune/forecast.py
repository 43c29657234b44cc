"""Before a fine-tuning: depths of the network, trainable parameters, memory and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import streamlit as st

from cnnkit.datasets import Dataset
from cnnkit.networks import RUN, NetworkRef
from cnnkit.runs import Run, Status
from cnnkit.training import Recipe
from cnnkit.training.estimates import recipe_of
from cnnkit.ui.common import cache
from cnnkit.ui.common.messages import literal
from cnnkit.ui.common.polling import duration
from cnnkit.ui.common.tasks import background, wait_for

if TYPE_CHECKING:
    import keras

    from cnnkit.training import Depth

EARLIER = 50  # runs that are looked at for the speed of a network
ENOUGH = 64  # images whose features tell it


def network_depths(recipe: Recipe, dataset: Dataset) -> dict[str, Depth]:
    """What can be unfrozen of the network, by the lowest trainable block; the head first."""
    classes = len(dataset.class_names)
    key = ("depths", recipe.run or recipe.model, recipe.size, recipe.head, classes)
    answer = background().ask(key, lambda: _depths(recipe, classes))
    depths = wait_for(answer, waiting="Building the network to see its blocks")
    return {depth.train_from: depth for depth in depths}


def costs(recipe: Recipe, depths: Mapping[str, Depth], dataset: Dataset) -> None:
    """Trainable parameters, memory, and the size of the feature cache."""
    deepest = depths[recipe.phases[-1].train_from]
    images = _images(recipe, dataset)
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

    earlier = _earlier_run(recipe, depths)
    if earlier:
        seconds, basis = earlier[1], f"as in “{literal(earlier[0].name)}” on this machine"
    else:
        key = ("seconds", recipe.run or recipe.model, recipe.size, recipe.head)
        answer = background().ask(key, lambda: _seconds(recipe, len(dataset.class_names)))
        seconds = wait_for(answer, waiting="Measuring the speed of the network here")
        basis = "measured here just now"
    needed = estimate_time(recipe, dict(depths), _images(recipe, dataset), seconds)
    parts = (
        f": {duration(needed.features)} for the outputs of the frozen layers, "
        f"{duration(needed.training)} for training and the test"
        if needed.features
        else ""  # nothing is frozen
    )
    st.caption(
        f":material/schedule: About **{duration(needed.seconds)}** on this machine{parts}. "
        f"Estimated from {1000 * seconds:.0f} ms per image, {basis}; other jobs make it slower, "
        "and features that are in the cache take no time."
    )


def _images(recipe: Recipe, dataset: Dataset) -> tuple[int, int, int]:
    """In the training, the validation and the test set, as the recipe splits the data set."""
    train, validation, test = map(dataset.size, ("train", "validation", "test"))
    if recipe.per_class:
        train = min(train, recipe.per_class * len(dataset.class_names))
    return train, validation, test


def _earlier_run(recipe: Recipe, depths: Mapping[str, Depth]) -> tuple[Run, float] | None:
    """The newest run here that computed features of such a network, and its seconds per image."""
    for run in cache.learning_runs(statuses=[Status.FINISHED], limit=EARLIER):
        other = recipe_of(run.spec)
        images = run.metrics.get("features_computed", 0)
        if other is None or images < ENOUGH or run.starter:
            continue
        frozen = [depths[p.train_from] for p in other.training_phases if p.train_from in depths]
        same = (other.model, other.run, other.size) == (recipe.model, recipe.run, recipe.size)
        if same and frozen:
            deepest = max(frozen, key=lambda depth: depth.frozen_macs)
            share = deepest.frozen_macs / deepest.macs
            return run, run.metrics["features_seconds"] / images / share
    return None


def _depths(recipe: Recipe, classes: int) -> list[Depth]:
    from cnnkit.training import build_network, list_depths
    from cnnkit.training.network import network_depths as depths_of

    if recipe.run:
        return depths_of(build_network(recipe, classes, _base(recipe)))
    return list_depths(recipe.model, size=recipe.size, head=recipe.head, classes=classes)


def _base(recipe: Recipe) -> Callable[[], keras.Model] | None:
    """Opens the network of the recipe's run anew: layers are added to it."""
    return (lambda: NetworkRef(RUN, recipe.run).open().model) if recipe.run else None


def _seconds(recipe: Recipe, classes: int) -> float:
    from cnnkit.training import build_network
    from cnnkit.training.network import image_seconds

    return image_seconds(build_network(recipe.replace(weights="random"), classes, _base(recipe)))


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
