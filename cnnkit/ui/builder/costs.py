"""What a network costs, whether this machine can train it, and the way to training."""

from __future__ import annotations

import streamlit as st

from cnnkit.anatomy import architecture
from cnnkit.datasets import DatasetSpec
from cnnkit.figures.architecture import draw_architecture
from cnnkit.models.builder import CheckedDefinition
from cnnkit.networks import BUILT, NetworkRef
from cnnkit.training import get_recipe
from cnnkit.ui.architectures.network_choice import ChosenNetwork
from cnnkit.ui.architectures.network_view import show_costs, show_layer_table
from cnnkit.ui.train.forecast import memory_of, memory_problem, show_card, time_needed


def show_costs_or_problem(checked: CheckedDefinition) -> None:
    """Its costs, as on the page Architectures; or what does not fit."""
    if checked.table is None:
        count = len(checked.problems)
        st.error(
            f"{count} layer{'s do' if count > 1 else ' does'} not fit: {checked.problems[0]}",
            icon=":material/error:",
        )
        st.caption("Costs and figure appear when all layers fit.")
        return
    st.success("All layers fit.", icon=":material/check:")
    show_costs(checked.table)


def show_figure(checked: CheckedDefinition) -> None:
    """Figure and layer table as on Architectures; nothing while something does not fit."""
    if checked.table is None:
        return
    st.html(draw_architecture(architecture(checked.table)))
    with st.expander("Layer table", icon=":material/table:"):
        chosen = ChosenNetwork(NetworkRef(BUILT, checked.definition.code))
        show_layer_table(chosen, checked.table)


def show_training(checked: CheckedDefinition, data: DatasetSpec) -> None:
    """Memory and time of a training, and the button to it, off while something does not fit."""
    possible = checked.table is not None
    if possible:
        recipe = get_recipe(checked.definition.code, "fast").on(data.name)
        with st.container(horizontal=True):
            show_card(
                "Memory",
                f"{(memory_of(recipe) or 0) / 2**20:,.0f} MiB",
                f"in training, with batches of {recipe.batch_size} images",
            )
            time_needed(recipe)
        problem = memory_problem(recipe)
        if problem:
            st.error(problem, icon=":material/memory:")
            possible = False
    if st.button(
        "Train this network",
        type="primary",
        icon=":material/play_arrow:",
        key="build_train",
        disabled=not possible,
        help="Opens the page Train with this network, where you can change the recipe.",
    ):
        query = {"model": checked.definition.code, "dataset": data.name}
        st.switch_page("pages/train.py", query_params=query)
