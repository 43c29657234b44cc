"""Projections against NumPy, and what seeds do."""

from __future__ import annotations

import importlib.util
import threading
from dataclasses import replace

import numpy as np
import pytest

from cnnkit.embedding import EmbeddingSettings, project
from cnnkit.embedding.projection import SMALL, check_method, principal_components
from cnnkit.errors import IncompatibleError, UnavailableExtraError

SETTINGS = EmbeddingSettings(layer="dense", dataset="digits", method="tsne", perplexity=10)


def result_of(steps):
    reported = []
    while True:
        try:
            reported.append(next(steps))
        except StopIteration as end:
            return end.value, reported


def tsne(features, **changes):
    return result_of(project(features, replace(SETTINGS, **changes)))[0].coordinates


@pytest.mark.parametrize("shape", ((60, 8), (5, 30), (SMALL + 40, SMALL + 20)))
def test_pca_is_the_singular_value_decomposition_of_numpy(shape):
    random = np.random.default_rng(1)
    features = np.float32(random.normal(size=shape) * np.linspace(3, 0.1, shape[1]) + 5)
    found = principal_components(features)
    centered = np.float64(features) - np.float64(features).mean(axis=0)
    left, values, directions = np.linalg.svd(centered, full_matrices=False)
    expected = left[:, :2] * values[:2]
    signs = np.sign((found.coordinates * expected).sum(axis=0))
    np.testing.assert_allclose(found.coordinates * signs, expected, atol=2e-3)
    np.testing.assert_allclose(
        found.arrays["components"] * signs[:, None], directions[:2], atol=1e-3
    )
    explained = np.square(values[:2]) / np.square(values).sum()
    np.testing.assert_allclose(found.facts["explained"], explained, atol=1e-4)


def test_tsne_repeats_for_one_seed_and_differs_for_another(blobs):
    features, _ = blobs
    first = tsne(features, seed=1)
    assert np.array_equal(first, tsne(features, seed=1))
    assert not np.allclose(first, tsne(features, seed=2), atol=0.1)


def test_tsne_keeps_groups_together_and_says_how_far_it_is(blobs):
    features, groups = blobs
    projection, reported = result_of(project(features, SETTINGS))
    distances = np.linalg.norm(projection.coordinates[:, None] - projection.coordinates, axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (groups[distances.argmin(axis=1)] == groups).mean() > 0.98
    assert 0 < projection.facts["divergence"] < 2
    assert reported[0] == (0, 750) and [done for done, _ in reported][:4] == [0, 50, 100, 150]


def test_tsne_that_nobody_waits_for_ends_and_lets_others_print(blobs, capsys):
    steps = project(np.tile(blobs[0], (4, 1)), SETTINGS)
    assert next(steps) == (0, 750)
    print("in between")
    assert next(steps)[0] == 50
    steps.close()
    assert "t-SNE" not in {thread.name for thread in threading.enumerate()}
    assert capsys.readouterr().out == "in between\n"


@pytest.mark.parametrize(
    ("features", "changes", "words"),
    (
        (np.ones((50, 4), np.float32), {}, "the same features for all images"),
        (np.eye(3, dtype=np.float32), {}, "at least 4 images and 2 features. Received: 3 images"),
        (np.ones((9, 1), np.float32), {}, "Received: 9 images with 1 features"),
        (np.eye(10, dtype=np.float32), {}, "perplexity must be less than .* 10. Received: 10"),
    ),
)
def test_features_without_a_projection_are_refused(features, changes, words):
    with pytest.raises(IncompatibleError, match=words):
        tsne(features, **changes)


@pytest.mark.skipif(importlib.util.find_spec("umap") is not None, reason="UMAP is installed")
def test_umap_that_is_not_installed_says_how_to_get_it(blobs):
    with pytest.raises(UnavailableExtraError, match="pip install umap-learn"):
        tsne(blobs[0], method="umap")
    check_method("pca")
    check_method("tsne")


@pytest.mark.skipif(importlib.util.find_spec("umap") is None, reason="UMAP is not installed")
def test_umap_repeats_for_one_seed_and_keeps_groups_together(blobs):
    features, groups = blobs
    first = tsne(features, method="umap", seed=1)
    assert np.array_equal(first, tsne(features, method="umap", seed=1))
    assert not np.allclose(first, tsne(features, method="umap", seed=2), atol=0.01)
    distances = np.linalg.norm(first[:, None] - first, axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (groups[distances.argmin(axis=1)] == groups).mean() > 0.98


@pytest.mark.parametrize(
    ("field", "value"),
    (
        ("method", "mds"),
        ("count", 3),
        ("count", 10.5),
        ("perplexity", 0),
        ("perplexity", float("nan")),
        ("neighbors", True),
        ("min_dist", 2),
        ("seed", "one"),
        ("split_seed", -1),
        ("split", "train"),
    ),
)
def test_settings_that_cannot_work_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"`{field}` must be"):
        replace(SETTINGS, **{field: value})


def test_the_key_depends_on_what_decides_the_coordinates_and_on_nothing_else():
    keys = [
        replace(SETTINGS, **changes).key(weights)
        for changes, weights in (
            ({}, "a"),
            ({}, "b"),
            ({"perplexity": 11}, "a"),
            ({"count": 999}, "a"),
            ({"layer": "conv"}, "a"),
            ({"seed": 1}, "a"),
            ({"split_seed": 1}, "a"),
            ({"method": "pca"}, "a"),
        )
    ]
    assert len(set(keys)) == len(keys)
    pca = replace(SETTINGS, method="pca")
    assert replace(pca, perplexity=50, neighbors=3).key("a") == pca.key("a")
    assert EmbeddingSettings.from_dict({**pca.to_dict(), "network": "run.starter"}) == pca
