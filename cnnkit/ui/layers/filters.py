"""Feature visualization mosaics, one layer below the other, with one filter of each enlarged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from cnnkit.figures.rasters import POSITIVE
from cnnkit.ui.common import charts, page
from cnnkit.ui.layers.mosaics import MosaicSelection
from cnnkit.visualize.mosaics import SOME, LayerMosaic

WIDTH, WIDER = 448, 640  # pixels, of a mosaic of sixteen and of more
LARGE = 288  # pixels, of the chosen filter and of its top activating images
PICKER = 280  # pixels
ABREAST = 3  # top activating images
MOST_NAMED = 4


def show_mosaics(selection: MosaicSelection, made: Mapping[str, LayerMosaic]) -> None:
    """Every layer that is there, from shallow to deep.

    Args:
        selection: the layers to show.
        made: layer → its mosaic.
    """
    chosen = _of_address(selection, made)
    for layer, mosaic in made.items():
        with st.container(border=True):
            st.markdown(f"##### {layer}")
            st.caption(_in_words(selection, mosaic))
            with st.container(horizontal=True, vertical_alignment="center"):
                place = _filter_picker(mosaic, chosen.get(layer))
                _way_on(selection, mosaic, place)
            mosaic_column, large, top = st.columns([7, 4, 4], gap="medium")
            with mosaic_column:
                _grid(mosaic, place)
            with large:
                _large(mosaic, place)
            with top:
                _top_activating(mosaic, place)


def _of_address(selection: MosaicSelection, made: Mapping[str, LayerMosaic]) -> dict[str, int]:
    """`?layer=` and `?unit=`: the filter that was chosen last, if it is there."""
    layer, unit = st.query_params.get("layer"), st.query_params.get("unit")
    if layer is None or (layer in selection.layers and layer not in made):
        return {}
    if layer in made and unit in {str(one) for one in made[layer].units}:
        return {layer: int(unit)}
    st.warning(
        f"The address asks for filter “{unit}” of layer “{layer}”, which is not in these mosaics. "
        "Choose one of those below.",
        icon=":material/link_off:",
    )
    return {}


def _in_words(selection: MosaicSelection, mosaic: LayerMosaic) -> str:
    height, width, _ = selection.network.input_shape
    shape = "×".join(map(str, mosaic.shape))
    if mosaic.field is None:
        field = "receptive field not known"
    elif min(mosaic.field) >= max(height, width):
        field = "receptive field: the whole image"
    else:
        field = f"receptive field {'×'.join(map(str, mosaic.field))} of {height}×{width} pixels"
    count, every = len(mosaic.units), mosaic.shape[-1]
    return f"{shape} · {field} · {count} of {every} filters"


def _filter_picker(mosaic: LayerMosaic, chosen: int | None) -> int:
    """Place of a filter in its mosaic. Choosing one writes it into the address."""
    key = f"filter_{mosaic.layer}"
    if chosen is not None:
        st.session_state[key] = chosen
    if st.session_state.get(key) not in mosaic.units:
        st.session_state[key] = mosaic.units[0]
    unit = st.selectbox(
        "Filter",
        mosaic.units,
        format_func=lambda unit: f"Filter {unit} · {_where(mosaic, unit)}",
        key=key,
        on_change=_write_address,
        args=(key, mosaic.layer),
        label_visibility="collapsed",
        width=PICKER,
    )
    return mosaic.units.index(unit)


def _write_address(key: str, layer: str) -> None:
    st.query_params["layer"] = layer
    st.query_params["unit"] = str(st.session_state[key])


def _where(mosaic: LayerMosaic, unit: int) -> str:
    row, column = divmod(mosaic.units.index(unit), _columns(len(mosaic.units)))
    return f"row {row + 1}, column {column + 1}"


def _columns(count: int) -> int:
    return int(np.ceil(np.sqrt(count)))


def _grid(mosaic: LayerMosaic, place: int) -> None:
    count = len(mosaic.units)
    charts.mosaic(
        _framed(mosaic.images, place),
        columns=_columns(count),
        width=WIDTH if count <= SOME else WIDER,
        alt=f"Activation maximization of {count} filters of {mosaic.layer}; "
        f"filter {mosaic.units[place]} is framed",
    )


def _framed(images: np.ndarray, place: int) -> np.ndarray:
    """The same images in color, one of them with a frame."""
    colored = np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images.copy()
    border = max(1, images.shape[1] // 28)
    inside = colored[place, border:-border, border:-border].copy()
    colored[place] = POSITIVE[:3]
    colored[place, border:-border, border:-border] = inside
    return colored


def _large(mosaic: LayerMosaic, place: int) -> None:
    unit = mosaic.units[place]
    charts.mosaic(
        mosaic.images[place : place + 1],
        columns=1,
        width=LARGE,
        alt=f"Activation maximization of filter {unit} of {mosaic.layer}",
    )
    st.caption(f"Activation maximization of filter {unit}.")


def _way_on(selection: MosaicSelection, mosaic: LayerMosaic, place: int) -> None:
    unit = mosaic.units[place]
    page.link(
        "pages/visualize.py",
        f"Continue with filter {unit} in Visualize",
        network=selection.network.key,
        layer=mosaic.layer,
        unit=str(unit),
        preset=selection.way.preset,
    )


def _top_activating(mosaic: LayerMosaic, place: int) -> None:
    best = mosaic.places[place]
    if not len(best):
        st.caption("No images on this machine fit this network's input, so none are shown here.")
        return
    names = list(dict.fromkeys(mosaic.names[one] for one in best))
    charts.mosaic(
        mosaic.shown[best],
        columns=ABREAST,
        width=LARGE,
        alt=f"Top activating images of filter {mosaic.units[place]}: {', '.join(names)}",
    )
    more = " and others" if len(names) > MOST_NAMED else ""
    st.caption(
        f"Top activating image patches of {mosaic.collection}: "
        f"{', '.join(names[:MOST_NAMED])}{more}."
    )
