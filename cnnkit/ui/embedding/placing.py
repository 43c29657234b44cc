"""An image of the visitor's among those of an embedding, and its nearest neighbors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from cnnkit.embedding import Embedding, FeatureExtractor, Placement, place
from cnnkit.embedding.compute import EmbeddedNetwork, StoredFeatures
from cnnkit.embedding.sample import load_sample
from cnnkit.errors import StorageError
from cnnkit.models import Predictor
from cnnkit.settings import get_settings
from cnnkit.training.feature_cache import FeatureCache
from cnnkit.ui.common import cache, image_choice
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.tasks import background, wait_for
from cnnkit.ui.embedding import job
from cnnkit.ui.embedding.selection import EmbeddingSelection

NEIGHBORS = 12


@dataclass(frozen=True, eq=False)
class PlacedImage:
    """An image, where it lies, and what is next to it."""

    image: np.ndarray  # uint8, as the network takes it
    words: str
    embedding: Embedding
    placement: Placement

    @property
    def coordinates(self) -> np.ndarray:
        """(2,)."""
        return self.placement.coordinates

    @property
    def neighbors(self) -> list[int]:
        """Positions in the embedding, the nearest first."""
        return [int(one) for one in self.placement.neighbors]


def choose_and_place(selection: EmbeddingSelection, embedding: Embedding) -> PlacedImage | None:
    """An image to place, if the visitor wants to; None: there is none."""
    wanted = st.toggle(
        "Place an image among them",
        key="place",
        bind="query-params",
        help="An image of yours, or any other, and its nearest neighbors.",
    )
    if not wanted:
        return None
    with st.container(border=True):
        chosen = image_choice.picker({selection.ref: selection.card})
    if chosen is None:
        return None
    image = chosen.input_for(selection.card)
    with shown_errors(stop=False):
        if not _features_are_kept(selection):
            return None
        network = cache.network(selection.ref)
        extract = _extractor(
            str(selection.ref), selection.settings.layer, selection.settings.pooling, network
        )
        task = background().ask(
            ("place", selection.key, chosen.key),
            partial(_place, selection, embedding, image, extract),
        )
        placement = wait_for(task, waiting="Computing the features of your image")
        return PlacedImage(image, chosen.words, embedding, placement)
    return None


def stored_features(selection: EmbeddingSelection) -> StoredFeatures:
    """The features that the job left in the cache."""
    settings = get_settings()
    network = EmbeddedNetwork(selection.card, selection.ref.digest(), selection.ref.open)
    features = FeatureCache(settings.features, settings.features_memory)
    return StoredFeatures(network, selection.settings, load_sample(selection.settings), features)


def read_features(selection: EmbeddingSelection) -> np.ndarray:
    """float32 (images, features), in the order of the embedding.

    Raises:
        StorageError: they are no longer kept.
    """
    stored = stored_features(selection)
    if not stored.complete:
        raise StorageError("The features of these images are no longer in the feature cache.")
    return stored.read()


def _features_are_kept(selection: EmbeddingSelection) -> bool:
    """Whether the features are there; else offers to compute them again."""
    if stored_features(selection).complete:
        return True
    st.warning("The features of these images are no longer kept.", icon=":material/history:")
    if st.button("Compute them again", key="features_again"):
        job.submit(selection)
    return False


def _place(
    selection: EmbeddingSelection,
    embedding: Embedding,
    image: np.ndarray,
    extract: Callable[[np.ndarray], np.ndarray],
) -> Placement:
    features = read_features(selection)
    return place(embedding, features, extract(image[None])[0], NEIGHBORS)


@st.cache_resource(max_entries=4, show_spinner="Preparing the layer …")
def _extractor(
    ref: str, layer: str, pooling: str, _network: Predictor
) -> Callable[[np.ndarray], np.ndarray]:
    extractor = FeatureExtractor(
        _network.model, (layer,), _network.card.input_shape, pooling=pooling
    )

    def extract(images: np.ndarray) -> np.ndarray:
        with _network.lock:
            return extractor(images)[layer]

    return extract
