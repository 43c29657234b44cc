"""What shall learn, how deep, and from what: the form of the Fine-tune page."""

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
HEADS = {"pool": "Mean of each map", "flatten": "Flatten and a hidden layer"}
POST_HEAD = Head(kind="flatten", units=256, dropout=0.5)
MIX_TITLES = {
    "none": "None",
    "flip": "Mirror",
    "post": "Shear, zoom, mirror (as the post)",
    "photos": "Crop, turn, mirror, light",
    "flowers": "Crop, turn a little, mirror, light",
    "AlexNet": "Crop, mirror, colour (as AlexNet)",
    "strong": "All of it, and blanked squares",
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
            "it begins with random ones: it shows the way, and learns little.",
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
        "Learn from this block on",
        list(known),
        parameter="depth",
        default=usual if usual in known else HEAD,
        title=lambda name: {HEAD: "only the new head", ALL: "everything"}.get(name, name),
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
                "Epochs with the head alone",
                1,
                200,
                parameter="epochs",
                default=_first(base).epochs or 1,
            )
            rate = _rate("Its learning rate", "rate", _first(base).learning_rate or 1e-3)
        with middle:
            deeper = inputs.number(
                "Epochs of what is below too",
                0,
                200,
                parameter="deeper",
                default=(_last(base).epochs or 1) if _last(base).train_from != HEAD else 8,
                disabled=depth.train_from == HEAD,
            )
            low = _rate("Their learning rate", "deeper_rate", _last(base).learning_rate or 1e-3)
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
                "Changes of the images",
                list(MIXES),
                parameter="changes",
                title=MIX_TITLES.__getitem__,
                default=next((n for n, a in MIXES.items() if a == base.augmentation), "photos"),
            )
            variants = inputs.number(
                "Variants of each image",
                1,
                16,
                parameter="variants",
                default=base.variants,
                help="Below the lowest layer that learns, each is computed once and kept.",
            )
            balanced = st.toggle("Rare classes count more", key="balanced", bind="query-params")
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
        return f"{model_info(name).title} · from nothing"
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
