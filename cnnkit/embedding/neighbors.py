"""The nearest neighbors of images in feature space, exactly."""

from __future__ import annotations

import numpy as np

from cnnkit.errors import IncompatibleError


def nearest_neighbors(
    features: np.ndarray, queries: np.ndarray, count: int = 9
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of some points to each query, by Euclidean distance to every one of them.

    Args:
        features: float32 (points, features).
        queries: float32 (queries, features).
        count: how many for each query, no more than there are points.

    Returns:
        int64 (queries, count), positions among the points, the nearest first, and
        float (queries, count), their distances.

    Raises:
        IncompatibleError: the queries have another number of features.
    """
    from sklearn.neighbors import NearestNeighbors

    if features.shape[1] != queries.shape[1]:
        raise IncompatibleError(
            f"The queries have {queries.shape[1]} features, and the points {features.shape[1]}. "
            "Both must come from the same layer."
        )
    search = NearestNeighbors(n_neighbors=min(count, len(features)), algorithm="brute")
    distances, places = search.fit(features).kneighbors(queries)
    return places.astype(np.int64), distances
