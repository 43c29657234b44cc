"""Where another image lies in an embedding, and its nearest neighbors."""

from __future__ import annotations

import pickle  # nosec B403
from dataclasses import dataclass

import numpy as np

from cnnkit.embedding.neighbors import nearest_neighbors
from cnnkit.embedding.projection import check_method
from cnnkit.embedding.result import Embedding
from cnnkit.embedding.settings import PCA, TSNE

AVERAGED = 5  # neighbors whose mean position stands for an image in t-SNE
# How an image that took no part gets its place, as a sentence.
METHODS_OF_PLACING = {
    "pca": "Its place is its own projection onto the two principal components.",
    "tsne": f"t-SNE has no rule for new images: it is placed at the mean of its {AVERAGED} nearest "
    "neighbors in feature space.",
    "umap": "Its place is UMAP's own transform of its features, or, where another machine made the "
    f"embedding, the mean of its {AVERAGED} nearest neighbors.",
}


@dataclass(frozen=True, eq=False)
class Placement:
    """An image among those of an embedding."""

    coordinates: np.ndarray  # float32 (2,)
    neighbors: np.ndarray  # int64, positions in the embedding, the nearest first
    distances: np.ndarray  # float, Euclidean, in feature space


def place(
    embedding: Embedding, features: np.ndarray, query: np.ndarray, count: int = 9
) -> Placement:
    """Place one more image.

    Args:
        embedding: of the others.
        features: float32 (images, features), of the others, in their order.
        query: float32 (features,), of the image.
        count: how many neighbors to return.

    Raises:
        UnavailableExtraError: UMAP, which made the embedding, is no longer installed.
    """
    places, distances = nearest_neighbors(features, query[None], max(count, AVERAGED))
    coordinates = _coordinates(embedding, query, places[0])
    return Placement(coordinates, places[0][:count], distances[0][:count])


def _coordinates(embedding: Embedding, query: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
    method, arrays = embedding.settings.method, embedding.arrays
    if method == PCA:
        return ((query - arrays["mean"]) @ arrays["components"].T).astype(np.float32)
    if method == TSNE or "reducer" not in arrays:
        return embedding.coordinates[neighbors[:AVERAGED]].mean(axis=0)
    check_method(method)
    # Written by this package on this machine, into a folder of its own: see `Embedding.read`.
    reducer = pickle.loads(arrays["reducer"].tobytes())  # nosec B301
    return np.asarray(reducer.transform(query[None])[0], np.float32)
