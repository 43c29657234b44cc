"""Over a data set: the patches that activate a map most, and the units that nothing activates."""

from __future__ import annotations

import time

import streamlit as st

from cnnkit.datasets import dataset_info, dataset_title, list_datasets
from cnnkit.figures.rasters import boxed
from cnnkit.jobs.kinds.top_activations import IMAGES, PLACES, POSITIONS, VALUES
from cnnkit.jobs.sessions import SessionState
from cnnkit.models import ModelCard
from cnnkit.networks import NetworkRef
from cnnkit.runs import Status
from cnnkit.ui.common import cache, charts, inputs
from cnnkit.ui.inside.one_map import ChosenMap
from cnnkit.visualize.layer_activations import ActivationReader, box_of

PHOTOS = "photos"  # in the address: the example photos
PATCH = 112  # pixels on the screen
EVERY = 0.3  # seconds between two looks


def show_top_patches(
    chosen: ChosenMap, ref: NetworkRef, card: ModelCard, reader: ActivationReader
) -> None:
    """The nine patches, once the visitor asked for them. Call it last: it may wait."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        data = _dataset_picker(card)
        asked = st.session_state.setdefault("top_activations", {})
        key = str(ref), chosen.layer, data
        state = cache.visualization_worker().state(asked.get(key, ""))
        stale = state is None or state.status in (Status.INTERRUPTED, Status.CANCELLED)
        if stale and st.button("Find the top activating patches", icon=":material/search:"):
            name = "" if data == PHOTOS else data
            asked[key] = cache.visualization_worker().ask_top_activations(ref, chosen.layer, name)
            st.rerun()
    if stale:
        st.caption(
            "All images of the data set go through the network once. Then every map of this layer "
            "shows the nine patches that activate it most."
        )
        return
    state = _wait(asked[key])
    if state is None:
        st.caption("The result is no longer kept. Search again.")
    elif state.status is Status.FINISHED:
        _show_found(asked[key], state, chosen, reader)
    else:
        st.error(state.reason, icon=":material/error:")


def _dataset_picker(card: ModelCard) -> str:
    own = [card.dataset] if card.dataset in (*list_datasets(), *list_datasets("own")) else []
    here = [name for name in own if dataset_info(name).available]
    alike = [
        name
        for name in list_datasets()
        if dataset_info(name).available
        and dataset_info(name).input_shape[-1] == card.input_shape[-1]
    ]
    photos = [PHOTOS] if card.input_shape[-1] == 3 else []
    options = list(dict.fromkeys([*here, *photos, *alike]))
    return inputs.choice(
        "Images to search",
        options,
        parameter="search",
        title=lambda name: "Example photos, in squares" if name == PHOTOS else dataset_title(name),
        width=280,
    )


def _wait(session: str) -> SessionState | None:
    """Say how far the search is until it is over; a click meanwhile ends this run of the page.

    The script itself waits, see `ui.common.tasks`: the page may hold an upload.
    """
    worker, line = cache.visualization_worker(), st.empty()
    while (state := worker.state(session)) is not None and not state.over:
        ahead = f" ({state.ahead} ahead of you)" if state.ahead else ""
        words = f"{state.step} of {state.steps} batches" if state.steps else "opening the network"
        line.progress(state.fraction, f"Searching: {words}{ahead}")
        time.sleep(EVERY)
    line.empty()
    return state


def _show_found(
    session: str, state: SessionState, chosen: ChosenMap, reader: ActivationReader
) -> None:
    worker, details = cache.visualization_worker(), state.details
    images, places = worker.frame(session, IMAGES), worker.frame(session, PLACES)
    values, positions = worker.frame(session, VALUES), worker.frame(session, POSITIONS)
    if images is None or places is None or values is None or positions is None:
        st.caption("The result is no longer kept. Search again.")
        return
    dead = details["dead"]
    share = len(dead) / details["units"]
    st.markdown(
        f"{details['title']}: **{len(dead)} of {details['units']} units are dead** ({share:.0%}): "
        "no image raises them above zero."
        + (f" Map {chosen.number} is one of them." if chosen.number in dead else "")
    )
    field, unit = reader.field(chosen.layer), chosen.number
    boxes = [box_of(field, position, images.shape[1:3]) for position in positions[unit]]
    patches = [
        images[place][top:bottom, left:right]
        for place, (top, left, bottom, right) in zip(places[unit], boxes, strict=True)
    ]
    names = [details["names"][place] for place in places[unit]]
    captions = [f"{name} · {value:.3g}" for name, value in zip(names, values[unit], strict=True)]
    alts = [f"Patch of {name} that activates map {unit}" for name in names]
    with st.container(horizontal=True, gap="small"):
        for patch, caption, alt in zip(patches, captions, alts, strict=True):
            charts.photo(patch, alt=alt, caption=caption, width=PATCH)
    heights = sorted({box[2] - box[0] for box in boxes})
    size = "the whole image" if heights[0] >= images.shape[1] else f"{heights[-1]} pixels high"
    st.caption(
        f"Each patch is exactly the receptive field of the largest value: {size}; less at the "
        "edges of an image."
    )
    if st.toggle("Show the whole images", key="whole_images", bind="query-params"):
        framed = [
            boxed(images[place], (left, top, right, bottom))
            for place, (top, left, bottom, right) in zip(places[unit], boxes, strict=True)
        ]
        with st.container(horizontal=True, gap="small"):
            for image, caption, alt in zip(framed, captions, alts, strict=True):
                charts.photo(image, alt=f"{alt}, framed", caption=caption, width=PATCH)
