"""Correcting the labels of an own set: images are chosen, and move to another class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from cnnkit.datasets import Dataset, DatasetSpec, dataset_info
from cnnkit.datasets.folders import move_images, versions
from cnnkit.ui.common import charts, page
from cnnkit.ui.common.messages import literal, shown_errors
from cnnkit.ui.common.person import person

MOST = 60  # images that are shown
WIDTH = 88  # pixels of one
Numbered = tuple[Dataset, Sequence[int]]  # a data set, and the numbers of some of its images


def offer(
    spec: DatasetSpec,
    load: Callable[[], Numbered],
    *,
    key: str,
    suggested: str = "",
    parameter: str = "",
) -> None:
    """A switch that shows images with a box each, and moves the chosen ones to another class.

    Nothing is drawn for a data set that the visitor may not change.

    Args:
        spec: of the data set.
        load: what the images are; called when the switch is on.
        key: of the widgets.
        suggested: class that they may belong to.
        parameter: of the address, which gets the name of the next version; "": a link leads there.
    """
    if spec.kind == "own" and not spec.deleted and person().may_change(spec.owner):
        _form(load, key, suggested, parameter)


@st.fragment
def _form(load: Callable[[], Numbered], key: str, suggested: str, parameter: str) -> None:
    moved = st.session_state.get(f"{key}_moved")
    if moved:
        title = dataset_info(moved).title
        st.success(f"{literal(title)} is the corrected data set.", icon=":material/check:")
        page.link("pages/fine_tune.py", f"Open {literal(title)}", data=moved)
    if not st.toggle(
        "Correct labels",
        key=f"{key}_correct",
        help="Moves images to another class, in the next version of the data set. This version "
        "stays as it is, for the networks that were trained on it.",
    ):
        return
    dataset, numbers = load()
    newest = dataset_info(versions(dataset.name)[-1])
    # Boxes of their own for each version: after a move none is ticked.
    chosen = _choose(dataset, numbers[:MOST], f"{key}_{newest.name}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = newest.class_names
        index = names.index(suggested) if suggested in names else 0
        to = st.selectbox("To class", names, index=index, key=f"{key}_to", width=240)
        count = f"{len(chosen)} image{'' if len(chosen) == 1 else 's'}"
        pressed = st.button(
            f"Move {count}",
            type="primary",
            icon=":material/drive_file_move:",
            disabled=not chosen,
            key=f"{key}_move",
        )
    if pressed and to:
        with shown_errors(stop=False):
            name = move_images(dataset.name, chosen, to, person=person()).name
            if parameter:
                st.query_params[parameter] = name
            else:
                st.session_state[f"{key}_moved"] = name
            st.rerun()


def _choose(dataset: Dataset, numbers: Sequence[int], key: str) -> list[int]:
    """Images with a box each; the numbers of those whose box is ticked."""
    chosen: list[int] = []

    def box(place: int) -> None:
        number = int(numbers[place])
        if st.checkbox("Move", key=f"{key}_{number}"):
            chosen.append(number)

    names = [dataset.names[number] for number in numbers]
    charts.photos(
        np.stack([dataset.images[number] for number in numbers]),
        [literal(name.rpartition("/")[2]) for name in names],
        alts=[f"{name}, an image that may be moved" for name in names],
        width=WIDTH,
        below=box,
    )
    return chosen
