"""Two embeddings of the same images, and the points that move from one to the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from cnnkit.embedding import Embedding, align
from cnnkit.figures.points import moving_points
from cnnkit.ui.common import charts, inputs
from cnnkit.ui.common.epochs import epoch_picker, words_of_epoch
from cnnkit.ui.common.messages import chart_label
from cnnkit.ui.embedding import job
from cnnkit.ui.embedding.hover import show_thumbnails
from cnnkit.ui.embedding.scatter import describe, groups_of
from cnnkit.ui.embedding.selection import (
    EmbeddingSelection,
    NetworkLayers,
    choose_layer,
    choose_network,
)

NOTHING, LAYER, EPOCH, NETWORK = "nothing", "layer", "epoch", "network"
OTHERS = {
    NOTHING: "Nothing",
    LAYER: "Another layer",
    EPOCH: "Another epoch",
    NETWORK: "Another network",
}
CHART = "motion_chart"  # key of the container
MOST = 2000  # points that move smoothly


def choose_other(first: EmbeddingSelection, network: NetworkLayers) -> EmbeddingSelection | None:
    """What the first embedding is compared with, in the address; None: with nothing."""
    trained = replace(network.ref, epoch=None)
    kept = trained.kept_epochs()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = inputs.choice(
            "Compare with",
            [what for what in OTHERS if what != EPOCH or kept],
            parameter="compare",
            title=OTHERS.__getitem__,
            default=NOTHING,
            widget=st.segmented_control,
            help="The same images through another layer, through the network as it was after "
            "another epoch (if its training kept the weights), or through another network.",
        )
        if what == NOTHING:
            return None
        if what == EPOCH:
            ref = epoch_picker(
                trained, parameter="other_epoch", label="Other epoch", default=str(kept[0])
            )
            return replace(first, ref=ref)
        other = choose_network("other_network") if what == NETWORK else network
        same = "" if what == NETWORK else first.settings.layer
        layer = choose_layer(other, "other_layer", "Other layer", unlike=same)
    settings = replace(first.settings, layer=layer)
    return EmbeddingSelection(
        other.ref, other.title, other.card, settings, other.layers is not None
    )


def show_motion(
    selections: tuple[EmbeddingSelection, EmbeddingSelection], first: Embedding
) -> None:
    """The points of both embeddings, or the job that makes the second."""
    st.subheader("Comparison", anchor=False)
    if selections[0].key == selections[1].key:
        st.info("Both are the same: choose another above.", icon=":material/arrow_upward:")
        return
    second = job.ready(selections[1], key="compute_other")
    if second is None:
        return
    alignment = align(second.coordinates, first.coordinates)
    names = tuple(chart_label(name) for name in _titles(selections))
    shown = _thinned(first)
    with st.container(key=CHART):
        charts.chart(
            moving_points(
                first.coordinates[shown],
                alignment.coordinates[shown],
                {name: _positions(shown, places) for name, places in groups_of(first).items()},
                _words(first, shown),
                (names[0], names[1]),
                positions=shown,
            ),
            alt=f"{len(shown):,} images as points that move from {names[0]} to {names[1]}",
            key="motion",
        )
    show_thumbnails(first, CHART, key="hover_motion")
    fewer = f" {MOST:,} of the points are drawn." if len(shown) < len(first) else ""
    st.caption(
        "Press a button above the points to move them. A projection chooses the position, the "
        "size and the turn of its plane at random, so the second embedding was moved, scaled, "
        "turned and mirrored to lie over the first as well as possible (Procrustes). What still "
        f"moves is a difference: {alignment.disparity:.2f}, where 0 is the same shape and 1 is "
        f"nothing in common.{fewer}"
    )


def _titles(selections: tuple[EmbeddingSelection, EmbeddingSelection]) -> tuple[str, str]:
    first, second = selections
    if first.ref == second.ref:
        return first.settings.layer, second.settings.layer
    if replace(first.ref, epoch=None) == replace(second.ref, epoch=None):
        return words_of_epoch(first.ref.epoch), words_of_epoch(second.ref.epoch)
    return first.where, second.where


def _thinned(embedding: Embedding) -> np.ndarray:
    """Positions of the points that are drawn: all, or as many as move smoothly."""
    every = np.arange(len(embedding))
    if len(every) <= MOST:
        return every
    return np.sort(np.random.default_rng(0).choice(every, MOST, replace=False))


def _positions(shown: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.isin(shown, places))


def _words(embedding: Embedding, shown: np.ndarray) -> list[str]:
    words = describe(embedding)
    return [words[place] for place in shown]
