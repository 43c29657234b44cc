"""Choosing a data set: flowers, or uploaded images."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnkit.datasets import Dataset, DatasetSpec, dataset_info, list_datasets, load_dataset
from cnnkit.datasets.folders import newest_own
from cnnkit.ui.common import inputs, page
from cnnkit.ui.common.downloads import offer_download
from cnnkit.ui.common.messages import literal, shown_errors
from cnnkit.ui.common.tasks import image_tasks, wait_for
from cnnkit.ui.fine_tune import importing
from cnnkit.ui.fine_tune.importing import PARAMETER

SEEDS = 1000


def choose_data() -> tuple[Dataset, int] | None:
    """The data set of the address (`?data=`, `?split=`), decoded and split, and the split's seed.

    Draws the pickers and the import of images. While no data set is chosen the page asks for
    one, and reads none.

    Returns:
        None where none is chosen, or its images cannot be had yet; the page says why.
    """
    names = (*list_datasets("images"), *inputs.own_datasets())
    specs = {name: dataset_info(name) for name in names}
    chosen = st.query_params.get(PARAMETER)
    if chosen not in specs:
        if chosen:
            st.warning(
                f"The address asks for data set “{literal(chosen)}”, which is not here. It may "
                "have been deleted.",
                icon=":material/link_off:",
            )
        _first_step(specs)
        return None
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        name = inputs.choice(
            "Data set",
            list(specs),
            parameter=PARAMETER,
            title=lambda name: inputs.dataset_choice(specs[name]),
        )
    with right, st.container(horizontal=True, vertical_alignment="bottom"):
        seed = inputs.number(
            "Split",
            0,
            SEEDS - 1,
            parameter="split",
            default=0,
            width=110,
            help="Seed of the split into training, validation and test set: the same number always "
            "gives the same split.",
        )
        importing.offer()
        if specs[name].kind == "own":
            importing.manage(specs[name])
    _describe(specs[name])
    dataset = _read(specs[name], int(seed))
    return dataset and (dataset, int(seed))


def _first_step(specs: Mapping[str, DatasetSpec]) -> None:
    """Which images? A card for each data set that is there, and one for a person's own."""
    st.header("Choose your images", anchor="images")
    ready = [spec for spec in specs.values() if spec.kind == "images"]
    newest = newest_own()
    own = [spec for spec in specs.values() if spec.name in newest]
    for place, spec in zip(st.columns(len(ready) + 1), [*ready, None], strict=True):
        with place, st.container(border=True, height="stretch"):
            if spec is None:
                st.markdown("**Your own images**")
                st.caption(
                    "A ZIP with one folder for each class, or files with a table of classes."
                )
                with st.container(horizontal=True, vertical_alignment="center"):
                    importing.offer()
                    page.link("pages/camera.py", "Use the camera")
                for one in own:
                    _choose_button(one, inputs.dataset_choice(one))
            else:
                st.markdown(f"**{inputs.dataset_choice(spec)}**")
                st.caption(literal(spec.description))
                _choose_button(spec, f"Use {spec.title.lower()}")
    st.caption("Nothing is read, downloaded or computed before you choose.")


def _choose_button(spec: DatasetSpec, label: str) -> None:
    st.button(
        literal(label),
        key=f"choose_{spec.name}",
        on_click=st.query_params.update,
        args=({PARAMETER: spec.name},),
        width="stretch",
    )


def _describe(spec: DatasetSpec) -> None:
    origin = f" {spec.source}. {spec.license.capitalize()}." if spec.files else ""
    st.caption(literal(f"{spec.description}{origin}"))


def _read(spec: DatasetSpec, seed: int) -> Dataset | None:
    if not spec.available:
        st.info(
            f"The images of {spec.title} are not on this machine. Get them here, or choose "
            "**Drawn flowers**, which need no download.",
            icon=":material/download:",
        )
        offer_download(*spec.missing)
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
