"""Accuracy against cost of every network with ImageNet weights."""

from __future__ import annotations

import streamlit as st

from cnnkit.figures.dots import accuracy_against_cost
from cnnkit.models import PretrainedSpec, list_pretrained, pretrained_info
from cnnkit.published.measurements import Counts, counts
from cnnkit.ui.common import inputs, page
from cnnkit.ui.common.charts import clicked_point
from cnnkit.ui.common.messages import source

COSTS = {
    "macs": "multiply-accumulates for one image",
    "parameters": "parameters",
    "activation_bytes": "activation memory for one image, in bytes",
    "depth": "depth (layers with weights)",
}


def show_accuracy_and_cost() -> None:
    """The chart, links to the network that was clicked, and the values as a table."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cost = inputs.choice(
            "Cost", list(COSTS), parameter="cost", title=COSTS.__getitem__, width=380
        )
    known = [pretrained_info(name) for name in list_pretrained()]
    shown = [spec for spec in known if spec.top1 is not None]
    found = counts()
    point = clicked_point(
        accuracy_against_cost(
            [getattr(found[spec.name], cost) for spec in shown],
            [spec.top1 or 0 for spec in shown],
            [spec.title for spec in shown],
            [spec.family for spec in shown],
            x_title=COSTS[cost],
            y_title="top-1 accuracy, ImageNet validation",
        ),
        alt=_in_words(shown, found, cost),
        key="accuracy_against_cost",
    )
    if point:
        name = shown[[spec.title for spec in shown].index(point["customdata"][0])].name
        with st.container(horizontal=True):
            page.link("pages/architectures.py", f"Open {pretrained_info(name).title}",
                      view="one", network=name)  # fmt: skip
            page.link("pages/predict.py", "Predict with this network", networks=f"imagenet.{name}")
    else:
        st.caption("Click a dot to open that network.")
    unpublished = [spec.title for spec in known if spec.top1 is None]
    if unpublished:
        st.caption(f"No comparable accuracy was published for: {', '.join(unpublished)}.")
    with st.expander("Values as a table"):
        st.dataframe([_cells(spec, found[spec.name]) for spec in known], hide_index=True)
    source(
        "Accuracy: as published by the source in the table, at its image size; costs: "
        "counted by this project (docs/anatomy.md)."
    )


def _in_words(shown: list[PretrainedSpec], found: dict[str, Counts], cost: str) -> str:
    best = max(shown, key=lambda spec: spec.top1 or 0)
    cheap = min(shown, key=lambda spec: getattr(found[spec.name], cost))
    return (
        f"{len(shown)} networks, accuracy against {COSTS[cost]}: the most accurate is "
        f"{best.title} with {best.top1:.1%}, the cheapest {cheap.title} with {cheap.top1:.1%}"
    )


def _cells(spec: PretrainedSpec, found: Counts) -> dict[str, object]:
    return {
        "Network": spec.title,
        "Family": spec.family,
        "Images": f"{spec.size}×{spec.size}",
        "Top-1": None if spec.top1 is None else f"{spec.top1:.1%}",
        "Top-5": None if spec.top5 is None else f"{spec.top5:.1%}",
        "Parameters": found.parameters,
        "MACs": found.macs,
        "Activations, MiB": round(found.activation_bytes / 2**20, 1),
        "Depth": found.depth,
        "Accuracy from": spec.accuracy_source if spec.top1 else "",
        "Paper": spec.paper,
    }
