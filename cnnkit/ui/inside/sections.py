"""The sections of the page Inside, for networks of few layers and of many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cnnkit.models import ModelCard, Predictor
from cnnkit.networks import NetworkRef
from cnnkit.predict import softmax, top_k
from cnnkit.ui.common import charts
from cnnkit.ui.inside import blocks, layer_views, one_map, output_pixel, top_patches
from cnnkit.ui.inside.activations import Activations
from cnnkit.visualize.layer_activations import ActivationReader

if TYPE_CHECKING:
    from keras import Model

TOP = 5  # predictions of a network with many classes


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """What the page shows: one network, one image, and all that the layers make of it."""

    ref: NetworkRef
    network: Predictor
    reader: ActivationReader
    image: np.ndarray  # uint8 (height, width, channels), the network's exact input
    label: int | None  # its true class
    activations: Activations

    @property
    def card(self) -> ModelCard:
        """What the network is."""
        return self.network.card

    @property
    def model(self) -> Model:
        """The network itself."""
        return self.network.model

    @property
    def logits(self) -> np.ndarray:
        """float32 (classes,); of a network without top its last maps."""
        table = self.reader.table
        return self.activations[table.rows[table.output].name]

    @cached_property
    def small(self) -> bool:
        """Whether the whole network can be drawn in one row."""
        return layer_views.fits_pipeline(self.model, self.card)


def show_prediction(view: View) -> None:
    """What the network predicts, where it has classes."""
    if view.card.class_names:
        layer_views.show_prediction(softmax(view.logits), view.card.class_names, view.label)


def show_layers(view: View) -> str | None:
    """All layers, and the maps of one. Returns that layer; None: the network has no maps."""
    st.header("Layer activations", anchor="pipeline")
    if not view.small:
        layers = blocks.show_blocks(view.reader, view.activations, view.image)
        return _chosen_of_block(view, layers)
    layer_views.show_network(view.model, view.activations, view.card.class_names)
    if not layer_views.has_convolutions(view.model):
        return None
    st.header("Feature maps of the convolutions", anchor="convolutions")
    layer_views.show_convolutions(view.model, view.activations)
    st.header("Feature maps of one layer", anchor="layer")
    return layer_views.show_layer(view.model, view.activations)


def _chosen_of_block(view: View, layers: list[str]) -> str | None:
    if not layers:
        st.info("This block has no feature maps: its activations are vectors.")
        return None
    st.header("Feature maps of one layer", anchor="layer")
    convolutions = [name for name in layers if view.reader.convolution(name) == name]
    return layer_views.layer_picker(view.activations, layers, (convolutions or layers)[0])


def show_one_map(view: View, layer: str) -> Callable[[], None]:
    """One map of a layer: enlarged, over a data set, and one of its values written out.

    Returns:
        Shows what is found in the data set. It may wait: call it when all else is drawn.
    """
    maps = view.activations[layer]
    above = st.container()
    st.header("One feature map", anchor="map")
    chosen = one_map.map_picker(layer, maps)
    if not view.small:  # whose maps are above already, with the value of every pixel
        with above:
            together = st.query_params.get("scale") != "own"
            st.caption("Click a map to enlarge it below.")
            one_map.montage_of_layer(layer, maps, chosen.number, together=together)
    one_map.show_map(chosen, view.ref, view.card, view.reader, view.image, view.activations)
    st.subheader("Over a data set", anchor="dataset")
    place = st.container()
    st.header("One output pixel", anchor="pixel")
    st.markdown(
        "A convolution multiplies the inputs under its kernel by the kernel's weights and adds up "
        "the products. Here is the whole sum of one value."
    )
    output_pixel.show_output_pixel(chosen, view.reader, view.activations)

    def show_data_set() -> None:
        with place:
            top_patches.show_top_patches(chosen, view.ref, view.card, view.reader)

    return show_data_set


def show_weights_and_output(view: View) -> None:
    """Filters before and after training, dense layers, logits and probabilities."""
    st.header("Filters", anchor="filters")
    layer_views.show_filters(view.ref, view.network, first_only=not view.small)
    if view.small:
        st.header("Dense layers", anchor="dense")
        layer_views.show_units(view.model, view.activations)
        st.header("Logits and probabilities", anchor="decision")
        layer_views.show_logits(view.logits, view.card.class_names, view.label)
    elif view.card.class_names:
        st.header("Probabilities", anchor="decision")
        _show_top_k(view)


def _show_top_k(view: View) -> None:
    from cnnkit.figures.bars import top_k_bars

    best = top_k(view.logits, view.card.class_names, TOP)
    charts.chart(
        top_k_bars([one.probability for one in best], [one.name for one in best]),
        alt=", ".join(f"{one.name} {one.probability:.1%}" for one in best),
        key="top_k",
    )
