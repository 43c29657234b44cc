"""The networks of two runs side by side, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnkit.datasets import dataset_info
from cnnkit.errors import CnnkitError
from cnnkit.models import model_info
from cnnkit.models.builder import (
    REGISTERED,
    NetworkDefinition,
    get_template,
    is_code,
    layer_differences,
)
from cnnkit.runs import Run
from cnnkit.training.recipe import network_name


def show_layer_differences(runs: Sequence[Run], names: Sequence[str]) -> None:
    """The layers of two runs' networks, if they differ; nothing where they are not definitions.

    Args:
        runs: that are compared.
        names: of the runs, all different.
    """
    networks = [_definition(run) for run in runs]
    if not any(is_code(network_name(run.spec)) for run in runs):
        return
    if len(runs) != 2:
        st.caption("Choose two runs to see their networks layer by layer.")
        return
    first, second = networks
    if first is None or second is None:
        st.caption("One of the networks cannot be shown layer by layer.")
        return
    rows = layer_differences(first, second)
    if all(row.same for row in rows):
        st.caption("Both networks have the same layers.")
        return
    st.markdown("**Networks, layer by layer**")
    st.dataframe(
        {
            "": ["" if row.same else "≠" for row in rows],
            names[0]: [row.first or "–" for row in rows],
            names[1]: [row.second or "–" for row in rows],
        },
        hide_index=True,
        height="content",
        alt="The layers of both networks, side by side",
    )


def _definition(run: Run) -> NetworkDefinition | None:
    """The network of a run as a definition, also where it is registered; None: it is none."""
    name = network_name(run.spec)
    try:
        if is_code(name):
            return NetworkDefinition.from_code(name)
        options = {one.name: one.default for one in model_info(name).options}
        if name in REGISTERED and options | dict(run.spec.get("model_options") or {}) == options:
            data = dataset_info(str(run.spec["dataset"]))
            return get_template(name, data.input_shape, data.classes)
    except CnnkitError:  # of another version, or its data set is gone
        return None
    return None
