"""Features against Keras itself, and the neighbors and places that follow from them."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy.spatial import procrustes

from cnnkit.datasets import load_dataset
from cnnkit.embedding import (
    Embedding,
    EmbeddingSettings,
    FeatureExtractor,
    align,
    embed,
    nearest_neighbors,
    place,
    project,
)
from cnnkit.embedding.compute import EmbeddedNetwork, compute_embedding
from cnnkit.embedding.projection import Projection
from cnnkit.embedding.sample import draw_sample, pack_thumbnails, unpack_thumbnails
from cnnkit.errors import (
    IncompatibleError,
    LimitError,
    UnavailableExtraError,
    UnknownLayerError,
)
from cnnkit.training.feature_cache import FeatureCache
from cnnkit.visualize.results import ResultCache


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


def drained(steps):
    reported = []
    while True:
        try:
            reported.append(next(steps))
        except StopIteration as end:
            return end.value, reported


@pytest.mark.parametrize("pooling", ("mean", "flatten"))
def test_features_are_the_activations_of_the_layer(network, digits, pooling):
    images = digits.images[:40]
    extractor = FeatureExtractor(network.model, ("conv", "dense", ""), (28, 28, 1), pooling=pooling)
    found = extractor(images)
    layers = [network.model.get_layer(name).output for name in ("conv", "dense", "logits")]
    maps, dense, logits = keras.Model(network.model.inputs[0], layers)(np.float32(images))
    expected = np.asarray(maps).mean(axis=(1, 2)) if pooling == "mean" else np.asarray(maps)
    np.testing.assert_allclose(found["conv"], expected.reshape(40, -1), atol=1e-4)
    np.testing.assert_allclose(found["dense"], dense, atol=1e-4)
    np.testing.assert_allclose(found[""], logits, atol=1e-4)
    assert extractor.sizes["conv"] == found["conv"].shape[1]


def test_images_of_another_size_and_color_are_fitted_to_the_network(small_rgb, digits):
    gray = digits.images[:3]
    extractor = FeatureExtractor(small_rgb, ("conv",), (20, 20, 3), (28, 28, 1))
    smaller = keras.ops.image.resize(np.float32(gray), (20, 20), antialias=True)
    rgb = np.repeat(np.asarray(smaller), 3, axis=-1)
    expected = np.asarray(small_rgb.get_layer("conv")(rgb)).mean(axis=(1, 2))
    np.testing.assert_allclose(extractor(gray)["conv"], expected, rtol=1e-4)


def test_unknown_layers_and_damaged_weights_are_refused(network, digits):
    with pytest.raises(UnknownLayerError, match="conv, dense"):
        FeatureExtractor(network.model, ("conv9",), (28, 28, 1))
    damaged = keras.models.clone_model(network.model)
    damaged.get_layer("logits").bias.assign(np.full(10, np.nan, np.float32))
    with pytest.raises(IncompatibleError, match="'logits' returns values that are not finite"):
        FeatureExtractor(damaged, ("",), (28, 28, 1))(digits.images[:2])


def test_neighbors_are_those_of_all_distances(blobs):
    features, _ = blobs
    queries = features[::9] + 0.1
    places, distances = nearest_neighbors(features, queries, 6)
    every = np.linalg.norm(np.float64(queries)[:, None] - features, axis=-1)
    assert np.array_equal(places, every.argsort(axis=1)[:, :6])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :6], atol=1e-4)
    with pytest.raises(IncompatibleError, match="3 features, and the points 8"):
        nearest_neighbors(features, queries[:, :3])


def test_a_similarity_is_undone_by_the_alignment_and_nothing_else_is():
    random = np.random.default_rng(0)
    points = random.normal(size=(50, 2))
    mirrored = 3 * points @ np.array([[0.6, 0.8], [0.8, -0.6]]) + [4, -7]
    undone = align(mirrored, points)
    np.testing.assert_allclose(undone.coordinates, points, atol=1e-5)
    assert undone.disparity < 1e-9
    other = random.normal(size=(50, 2))
    found = align(other, points)
    assert found.disparity == pytest.approx(procrustes(points, other)[2])
    spreads = [np.std(one, axis=0) for one in (found.coordinates, points)]
    assert np.linalg.norm(spreads[0]) == pytest.approx(np.linalg.norm(spreads[1]))
    with pytest.raises(IncompatibleError, match="49 and 50"):
        align(points[:49], points)
    with pytest.raises(IncompatibleError, match="coincide"):
        align(np.ones((50, 2)), points)


def test_an_embedding_holds_what_the_network_says_of_each_image(network, settings, digits):
    embedding = embed(network, settings)
    rows = embedding.rows
    assert len(embedding) == 60 and np.isin(rows, digits.indices("test")).all()
    assert np.array_equal(embedding.labels, digits.labels[rows])
    logits = network.logits(np.float32(digits.images[rows]))
    assert np.array_equal(embedding.predicted, logits.argmax(axis=1))
    assert np.array_equal(embedding.correct, logits.argmax(axis=1) == digits.labels[rows])
    assert np.array_equal(embedding.images, digits.images[rows])
    lines = embedding.to_csv().splitlines()
    assert lines[0] == "x,y,number,file,class,predicted,probability" and len(lines) == 61
    number, name = lines[1].split(",")[2], lines[1].split(",")[4]
    assert int(number) == rows[0] and name == str(digits.labels[rows[0]])


def test_a_network_without_its_card_is_refused(network, settings):
    with pytest.raises(TypeError, match=r"must be a Predictor, as .*open\(\)"):
        embed(network.model, settings)


def test_another_seed_draws_other_images_and_fewer_are_among_more(settings, digits):
    rows = draw_sample(digits, settings).rows
    assert set(rows) < set(draw_sample(digits, replace(settings, count=90)).rows)
    assert set(rows) != set(draw_sample(digits, replace(settings, seed=1)).rows)
    every = draw_sample(digits, replace(settings, split="all", count=10_000))
    assert np.array_equal(every.rows, np.arange(1797))


def test_an_image_of_the_set_is_placed_on_itself_by_pca_and_near_itself_by_tsne(network, settings):
    for method in ("pca", "tsne"):
        embedding = embed(network, replace(settings, method=method, perplexity=8))
        images = load_dataset("digits").images[embedding.rows]
        features = FeatureExtractor(network.model, ("dense",), (28, 28, 1))(images)["dense"]
        found = place(embedding, features, features[7], 4)
        assert found.neighbors[0] == 7 and len(found.neighbors) == 4
        assert found.distances[0] == pytest.approx(0, abs=1e-3)
        if method == "pca":
            np.testing.assert_allclose(found.coordinates, embedding.coordinates[7], atol=1e-3)
        else:
            nearest = np.linalg.norm(features - features[7], axis=1).argsort()[:5]
            mean = embedding.coordinates[nearest].mean(axis=0)
            np.testing.assert_allclose(found.coordinates, mean, atol=1e-5)


@pytest.mark.skipif(importlib.util.find_spec("umap") is None, reason="UMAP is not installed")
def test_umap_places_an_image_among_its_own_group_also_after_it_was_kept(blobs, tmp_path):
    features, groups = blobs
    settings = EmbeddingSettings(layer="dense", dataset="digits", method="umap")
    embedding = embedding_of(features[::2], groups[::2], settings)
    results = ResultCache(tmp_path, 2**26)
    embedding.keep(results, "key")
    kept = Embedding.read(results, "key")
    for query, group in zip(features[1::20], groups[1::20], strict=True):
        found = place(embedding, features[::2], query)
        centers = [embedding.coordinates[groups[::2] == one].mean(axis=0) for one in range(3)]
        distances = np.linalg.norm(found.coordinates - np.array(centers), axis=1)
        assert distances.argmin() == group and (groups[::2][found.neighbors] == group).all()
        again = place(kept, features[::2], query)
        np.testing.assert_allclose(again.coordinates, found.coordinates, atol=1e-4)


@pytest.mark.skipif(importlib.util.find_spec("umap") is not None, reason="UMAP is installed")
def test_an_embedding_whose_umap_is_gone_says_how_to_get_it_back(blobs):
    features, groups = blobs
    settings = EmbeddingSettings(layer="dense", dataset="digits", method="umap")
    arrays = {"reducer": np.zeros(1, np.uint8)}
    embedding = embedding_of(features, groups, settings, Projection(features[:, :2], {}, arrays))
    with pytest.raises(UnavailableExtraError, match="pip install umap-learn"):
        place(embedding, features, features[0])


def embedding_of(features, groups, settings, projection=None):
    projection = projection or drained(project(features, settings))[0]
    return Embedding(
        settings=settings,
        class_names=tuple("abc"),
        network_classes=(),
        rows=np.arange(len(features)),
        labels=np.int64(groups),
        predicted=np.empty(0, np.int64),
        confidence=np.empty(0, np.float32),
        coordinates=projection.coordinates,
        thumbnails=np.zeros(1, np.uint8),
        arrays=projection.arrays,
    )


def test_features_that_are_cached_are_not_computed_again(network, settings, tmp_path):
    opened = []

    def open_network():
        opened.append(1)
        return network

    source = EmbeddedNetwork(network.card, "weights", open_network)
    cache = FeatureCache(tmp_path, 2**30)
    first, reported = drained(compute_embedding(source, settings, cache))
    assert [s.done for s in reported if s.phase == "features"] == [0, 32, 60]
    again, reported = drained(compute_embedding(source, replace(settings, seed=0), cache))
    assert [s.done for s in reported if s.phase == "features"] == [60]
    assert len(opened) == 1 and np.array_equal(first.coordinates, again.coordinates)
    drained(compute_embedding(source, replace(settings, count=61), cache))
    assert len(opened) == 2


def test_features_that_are_too_many_are_refused_with_what_would_work(
    network, settings, tmp_path, monkeypatch
):
    monkeypatch.setattr("cnnkit.embedding.compute.LARGEST", 10_000)
    source = EmbeddedNetwork(network.card, "weights", lambda: network)
    wide = replace(settings, layer="conv", pooling="flatten")
    with pytest.raises(LimitError, match="fewer images, or the mean of each feature map"):
        drained(compute_embedding(source, wide, FeatureCache(tmp_path, 2**30)))


@pytest.mark.parametrize("shape", ((7, 28, 28, 1), (10, 48, 48, 3)))
def test_packed_thumbnails_are_the_images(shape):
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert np.array_equal(unpack_thumbnails(pack_thumbnails(images), len(images)), images)


def test_thumbnails_of_photos_are_small():
    images = np.full((5, 256, 256, 3), 90, np.uint8)
    images[2] = 200
    small = unpack_thumbnails(pack_thumbnails(images), 5)
    assert small.shape == (5, 48, 48, 3)
    assert abs(int(small[2].mean()) - 200) < 6 and abs(int(small[1].mean()) - 90) < 6


@pytest.fixture(scope="module")
def small_rgb():
    keras.utils.set_random_seed(5)
    image = keras.Input((20, 20, 3))
    return keras.Model(image, keras.layers.Conv2D(4, 3, name="conv")(image))
