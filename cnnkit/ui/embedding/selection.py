"""What shall be embedded: network, layer, data set, method. All of it is in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnnkit.datasets import dataset_info, dataset_title, list_datasets
from cnnkit.embedding.features import FEWEST, usual_name
from cnnkit.embedding.settings import (
    FLATTEN,
    MEAN,
    METHODS,
    PCA,
    POOLINGS,
    SPLITS,
    TEST,
    TSNE,
    UMAP,
    EmbeddingSettings,
)
from cnnkit.models import ModelCard
from cnnkit.networks import RUN, NetworkRef
from cnnkit.ui.common import cache, epochs, inputs, network_list, uploads
from cnnkit.ui.common.page import end_page
from cnnkit.ui.visualize import targets

COUNTS = (100, 200, 300, 500, 1000, 2000, 5000, 10_000)
SMALL = 64  # pixels a side, of networks that take many images in a minute
FEW, MANY = 300, 1000  # images, unless another number is chosen


@dataclass(frozen=True)
class NetworkLayers:
    """A network and those of its layers that can be chosen.

    Args:
        layers: (name, kind, shape) of each; None: they are still being read.
    """

    ref: NetworkRef
    title: str
    card: ModelCard
    layers: Sequence[tuple[str, str, tuple[int, ...]]] | None


@dataclass(frozen=True)
class EmbeddingSelection:
    """What shall be on the page."""

    ref: NetworkRef
    title: str
    card: ModelCard
    settings: EmbeddingSettings
    verified: bool  # whether the network's layers have been read, and the layer is one of them

    @property
    def key(self) -> str:
        """The name of the embedding among the results."""
        return self.settings.key(self.ref.digest())

    @property
    def spec(self) -> dict[str, Any]:
        """Of the job that makes it."""
        return {"network": str(self.ref), **self.settings.to_dict()}

    @property
    def where(self) -> str:
        """Network and layer in words."""
        after = "" if self.ref.epoch is None else f", {epochs.words_of_epoch(self.ref.epoch)}"
        return f"{self.title.split(' · ')[0]}{after}, layer {self.settings.layer}"


def choose_network(parameter: str = "network") -> NetworkLayers:
    """A network, and its layers as soon as they are read; offers to upload one.

    Of a run that kept the weights of some epochs, also as it was after one of them.
    """
    runs = sorted(cache.finished_runs(), key=lambda run: not run.starter)
    first = NetworkRef(RUN, runs[0].id) if runs else None
    own = parameter == "network"
    ref, title = network_list.single_picker(
        runs, label="Network" if own else "Other network", default=first, parameter=parameter
    )
    uploads.offer(parameter, several=False) if own else None
    if not network_list.offer_missing({ref: title}):
        end_page()
    card = network_list.card(ref)
    _forget_other_network(ref, parameter)
    network = targets.Network(ref, title, card.class_names, card.input_shape)
    layers = targets.layers(network)
    if layers is None:
        targets.wait_for_layers(network)
    else:
        layers = [layer for layer in layers if layer[2][-1] >= FEWEST]
    ref = epochs.epoch_picker(ref) if own else ref
    return NetworkLayers(ref, title, card, layers)


def choose_layer(
    network: NetworkLayers, parameter: str = "layer", label: str = "Layer", *, unlike: str = ""
) -> str:
    """A layer; while they are being read the one that the address names, else the page ends.

    Args:
        network: whose layers.
        parameter: name in the address.
        label: of the widget.
        unlike: a layer that is on the page already, and not worth choosing.
    """
    if network.layers is None:
        layer = st.query_params.get(parameter)
        return layer or end_page()
    titles = {
        name: f"{name} · {kind} {'×'.join(map(str, shape))}" for name, kind, shape in network.layers
    }
    names = [name for name in titles if name != unlike] or list(titles)
    usual = names[0] if unlike else usual_name(names, bool(network.card.class_names))
    return inputs.choice(
        label, names, parameter=parameter, title=titles.__getitem__, default=usual, width=320
    )


def choose_settings(network: NetworkLayers, layer: str) -> EmbeddingSelection:
    """Data set, number of images, method and its numbers."""
    shape = network.card.input_shape
    name = _dataset_picker(network.card)
    usual = MANY if max(shape[:2]) <= SMALL else FEW
    count = inputs.number(
        "Images (at most)",
        *(COUNTS[0], COUNTS[-1]),
        parameter="count",
        default=usual,
        widget=st.select_slider,
        options=COUNTS,
        width=200,
        help="They are drawn at random with the seed; fewer are always among more.",
    )
    method = inputs.choice(
        "Method",
        list(METHODS),
        parameter="method",
        title=METHODS.__getitem__,
        default=TSNE,
        widget=st.segmented_control,
        help="**PCA** keeps distances as far as two directions can. **t-SNE** and **UMAP** keep "
        "neighbors together; distances between their groups mean little.",
    )
    with st.popover("Settings", icon=":material/tune:"):
        more = _more_settings(method)
    settings = EmbeddingSettings(
        layer=layer,
        dataset=name,
        count=int(count),
        method=method,
        split_seed=_split_seed(network, name),
        **more,
    )
    verified = network.layers is not None
    return EmbeddingSelection(network.ref, network.title, network.card, settings, verified)


def preparation_note(selection: EmbeddingSelection) -> str:
    """What is done to images that the network does not take as they are; empty: nothing."""
    has, takes = dataset_info(selection.settings.dataset).input_shape, selection.card.input_shape
    if has == takes:
        return ""
    words = {1: "gray", 3: "RGB"}
    changes = [] if has[:2] == takes[:2] else [f"resized to {takes[0]}×{takes[1]} pixels"]
    changes += [] if has[2] == takes[2] else [f"turned from {words[has[2]]} to {words[takes[2]]}"]
    return f"For this network the images are {' and '.join(changes)}."


def _dataset_picker(card: ModelCard) -> str:
    names = [*list_datasets(), *list_datasets("own")]
    names = [name for name in names if dataset_info(name).available]
    alike = [name for name in names if dataset_info(name).input_shape[2] == card.input_shape[2]]
    usual = card.dataset if card.dataset in names else next(iter(alike), None)
    return inputs.choice(
        "Data set", names, parameter="dataset", title=dataset_title, default=usual, width=200
    )


def _more_settings(method: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "split": inputs.choice(
            "Images of the",
            list(SPLITS),
            parameter="split",
            title=SPLITS.__getitem__,
            default=TEST,
            widget=st.segmented_control,
            help="The network has not seen the test set of its own data set in training.",
        ),
        "pooling": inputs.choice(
            "Features of a convolution",
            [MEAN, FLATTEN],
            parameter="pooling",
            title=POOLINGS.__getitem__,
            help="Means do not depend on where something is in the image.",
        ),
    }
    if method == TSNE:
        values["perplexity"] = inputs.number(
            "Perplexity",
            *(5.0, 100.0),
            parameter="perplexity",
            default=30.0,
            widget=st.slider,
            step=5.0,
            help="About how many neighbors of each image count. Small values show small groups.",
        )
    if method == UMAP:
        values["neighbors"] = inputs.number(
            "Neighbors",
            *(5, 100),
            parameter="neighbors",
            default=15,
            widget=st.slider,
            step=5,
            help="How many neighbors of each image count.",
        )
        values["min_dist"] = inputs.number(
            "Minimum distance",
            *(0.0, 1.0),
            parameter="min_dist",
            default=0.1,
            widget=st.slider,
            step=0.05,
            help="How close points may lie.",
        )
    of_projection = "" if method == PCA else " and begins the projection elsewhere"
    values["seed"] = inputs.number(
        "Random seed",
        *(0, 10**6),
        parameter="seed",
        default=0,
        help=f"Another seed draws other images{of_projection}.",
    )
    return values


def _split_seed(network: NetworkLayers, dataset: str) -> int:
    """Of a run on its own data set: its own, so that its training images stay out of the test."""
    own = network.ref.kind == RUN and network.card.dataset == dataset
    return int(network.card.recipe.get("split_seed", 0)) if own else 0


def _forget_other_network(ref: NetworkRef, parameter: str) -> None:
    """What was chosen for another network begins with the usual again."""
    state, before = f"embedding_{parameter}", st.session_state.get(f"embedding_{parameter}")
    st.session_state[state] = str(ref)
    if before not in (None, str(ref)):
        gone = ("other_layer",)
        if parameter == "network":
            gone = ("layer", "dataset", "count", "epoch", "other_epoch")
        for name in gone:
            st.query_params.pop(name, None)
            st.session_state.pop(inputs.key_of(name), None)
            st.session_state.pop(f"number_{name}", None)
