"""The network that is fine-tuned: where its recipe starts, and the button that starts it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import streamlit as st

from cnnkit import imported_runs
from cnnkit.assets import ASSETS
from cnnkit.datasets import Dataset
from cnnkit.errors import InvalidRecipeError
from cnnkit.models import (
    base_weights,
    list_pretrained,
    missing_weights,
    model_info,
    network_title,
)
from cnnkit.networks import RUN
from cnnkit.runs import Run
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
from cnnkit.ui.common import cache, inputs
from cnnkit.ui.common.downloads import offer_download
from cnnkit.ui.common.messages import literal
from cnnkit.ui.common.recipe_form import recipe_form
from cnnkit.ui.fine_tune.flower_results import recipe_title, show_flower_results
from cnnkit.ui.fine_tune.forecast import network_depths
from cnnkit.ui.train.training import submit_button

if TYPE_CHECKING:
    from cnnkit.training import Depth

FIRST = "mobilenet_v2"  # small, and quick without a GPU
SMALL = ("compact_photo_cnn", "photo_cnn")  # begin with random weights
# Where no recipe says how to go on below the head: what fits most networks.
UNFREEZE = Phase(train_from=HEAD, epochs=8, learning_rate=1e-4)
# Settings that older addresses hold, in the order in which they depend on each other.
FIELD_OF = {
    "depth": "{last}.train_from",
    "epochs": "phase1.epochs",
    "rate": "phase1.learning_rate",
    "deeper": "{last}.epochs",
    "deeper_rate": "{last}.learning_rate",
    "head": "head",
    "changes": "augmentation",
    "smoothing": "label_smoothing",
    "variants": "variants",
    "balanced": "balanced",
}
FLATTEN = Head(kind="flatten", units=256, dropout=0.5)  # as published


def choose_recipe(dataset: Dataset, split_seed: int) -> tuple[Recipe, dict[str, Depth]]:
    """The network, and how it is fine-tuned on a data set.

    Args:
        dataset: with the classes to learn.
        split_seed: that it was split by.

    Returns:
        The recipe, and what can be unfrozen of its network by the lowest trainable block.
    """
    base = _recipe_picker().on(dataset.name).replace(split_seed=split_seed)
    depths = network_depths(base, dataset)
    if base.phases[0].train_from == HEAD:
        st.caption(
            "Phase 1 trains only the new head, phase 2 the unfrozen layers below it as well."
        )
    show_flower_results()
    recipe = recipe_form(
        base,
        scope=f"fine_tune.{base.run or base.model}"
        + ("" if base.name == "fast" else f".{base.name}"),
        depths=list(depths),
        start_with=_recipe_of_address(base, depths),
        omit=["split_seed", *(["size", "preprocessing"] if base.run else [])],
    )
    return recipe, network_depths(recipe, dataset)  # with the head and the image size chosen


def _recipe_picker() -> Recipe:
    """The recipe to start from: `?network=` and `?recipe=` in the address.

    Networks whose weights are here come first, then small ones that begin with nothing;
    VGG16 is there in any case, as the post's.
    """
    available = [name for name in list_pretrained() if not missing_weights(name)]
    own = own_networks()
    names = [*available, *own, *SMALL, *(["vgg16"] if "vgg16" not in available else [])]
    left, right = st.columns(2)
    with left:
        chosen = inputs.choice(
            "Network",
            names,
            parameter="network",
            title=lambda name: own[name].name if name in own else _title(name, name in available),
            default=FIRST if FIRST in available else None,
        )
    starting = [_further(own[chosen])] if chosen in own else _starting_recipes(chosen)
    recipes = {recipe.name: recipe for recipe in starting}
    with right:
        name = inputs.choice(
            "Recipe",
            list(recipes),
            parameter="recipe",
            title=lambda name: recipe_title(recipes[name]),
        )
    if chosen in own:
        st.caption(f"Initial weights: those of “{literal(own[chosen].name)}”.")
        return recipes[name]
    _say_weights(chosen, chosen in available)
    return recipes[name].replace(weights="imagenet" if chosen in available else "random")


def own_networks() -> dict[str, Run]:
    """Networks of other origin that visitors keep among the runs, by their name in the address."""
    runs = cache.finished_runs(kinds=[imported_runs.KIND])
    return {f"{RUN}.{run.id}": run for run in runs if cache.run_input_shape(run)[2] == 3}


def _further(run: Run) -> Recipe:
    """The recipe by which a network among the runs is fine-tuned further."""
    recipe = fine_tuning_recipe(FIRST)
    return _with_second_phase(
        recipe.replace(model=str(run.spec["model"]), run=run.id, weights="random", size=None)
    )


def _say_weights(network: str, available: bool) -> None:
    """Where the initial weights come from, and a way to get those that are not here."""
    if network in SMALL:
        return
    if available:
        asset = ASSETS[base_weights(network)]
        st.caption(f"Initial weights: `{asset.filename}` ({asset.bytes / 1e6:,.0f} MB).")
        return
    st.warning(
        f"The official weights of {network_title(network)} are not on this machine, so "
        "it starts from random ones and reaches a low accuracy.",
        icon=":material/science:",
    )
    for asset in missing_weights(network):
        offer_download(asset, primary=False)


def fine_tune_button(recipe: Recipe, title: str) -> None:
    """Name the run, press Fine-tune; then the page shows it.

    Args:
        recipe: what to do.
        title: of the data set.
    """
    submit_button(
        recipe,
        f"{network_title(recipe.model)} on {title}",
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


def _starting_recipes(network: str) -> list[Recipe]:
    """The recipes of a network, the one that most visitors want first."""
    if network in SMALL:  # there is nothing below that a new head could spoil
        recipe = list_recipes(network, fine_tuning=False)[0]
        phase = Phase(train_from=ALL, epochs=recipe.epochs, learning_rate=recipe.learning_rate)
        return [recipe.replace(head=Head(), phases=(phase,))]
    first = fine_tuning_recipe(network)
    others = [one for one in list_recipes(network, fine_tuning=True) if one.name != first.name]
    others.sort(key=lambda recipe: recipe.name.startswith("published"))  # ours take less time
    return [_with_second_phase(recipe) for recipe in (first, *others)]


def _with_second_phase(recipe: Recipe) -> Recipe:
    """A recipe that trains the head alone, with a phase in which the form can unfreeze more."""
    head_only = [phase.train_from for phase in recipe.phases] == [HEAD]
    return recipe.replace(phases=(*recipe.phases, UNFREEZE)) if head_only else recipe


def _recipe_of_address(base: Recipe, depths: Collection[str]) -> Recipe:
    """A recipe with the settings of an older address, which forgets them.

    A value that cannot be is left out, and the page says so.

    Args:
        base: the recipe to start from.
        depths: values of `train_from` that its network has.
    """
    values = {name: st.query_params.pop(name) for name in FIELD_OF if name in st.query_params}
    if values.get("deeper") == "0":  # no epochs below the head
        values["depth"] = HEAD
    choices = {
        "depth": {depth: depth for depth in depths},
        "head": {"pool": asdict(base.head or Head()), "flatten": asdict(FLATTEN)},
        "changes": {name: asdict(preset) for name, preset in AUGMENTATION_PRESETS.items()},
    }
    recipe, phases = base, len(base.phases)
    for parameter, name in FIELD_OF.items():
        head_only = recipe.training_phases[-1].train_from == HEAD
        of_head, below = parameter in ("epochs", "rate"), parameter in ("deeper", "deeper_rate")
        if parameter not in values or (below and head_only):
            continue
        if of_head and phases == 1 and not head_only:
            continue
        try:
            value = _value(parameter, values[parameter], choices.get(parameter))
            recipe = with_values(recipe, {name.format(last=f"phase{phases}"): value})
        except InvalidRecipeError as error:
            st.warning(f"In the address: {error}", icon=":material/link_off:")
    return recipe


def _value(parameter: str, text: str, choices: Mapping[str, Any] | None) -> Any:
    if choices is not None:
        if text not in choices:
            names = ", ".join(choices)
            raise InvalidRecipeError(f"{parameter} must be one of {names}. Received: {text!r}.")
        return choices[text]
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text  # the recipe says what is wrong with it


def _title(name: str, available: bool) -> str:
    start = "from scratch" if name in SMALL else "ImageNet" if available else "random weights"
    return f"{network_title(name)} · {start}"
