"""Choosing a data set: flowers, or uploaded images."""

from __future__ import annotations

import streamlit as st

from cnnkit.datasets import Dataset, DatasetSpec, dataset_info, list_datasets, load_dataset
from cnnkit.ui.common import inputs
from cnnkit.ui.common.downloads import offer_download
from cnnkit.ui.common.messages import literal, shown_errors
from cnnkit.ui.common.tasks import image_tasks, wait_for
from cnnkit.ui.fine_tune import imported_dataset, importing

PARAMETER = "data"  # in the address
SEEDS = 1000


def choose_data() -> Dataset | None:
    """The data set of the address (`?data=`, `?split=`), decoded and divided.

    Draws the pickers and the way to import images. None: the images cannot be had
    yet, and the page says why.
    """
    names = [*list_datasets("images"), *list_datasets("own")]
    specs = {name: dataset_info(name) for name in names}
    default = "flowers17" if specs["flowers17"].available else "drawn_flowers"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = inputs.choice(
            "Data set",
            names,
            parameter=PARAMETER,
            title=lambda name: _title(specs[name]),
            default=default,
        )
        seed = inputs.number(
            "Split",
            0,
            SEEDS - 1,
            parameter="split",
            default=0,
            width=130,
            help="Seed of the split into training, validation and test set: the same number always "
            "gives the same split.",
        )
        importing.offer()
        if specs[name].kind == "own":
            imported_dataset.manage(specs[name], PARAMETER)
    _describe(specs[name])
    return _read(specs[name], int(seed))


def _title(spec: DatasetSpec) -> str:
    if spec.kind == "own":
        return f"{spec.title} (yours, {sum(spec.images):,} images)"
    return spec.title if spec.available else f"{spec.title} (not on this machine yet)"


def _describe(spec: DatasetSpec) -> None:
    origin = f" {spec.source}. {spec.licence.capitalize()}." if spec.asset else ""
    st.caption(literal(f"{spec.description}{origin}"))


def _read(spec: DatasetSpec, seed: int) -> Dataset | None:
    if not spec.available:
        st.info(
            f"The images of {spec.title} are not on this machine. Get them here, or choose "
            "**Drawn flowers**, which need no download.",
            icon=":material/download:",
        )
        offer_download(str(spec.asset))
        return None
    key = ("read", spec, seed)  # another title or other names of classes are read anew
    name = spec.name
    reading = image_tasks().ask_with_progress(
        key, lambda progress: load_dataset(name, split_seed=seed, progress=progress)
    )
    with shown_errors(stop=False):
        return wait_for(
            reading, waiting=f"Preparing the images of {literal(spec.title)}, once for all visits"
        )
    if st.button("Try again", icon=":material/refresh:"):
        image_tasks().forget(key)
        st.rerun()
    return None
