"""The button that starts a fine-tuning, and a small network from scratch to compare with."""

from __future__ import annotations

import streamlit as st

from cnnkit.models import list_pretrained, model_info, pretrained_info
from cnnkit.training import Recipe, get_recipe
from cnnkit.ui.common import cache

SMALL = "compact_photo_cnn"


def button(recipe: Recipe, title: str) -> None:
    """Name the run, press Fine-tune; then the page shows it.

    Args:
        recipe: what to do.
        title: of the data set.
    """
    usual = f"{_title(recipe.model)} on {title}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of the run", placeholder=usual, max_chars=80, key="run_name")
        beside = st.toggle(
            "Also train a small network from scratch",
            key="from_nothing",
            help=f"{model_info(SMALL).title} is trained on the same images from random "
            "weights, as a run of its own: to compare with pretrained weights.",
        )
        pressed = st.button(
            "Fine-tune", type="primary", icon=":material/play_arrow:", key="fine_tune", width=160
        )
    if not pressed:
        return
    jobs = cache.jobs()
    run = jobs.submit(kind="train", spec=recipe.to_dict(), name=(name or "").strip() or usual)
    if beside:
        small = get_recipe(SMALL, "fast").on(recipe.dataset).replace(split_seed=recipe.split_seed)
        jobs.submit(
            kind="train", spec=small.to_dict(), name=f"{model_info(SMALL).title} on {title}"
        )
    st.query_params.from_dict({"run": run.id})
    st.rerun()


def _title(model: str) -> str:
    return (pretrained_info if model in list_pretrained() else model_info)(model).title
