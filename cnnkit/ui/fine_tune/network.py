"""The network that is fine-tuned: where its recipe starts, and the button that starts it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import streamlit as st

from cnnkit.errors import InvalidRecipeError
from cnnkit.models import list_pretrained, missing_weights, model_info, pretrained_info
from cnnkit.training import (
    ALL,
    HEAD,
    Head,
    Phase,
    Recipe,
    fine_tuning_recipe,
    get_recipe,
    list_recipes,
)
from cnnkit.training.fields import with_values
from cnnkit.training.recipes import AUGMENTATION_PRESETS
from cnnkit.ui.common import inputs
from cnnkit.ui.common.downloads import offer_download
from cnnkit.ui.train.training import submit_button

FIRST = "mobilenet_v2"  # small, and quick without a GPU
SMALL = ("compact_photo_cnn", "photo_cnn")  # begin with random weights
# Where no recipe says how to go on below the head: what fits most networks.
UNFREEZE = Phase(train_from=HEAD, epochs=8, learning_rate=1e-4)
# Settings of older addresses, by the field that each one sets. Those of the phases: see below.
FIELD_OF = {"smoothing": "label_smoothing", "variants": "variants", "balanced": "balanced"}
PHASE_SETTING_OF = {
    "epochs": "epochs", "rate": "learning_rate", "deeper": "epochs", "deeper_rate": "learning_rate"
}  # fmt: skip
PARAMETERS = ("depth", "head", "changes", *FIELD_OF, *PHASE_SETTING_OF)
FLATTEN = Head(kind="flatten", units=256, dropout=0.5)  # as published


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
    if chosen not in SMALL:
        st.caption(
            "Phase 1 trains only the new head, phase 2 the unfrozen layers below it as well."
        )
    return _starting_recipe(chosen, "imagenet" if chosen in here else "random")


def fine_tune_button(recipe: Recipe, title: str) -> None:
    """Name the run, press Fine-tune; then the page shows it.

    Args:
        recipe: what to do.
        title: of the data set.
    """
    submit_button(
        recipe,
        f"{_network_title(recipe.model)} on {title}",
        "Fine-tune",
        key="fine_tune",
        others=lambda: _from_scratch(recipe, title),
    )


def _from_scratch(recipe: Recipe, title: str) -> dict[str, Recipe]:
    """A small network to compare with, if it is wanted, by the name of its run."""
    small = get_recipe(SMALL[0], "fast").on(recipe.dataset).replace(split_seed=recipe.split_seed)
    network = model_info(small.model).title
    chosen = st.toggle(
        "Also train a small network from scratch",
        key="from_nothing",
        help=f"{network} is trained on the same images from random weights, as a run of its own: "
        "to compare with pretrained weights.",
    )
    return {f"{network} on {title}": small} if chosen else {}


def _starting_recipe(name: str, weights: str) -> Recipe:
    if name in SMALL:  # there is nothing below that a new head could spoil
        recipe = list_recipes(name, fine_tuning=False)[0]
        phase = Phase(train_from=ALL, epochs=recipe.epochs, learning_rate=recipe.learning_rate)
        return recipe.replace(head=Head(), phases=(phase,))
    recipe = fine_tuning_recipe(name).replace(weights=weights)
    first, *others = recipe.phases
    return recipe.replace(phases=(first, *(others or [UNFREEZE])))


def settings_of_address(base: Recipe, depths: Collection[str]) -> dict[str, Any]:
    """The settings that links to this page could hold before; the address forgets them.

    Args:
        base: the recipe to start from.
        depths: values of `train_from` that its network has.

    Returns:
        Values by dotted name. A value that cannot be is left out, and the page says so.
    """
    given = {name: st.query_params.pop(name) for name in PARAMETERS if name in st.query_params}
    if len(base.phases) > 1 and given.get("deeper") == "0":  # no epochs below the head
        del given["deeper"]
        given["depth"] = HEAD
    depth = given.get("depth", base.training_phases[-1].train_from)
    values: dict[str, Any] = {}
    for parameter, text in given.items():
        try:
            new = _setting(parameter, text, base, depth, depths)
            with_values(base, new)
        except InvalidRecipeError as error:
            new = {}
            st.warning(f"In the address: {error}", icon=":material/link_off:")
        values |= new
    return values


def _setting(
    parameter: str, text: str, base: Recipe, depth: str, depths: Collection[str]
) -> dict[str, Any]:
    """What a parameter of the address sets; nothing where it has no effect at this depth.

    Raises:
        InvalidRecipeError: it has no such value.
    """
    if parameter == "head":
        head = FLATTEN if text == "flatten" else Head(kind=text)
        return {f"head.{name}": value for name, value in asdict(head).items()}
    if parameter == "changes":
        _check(parameter, text, AUGMENTATION_PRESETS)
        preset = asdict(AUGMENTATION_PRESETS[text])
        return {f"augmentation.{name}": value for name, value in preset.items()}
    if parameter == "depth":
        _check(parameter, text, depths)
        return {f"phase{len(base.phases)}.train_from": text}
    value = _number(text)
    if parameter in FIELD_OF:
        return {FIELD_OF[parameter]: value}
    # The first two are of the phase in which only the head is trained, the others of the last.
    of_head = parameter in ("epochs", "rate")
    if of_head and len(base.phases) == 1 and depth != HEAD or not of_head and depth == HEAD:
        return {}
    number = 1 if of_head else len(base.phases)
    return {f"phase{number}.{PHASE_SETTING_OF[parameter]}": value}


def _check(parameter: str, text: str, allowed: Collection[str]) -> None:
    if text not in allowed:
        raise InvalidRecipeError(
            f"{parameter} must be one of {', '.join(allowed)}. Received: {text!r}."
        )


def _number(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text  # the recipe says what is wrong with it


def _title(name: str, here: bool) -> str:
    start = "from scratch" if name in SMALL else "ImageNet" if here else "random weights"
    return f"{_network_title(name)} · {start}"


def _network_title(name: str) -> str:
    return (pretrained_info if name in list_pretrained() else model_info)(name).title
