"""Feature extraction: each variant of an image goes through the frozen layers once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnnkit.datasets import Dataset, pixels_digest
from cnnkit.training.augmentation import augment
from cnnkit.training.events import FeaturesCached, Report
from cnnkit.training.feature_cache import FeatureCache, FeatureEntry, FeatureKey
from cnnkit.training.network import FreezableNetwork
from cnnkit.training.pipeline import StoredRows, to_size
from cnnkit.training.recipe import Augmentation, Recipe

BATCH = 32  # images at once: more is no faster on a CPU
LARGEST = {"float16": 65_504.0, "float32": np.inf}  # what a cached value can be
REPORT_SECONDS = 0.3

Control = Callable[[], str | None]


@dataclass(frozen=True, kw_only=True)
class VariantRows:
    """Rows of a variant that must be cached before the trainable layers can train."""

    variant: int  # 0: the image as it is
    augmentation: Augmentation
    rows: np.ndarray  # of the data set


class FeatureExtraction:
    """Outputs of the frozen bases of a recipe's phases for a data set, in the cache.

    `layers` are those whose outputs are cached, each the end of a frozen base.
    """

    def __init__(
        self,
        recipe: Recipe,
        network: FreezableNetwork,
        layers: Sequence[str],
        dataset: Dataset,
        cache: FeatureCache,
    ):
        self.recipe, self.dataset, self.cache = recipe, dataset, cache
        self.variant_rows = _variant_rows(recipe, dataset)
        self.size = network.whole.input_shape[1:3]
        self.bases = {
            layer: keras.Model(network.whole.input, network.output_of(layer)) for layer in layers
        }
        self.keys = self._keys()
        self._make_room()
        self.entries = {place: self._open(*place) for place in self.keys}
        together = keras.Model(network.whole.input, [t.output for t in self.bases.values()])
        # Keras gives one output without a list around it.
        self._outputs = tf.function(
            lambda images: keras.tree.flatten(together(images, training=False))
        )

    @property
    def total(self) -> int:
        """Images that must go through, each variant counted."""
        return sum(len(one.rows) for one in self.variant_rows)

    def compute(self, report: Report, control: Control) -> str | None:
        """Compute what is missing; a stop is obeyed after a batch and loses nothing.

        Returns:
            "cancelled" or "paused", or None: all is there.
        """
        missing = [self._missing(one) for one in self.variant_rows]
        left = sum(map(len, missing))
        progress = _Progress(report, self.total, self.total - left)
        for one, rows in zip(self.variant_rows, missing, strict=True):
            for start in range(0, len(rows), BATCH):
                command = control()
                if command in ("cancel", "pause"):
                    return {"cancel": "cancelled", "pause": "paused"}[command]
                batch = rows[start : start + BATCH]
                self._compute_batch(one, batch)
                progress.add(len(batch))
        progress.report_now()
        return None

    def read_split(self, layer: str, name: str) -> StoredRows:
        """Features of a split of the data set; of the training set, all variants."""
        variants = [place for place in self.entries if place[0] == layer]
        if name != "train":
            variants = variants[:1]
        return StoredRows(
            [self.entries[place].features for place in variants],
            self.dataset.indices(name),
            self.recipe.seed,
        )

    def _missing(self, one: VariantRows) -> np.ndarray:
        missing = [self.entries[layer, one.variant].missing(one.rows) for layer in self.bases]
        return np.unique(np.concatenate(missing))

    def _compute_batch(self, one: VariantRows, rows: np.ndarray) -> None:
        # The last batch is filled up with its own rows: another size would be traced anew.
        filled = np.resize(rows, BATCH)
        images = tf.constant(np.asarray(self.dataset.images[filled]))
        augmented = _augmented(images, self.size, one.augmentation, one.variant, filled)
        largest = LARGEST[self.recipe.feature_type]
        for layer, values in zip(self.bases, self._outputs(augmented), strict=True):
            clipped = np.clip(values.numpy()[: len(rows)], -largest, largest)
            self.entries[layer, one.variant].write(rows, clipped)

    def _keys(self) -> dict[tuple[str, int], FeatureKey]:
        fingerprint = self.dataset.fingerprint or pixels_digest(self.dataset.images)
        return {
            (layer, one.variant): FeatureKey(
                images=fingerprint,
                base=digest,
                size=self.size,
                augmentation=asdict(one.augmentation) if one.augmentation else {},
                variant=one.variant,
                dtype=self.recipe.feature_type,
            )
            for layer, digest in ((name, _digest(base)) for name, base in self.bases.items())
            for one in self.variant_rows
        }

    def _make_room(self) -> None:
        """For all rows, less what is there: more than is needed where splits share entries."""
        needed = 0
        for (layer, variant), key in self.keys.items():
            rows = self.variant_rows[variant].rows
            if self.cache.has(key):
                rows = self._open(layer, variant).missing(rows)
            needed += len(rows) * self._bytes(layer)
        self.cache.make_room(needed, self.keys.values())

    def _bytes(self, layer: str) -> int:
        values = int(np.prod(self.bases[layer].output_shape[1:]))
        return values * np.dtype(self.recipe.feature_type).itemsize

    def _open(self, layer: str, variant: int) -> FeatureEntry:
        shape = self.bases[layer].output_shape[1:]
        return self.cache.open(self.keys[layer, variant], len(self.dataset.labels), shape)


class _Progress:
    """Reports progress, a few times a second."""

    def __init__(self, report: Report, total: int, done: int):
        self.report, self.total, self.done = report, total, done
        self._last = (done, time.monotonic())
        report(FeaturesCached(done=done, total=total, images_per_second=None))

    def add(self, count: int) -> None:
        self.done += count
        if time.monotonic() - self._last[1] >= REPORT_SECONDS:
            self.report_now()

    def report_now(self) -> None:
        now, (done, then) = time.monotonic(), self._last
        if self.done == done:
            return
        self._last = (self.done, now)
        rate = (self.done - done) / max(now - then, 1e-9)
        self.report(FeaturesCached(done=self.done, total=self.total, images_per_second=rate))


def _variant_rows(recipe: Recipe, dataset: Dataset) -> list[VariantRows]:
    """The image as it is for training and validation sets, then variants of the training set.

    The test set is evaluated with the whole network at the end.
    """
    train, validation = dataset.indices("train"), dataset.indices("validation")
    augmentation = recipe.augmentation.of_images
    variants = range(1, recipe.variants if augmentation else 1)
    return [
        VariantRows(variant=0, augmentation=Augmentation(), rows=np.union1d(train, validation)),
        *(
            VariantRows(variant=v, augmentation=augmentation, rows=np.unique(train))
            for v in variants
        ),
    ]


def _augmented(originals, size, augmentation: Augmentation, variant: int, rows: np.ndarray):
    """Images as the network gets them, each augmented as (variant, its number) says.

    The number is that of the image in the data set: no split, batch or recipe changes what
    is drawn, so that all of them share what was computed.
    """
    images = tf.cast(to_size(originals, size), tf.float32)
    if not augmentation:
        return images
    seeds = np.stack([np.full_like(rows, variant), rows], axis=1)
    return _augment_each(images, tf.constant(seeds, tf.int64), augmentation)


@tf.function(reduce_retracing=True)
def _augment_each(images, seeds, augmentation: Augmentation) -> Any:
    def change(one: tuple) -> Any:
        image, seed = one
        return augment(image[tf.newaxis], augmentation, seed)[0]

    return tf.map_fn(change, (images, seeds), fn_output_signature=tf.float32)


def _digest(base: keras.Model) -> str:
    """Of layers and weights: equal for networks that compute the same."""
    digest = hashlib.sha256()
    for layer in base.layers:
        digest.update(f"{type(layer).__name__} {layer.name} {_config(layer)}".encode())
        for weight in layer.get_weights():
            digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def _config(layer: keras.Layer) -> list[tuple[str, str]]:
    left_out = ("trainable", "dtype", "kernel_initializer", "bias_initializer")
    config: Mapping[str, Any] = layer.get_config()
    return sorted((name, repr(value)) for name, value in config.items() if name not in left_out)
