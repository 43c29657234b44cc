"""From a network and a data set to an embedding, step by step."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnnkit.datasets import pixels_digest
from cnnkit.embedding.features import FeatureExtractor, compute_features
from cnnkit.embedding.projection import Projection, check_method, project
from cnnkit.embedding.result import Embedding
from cnnkit.embedding.sample import Sample, load_sample, pack_thumbnails
from cnnkit.embedding.settings import FLATTEN, EmbeddingSettings
from cnnkit.errors import LimitError
from cnnkit.training.feature_cache import FeatureCache, FeatureEntry, FeatureKey
from cnnkit.visualize.components import OUTPUT

if TYPE_CHECKING:
    from cnnkit.models import ModelCard, Predictor

IMAGES, FEATURES, PROJECTION = "images", "features", "projection"  # what is under way
LARGEST = 2**30  # bytes of all features in memory


@dataclass(frozen=True)
class Step:
    """How far an embedding is."""

    phase: str  # IMAGES, FEATURES or PROJECTION
    done: int = 0  # images, or iterations of t-SNE
    total: int = 0  # 0: the phase does not say how far it is


@dataclass(frozen=True)
class EmbeddedNetwork:
    """A network that is opened only if features are missing."""

    card: ModelCard
    weights: str  # digest of them
    open: Callable[[], Predictor]


Steps = Generator[Step, None, Embedding]


def embed(network: Predictor, settings: EmbeddingSettings) -> Embedding:
    """Embed a data set, and keep nothing on disk.

    Args:
        network: that computes the features.
        settings: of the embedding.

    Raises:
        TypeError: `network` is no `Predictor`; says how to open one.
        CnnkitError: the network, the data set and the method do not fit together; says why.
    """
    if not hasattr(network, "card"):
        raise TypeError(
            "`network` must be a Predictor, as `NetworkRef.parse(name).open()` gives it. "
            f"Received: {type(network).__name__}."
        )
    with tempfile.TemporaryDirectory() as folder:
        cache = FeatureCache(Path(folder), 2**40)
        source = EmbeddedNetwork(network.card, "", lambda: network)
        steps = compute_embedding(source, settings, cache)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value


def compute_embedding(
    network: EmbeddedNetwork, settings: EmbeddingSettings, cache: FeatureCache
) -> Steps:
    """Embed a data set; features that are in the cache are not computed again.

    Args:
        network: that computes the features.
        settings: of the embedding.
        cache: of features. A batch that was computed is kept whatever happens next.

    Yields:
        How far it is. Between two of them nothing is half done but t-SNE.

    Raises:
        CnnkitError: the network, the data set and the method do not fit together; says why.
    """
    began = time.monotonic()
    check_method(settings.method)
    yield Step(IMAGES)
    sample = load_sample(settings)
    stored = StoredFeatures(network, settings, sample, cache)
    yield from stored.compute()
    features = stored.read()
    yield Step(PROJECTION)
    projection = yield from _projected(features, settings)
    return _embedding(network, settings, sample, stored, projection, time.monotonic() - began)


class StoredFeatures:
    """Features and logits of a sample, in the cache.

    Args:
        network: that computes them.
        settings: layer and pooling.
        sample: of a data set.
        cache: of features.
    """

    def __init__(
        self,
        network: EmbeddedNetwork,
        settings: EmbeddingSettings,
        sample: Sample,
        cache: FeatureCache,
    ):
        self.network, self.settings, self.sample, self.cache = network, settings, sample, cache
        layers = [settings.layer, *([OUTPUT] if network.card.class_names else [])]
        self.keys = {layer: self._key(layer) for layer in dict.fromkeys(layers)}

    @property
    def complete(self) -> bool:
        """Whether nothing has to be computed."""
        return not self._missing(list(self.keys))

    def compute(self) -> Generator[Step, None, None]:
        """Compute what is missing, batch by batch."""
        rows = self.sample.rows
        missing = {layer: self._missing([layer]) for layer in self.keys}
        wanted = [layer for layer, count in missing.items() if count]
        yield Step(FEATURES, len(rows) - max(missing.values()), len(rows))
        if not wanted:
            return
        extractor = self._extractor(wanted)
        self.cache.make_room(
            sum(4 * missing[layer] * extractor.sizes[layer] for layer in wanted),
            self.keys.values(),
        )
        entries = {layer: self._open(layer, extractor.sizes[layer]) for layer in wanted}
        left = np.unique(np.concatenate([entries[one].missing(rows) for one in wanted]))
        done = len(rows) - len(left)
        for batch, values in compute_features(extractor, self.sample.dataset.images, left):
            for layer, entry in entries.items():
                entry.write(batch, values[layer])
            done += len(batch)
            yield Step(FEATURES, done, len(rows))

    def read(self, layer: str | None = None) -> np.ndarray:
        """Features of the sample, float32 (images, features); of the settings' layer by default.

        Raises:
            LimitError: together they take more memory than is allowed.
        """
        name = self.settings.layer if layer is None else layer
        entry = FeatureEntry(self.cache.path(self.keys[name].digest()))
        _check_size(len(self.sample.rows), entry.features.shape[1], self.settings)
        return np.asarray(entry.features[self.sample.rows])

    def logits(self) -> np.ndarray | None:
        """float32 (images, classes); None: the network is no classifier."""
        return self.read(OUTPUT) if OUTPUT in self.keys and self.network.card.class_names else None

    def _missing(self, layers: Sequence[str]) -> int:
        """Images without the features of one of some layers."""
        rows, missing = self.sample.rows, []
        for layer in layers:
            key = self.keys[layer]
            if not self.cache.has(key):
                return len(rows)
            missing.append(FeatureEntry(self.cache.path(key.digest())).missing(rows))
        return len(np.unique(np.concatenate(missing)))

    def _extractor(self, layers: Sequence[str]) -> FeatureExtractor:
        images = self.sample.dataset.images
        extractor = FeatureExtractor(
            self.network.open().model,
            layers,
            self.network.card.input_shape,
            images.shape[1:],
            self.settings.pooling,
        )
        for size in extractor.sizes.values():
            _check_size(len(self.sample.rows), size, self.settings)
        return extractor

    def _open(self, layer: str, size: int) -> FeatureEntry:
        return self.cache.open(self.keys[layer], len(self.sample.dataset.labels), (size,))

    def _key(self, layer: str) -> FeatureKey:
        dataset, network = self.sample.dataset, self.network
        return FeatureKey(
            images=dataset.fingerprint or pixels_digest(dataset.images),
            base=f"{network.weights}:{layer or 'logits'}:{self.settings.pooling}",
            size=network.card.input_shape[:2],
            augmentation={},
            variant=0,
            dtype="float32",
        )


def _projected(
    features: np.ndarray, settings: EmbeddingSettings
) -> Generator[Step, None, Projection]:
    steps = project(features, settings)
    while True:
        try:
            done, total = next(steps)
        except StopIteration as end:
            return end.value
        yield Step(PROJECTION, done, total)


def _embedding(
    network: EmbeddedNetwork,
    settings: EmbeddingSettings,
    sample: Sample,
    stored: StoredFeatures,
    projection: Projection,
    seconds: float,
) -> Embedding:
    from cnnkit.predict import softmax

    logits, classes = stored.logits(), network.card.class_names
    if logits is None or logits.shape[1] != len(classes):
        predicted, confidence = np.zeros(0, np.int64), np.zeros(0, np.float32)
    else:
        predicted, confidence = logits.argmax(axis=1), softmax(logits).max(axis=1)
    images = np.asarray(sample.dataset.images[sample.rows])
    size = stored.read().shape[1]
    return Embedding(
        settings=settings,
        class_names=sample.dataset.class_names,
        network_classes=classes,
        rows=sample.rows,
        labels=sample.labels,
        predicted=predicted,
        confidence=confidence,
        coordinates=projection.coordinates,
        thumbnails=np.frombuffer(pack_thumbnails(images), np.uint8),
        names=sample.names,
        facts={**projection.facts, "features": size, "seconds": round(seconds, 2)},
        arrays=projection.arrays,
    )


def _check_size(images: int, size: int, settings: EmbeddingSettings) -> None:
    if 4 * images * size > LARGEST:
        advice = "fewer images"
        if settings.pooling == FLATTEN:
            advice += ", or the mean of each feature map"
        raise LimitError(
            f"{size:,} features of {images:,} images take {4 * images * size / 2**20:,.0f} MB, and "
            f"{LARGEST / 2**20:,.0f} MB are allowed. Choose {advice}."
        )
