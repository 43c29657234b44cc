"""From features to two dimensions: PCA, t-SNE, UMAP.

References:
    Pearson 1901, "On lines and planes of closest fit to systems of points in space" (PCA).
    van der Maaten, Hinton 2008, "Visualizing data using t-SNE".
    Kobak, Berens 2019, "The art of using t-SNE for single-cell transcriptomics": PCA first,
    initialization by PCA.
    McInnes, Healy, Melville 2018, "UMAP: Uniform manifold approximation and projection".
"""

from __future__ import annotations

import importlib.util
import pickle  # nosec B403
import warnings
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnnkit.embedding.settings import FEWEST, PCA, TSNE, EmbeddingSettings
from cnnkit.errors import IncompatibleError, UnavailableExtraError

COMPONENTS = 50  # principal components that t-SNE looks at
SMALL = 500  # images or features from which a full singular value decomposition is slower


@dataclass(frozen=True, eq=False)
class Projection:
    """Two coordinates for each image.

    Args:
        coordinates: float32 (images, 2).
        facts: plain values: "explained" (share of the variance of each axis, PCA) or
            "divergence" (Kullback-Leibler divergence at the end, t-SNE).
        arrays: what places other images: "mean" (features,) and "components" (2, features) of
            PCA; "reducer", a pickled `umap.UMAP` as uint8.
    """

    coordinates: np.ndarray
    facts: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


def project(
    features: np.ndarray, settings: EmbeddingSettings
) -> Generator[tuple[int, int], None, Projection]:
    """Project features to two dimensions.

    Args:
        features: float32 (images, features).
        settings: the method, its numbers and the seed; equal seeds give equal coordinates.

    Yields:
        (iterations done, iterations in all) of t-SNE.

    Raises:
        IncompatibleError: too few images or features, all features equal, or a perplexity that
            needs more images.
        UnavailableExtraError: UMAP is not installed.
    """
    check_features(features, settings)
    if settings.method == PCA:
        return principal_components(features)
    if settings.method == TSNE:
        return (yield from _tsne(features, settings))
    return _umap(features, settings)


def check_method(method: str) -> None:
    """Refuse a method whose library is not installed.

    Raises:
        UnavailableExtraError: says how to install it.
    """
    if method not in (PCA, TSNE) and importlib.util.find_spec("umap") is None:
        raise UnavailableExtraError("UMAP", "umap-learn", "umap")


def check_features(features: np.ndarray, settings: EmbeddingSettings) -> None:
    """Refuse features that have no projection; see `project`."""
    images, size = features.shape
    if images < FEWEST or size < 2:
        raise IncompatibleError(
            f"A projection to two dimensions needs at least {FEWEST} images and 2 features. "
            f"Received: {images:,} images with {size:,} features."
        )
    if not np.ptp(features, axis=0).any():
        raise IncompatibleError(
            f"Layer {settings.layer or 'logits'!r} returns the same features for all images, so "
            "there is nothing to project. Choose another layer."
        )
    if settings.method == TSNE and settings.perplexity >= images:
        raise IncompatibleError(
            f"The perplexity must be less than the number of images, {images:,}. "
            f"Received: {settings.perplexity:g}."
        )


def principal_components(features: np.ndarray) -> Projection:
    """The two directions of largest variance, exactly."""
    pca = _fitted_pca(features, 2)
    return Projection(
        pca.transform(features).astype(np.float32),
        {"explained": [float(share) for share in pca.explained_variance_ratio_]},
        {"mean": pca.mean_, "components": pca.components_},
    )


def _fitted_pca(features: np.ndarray, components: int) -> Any:
    from sklearn.decomposition import PCA as Components

    # The usual solver for large arrays draws at random, and is not exact.
    solver = "full" if min(features.shape) <= SMALL else "arpack"
    return Components(components, svd_solver=solver, random_state=0).fit(features)


def _tsne(
    features: np.ndarray, settings: EmbeddingSettings
) -> Generator[tuple[int, int], None, Projection]:
    from cnnkit.embedding import tsne

    most = min(COMPONENTS, features.shape[0] - 1, features.shape[1])
    reduced = _fitted_pca(features, most).transform(features).astype(np.float32)
    coordinates, divergence = yield from tsne.run(
        reduced, perplexity=settings.perplexity, seed=settings.seed
    )
    return Projection(coordinates, {"divergence": divergence})


def _umap(features: np.ndarray, settings: EmbeddingSettings) -> Projection:
    check_method(settings.method)

    import umap  # pyright: ignore[reportMissingImports]

    reducer = umap.UMAP(
        n_neighbors=min(settings.neighbors, len(features) - 1),
        min_dist=settings.min_dist,
        random_state=settings.seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed costs parallelism, and others of its own
        coordinates = reducer.fit_transform(features)
    reducer_bytes = np.frombuffer(pickle.dumps(reducer), np.uint8)
    return Projection(np.asarray(coordinates, np.float32), {}, {"reducer": reducer_bytes})
