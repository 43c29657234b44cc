"""Network, depth and settings: the form of the Fine-tune page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from cnnkit.datasets import Dataset
from cnnkit.models import list_pretrained, missing_weights, model_info, pretrained_info
from cnnkit.training import ALL, HEAD, Head, Phase, Recipe, fine_tuning_recipe, list_recipes
from cnnkit.training.recipes import AUGMENTATION_PRESETS as MIXES
from cnnkit.ui.common import inputs
from cnnkit.ui.common.downloads import offer_download

if TYPE_CHECKING:
    from cnnkit.training import Depth

FIRST = "mobilenet_v2"  # small, and quick without a GPU
SMALL = ("compact_photo_cnn", "photo_cnn")  # begin with random weights
HEADS = {"pool": "Global average pooling", "flatten": "Flatten and a dense layer"}
POST_HEAD = Head(kind="flatten", units=256, dropout=0.5)
MIX_TITLES = {
    "none": "None",
    "flip": "Horizontal flip",
    "post": "Shear, zoom, flip (published)",
    "photos": "Crop, rotation, flip, brightness",
    "flowers": "Crop, small rotation, flip, brightness",
    "AlexNet": "Crop, flip, PCA color noise (AlexNet)",
    "strong": "All of these, and cutout",
}


def network_picker() -> Recipe:
    """The recipe to start from, by its network; `?network=` in the address.

    Networks whose weights are here come first, then small ones that begin with nothing;
    VGG16 is there in any case, as the post's.
    """
    here = [name for name in list_pretrained() if not missing_weights(name)]
    names = [*here, *SMALL, *(["vgg16"] if "vgg16" not in here else [])]
    chosen = inputs.choice(
        "Network",
        names,
        parameter="network",
        title=lambda name: _title(name, name in here),
        default=FIRST if FIRST in here else None,
    )
    if chosen == "vgg16" and chosen not in here:
        st.warning(
            f"The official weights of {pretrained_info(chosen).title} are not on this machine, so "
            "it starts from random ones and reaches a low accuracy.",
            icon=":material/science:",
        )
        for asset in missing_weights(chosen):
            offer_download(asset, primary=False)
    if chosen in SMALL:
        return _from_nothing(chosen)
    return fine_tuning_recipe(chosen).replace(weights="imagenet" if chosen in here else "random")


def _from_nothing(name: str) -> Recipe:
    """All layers of a small network learn, and as long as that takes."""
    recipe = list_recipes(name, fine_tuning=False)[0]
    return recipe.replace(
        head=Head(),
        phases=(Phase(train_from=ALL, epochs=recipe.epochs, learning_rate=recipe.learning_rate),),
        cached=False,
    )


def depth_slider(known: Mapping[str, Depth], base: Recipe) -> Depth:
    """How much of the network learns, from the head alone to everything."""
    usual = _last(base).train_from
    chosen = inputs.choice(
        "Unfreeze from block",
        list(known),
        parameter="depth",
        default=usual if usual in known else HEAD,
        title=lambda name: {HEAD: "head only", ALL: "all layers"}.get(name, name),
        widget=st.select_slider,
    )
    return known[chosen]


def settings(base: Recipe, depth: Depth, dataset: Dataset) -> Recipe:
    """The recipe with what a person turns; all of it in the address."""
    with st.expander("Settings", icon=":material/tune:"):
        left, middle, right = st.columns(3)
        with left:
            head = _head(base.head or Head())
            epochs = inputs.number(
                "Epochs, head only",
                1,
                200,
                parameter="epochs",
                default=_first(base).epochs or 1,
            )
            rate = _rate("Learning rate, head only", "rate", _first(base).learning_rate or 1e-3)
        with middle:
            deeper = inputs.number(
                "Epochs, unfrozen",
                0,
                200,
                parameter="deeper",
                default=(_last(base).epochs or 1) if _last(base).train_from != HEAD else 8,
                disabled=depth.train_from == HEAD,
            )
            low = _rate("Learning rate, unfrozen", "deeper_rate", _last(base).learning_rate or 1e-3)
            smoothing = inputs.number(
                "Label smoothing",
                0.0,
                0.5,
                parameter="smoothing",
                default=base.label_smoothing,
                step=0.05,
            )
        with right:
            mix = inputs.choice(
                "Augmentation",
                list(MIXES),
                parameter="changes",
                title=MIX_TITLES.__getitem__,
                default=next((n for n, a in MIXES.items() if a == base.augmentation), "photos"),
            )
            variants = inputs.number(
                "Variants",
                1,
                16,
                parameter="variants",
                default=base.variants,
                help="Copies of each image in the feature cache, all but one of them augmented.",
            )
            balanced = st.toggle("Balance classes", key="balanced", bind="query-params")
    below = replace(
        _last(base), train_from=depth.train_from, epochs=int(deeper) or 1, learning_rate=float(low)
    )
    first = replace(_first(base), train_from=HEAD, epochs=int(epochs), learning_rate=float(rate))
    if depth.train_from == HEAD:
        phases = (first,)
    elif base.model in SMALL:
        phases = (below,)  # there is nothing below that a new head could spoil
    else:
        phases = (first, below) if deeper else (first,)
    return base.replace(
        name="custom",
        dataset=dataset.name,
        head=head,
        phases=phases,
        augmentation=MIXES[mix],
        variants=int(variants),
        balanced=balanced,
        label_smoothing=float(smoothing),
    )


def _title(name: str, here: bool) -> str:
    if name in SMALL:
        return f"{model_info(name).title} · from scratch"
    spec = pretrained_info(name)
    return f"{spec.title} · {'ImageNet' if here else 'random weights'}"


def _first(base: Recipe) -> Phase:
    return base.training_phases[0]


def _last(base: Recipe) -> Phase:
    return base.training_phases[-1]


def _head(base: Head) -> Head:
    chosen = inputs.choice(
        "Head", list(HEADS), parameter="head", title=HEADS.__getitem__, default=base.kind
    )
    if chosen == base.kind:
        return base
    return POST_HEAD if chosen == "flatten" else Head()


def _rate(label: str, parameter: str, default: float) -> float:
    return inputs.number(
        label, 1e-6, 1.0, parameter=parameter, default=default, step=1e-4, format="%.5f"
    )
